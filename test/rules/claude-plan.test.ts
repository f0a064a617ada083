import net from 'node:net';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { isRefusal } from '../../src/kernel/index.ts';
import { capabilitiesOf } from '../../src/providers/claude/capabilities.ts';
import { plan } from '../../src/providers/claude/launch/plan.ts';
import { leading, mergeSettings, takeOptions } from '../../src/providers/claude/leading.ts';
import { letterUuid, writeLetter } from '../../src/providers/claude/sources/inbox.ts';
import { Pace } from '../../src/providers/claude/sources/pace.ts';
import type { Installation, LaunchPlan, LaunchRequest, LeaderRequest } from '../../src/providers/index.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';

const capabilities = capabilitiesOf('2.1.330');
if (!capabilities) throw new Error('2.1.330 is supported');
const installation: Installation = {
  binary: '/opt/claude',
  version: '2.1.330',
  capabilities,
  warnings: [],
  details: { trusted: 'yes', config: '/home/u/.claude' },
};
const request = {
  agent: 'builder',
  team: 'crew',
  incarnation: 'i_0123456789abcdef',
  session: '437f72a8-2bb6-4d4e-a1b2-05d5e51510c2',
  role: 'developer',
  prompt: 'Build things.',
  workspace: '/w',
  folder: '/w',
  tools: ['execute_bash', 'fs_read'],
  permission: 'manual',
  trusted: false,
  mcp: 'inherit',
  runFolder: '/w/.team/run/i',
  socketFolder: '/run/s',
  mcpUrl: 'http://127.0.0.1:9/mcp',
  hooksUrl: 'http://127.0.0.1:9/hooks',
  environment: { PATH: '/bin' },
} as unknown as LaunchRequest;

const planned = (more: Partial<LaunchRequest> = {}, details = installation.details): LaunchPlan => {
  const made = plan({ ...request, ...more }, { ...installation, details });
  if (isRefusal(made)) throw new Error(made.message);
  return made;
};
const fileOf = (made: LaunchPlan, name: string) =>
  made.files.find((file) => path.basename(file.path) === name)?.content ?? '';
const optionOf = (argv: readonly string[], flag: string): string | undefined => argv[argv.indexOf(flag) + 1];

describe('Z64 the plan of a launch', () => {
  test('says all of the process, and never the token', () => {
    const made = planned();
    expect(optionOf(made.argv, '--session-id')).toBe(request.session);
    expect(optionOf(made.argv, '--permission-mode')).toBe('manual');
    expect(optionOf(made.argv, '--messaging-socket-path')).toBe(made.socket);
    expect(made.argv).not.toContain('--strict-mcp-config');
    expect(made.environment).toEqual({ PATH: '/bin' });
    expect(fileOf(made, 'instructions.md')).toContain('Build things.');
    expect(JSON.parse(fileOf(made, 'mcp.json')).mcpServers.team.headers).toEqual({
      Authorization: `Bearer \${TEAM_AGENT_TOKEN}`,
    });
  });

  test.each([
    ['plan', 'plan'],
    ['accept_edits', 'acceptEdits'],
    ['auto', 'auto'],
    ['bypass', 'bypassPermissions'],
  ] as const)('%s is %s', (permission, mode) => {
    expect(optionOf(planned({ permission }).argv, '--permission-mode')).toBe(mode);
  });

  test('denies the native tools that the role was not granted, and holds decisions', () => {
    const settings = JSON.parse(fileOf(planned(), 'settings.json'));
    expect(settings.permissions).toEqual({
      allow: ['mcp__team'],
      deny: ['Edit', 'Write', 'NotebookEdit', 'Glob', 'Grep'],
    });
    expect(Object.keys(settings.hooks).sort()).toEqual([
      'PermissionRequest',
      'SessionStart',
      'Stop',
      'StopFailure',
      'UserPromptSubmit',
    ]);
    expect(settings.hooks.PermissionRequest[0].hooks[0].timeout).toBeGreaterThan(3_600);
    expect(settings.crossSessionInbound).toBeUndefined();
    expect(JSON.parse(fileOf(planned({ permission: 'bypass' }), 'settings.json'))).toMatchObject({
      crossSessionInbound: 'accept',
      skipDangerousModePermissionPrompt: true,
    });
  });

  test('a folder that a person trusts, but Claude Code does not know', () => {
    const details = { ...installation.details, trusted: 'by_person' };
    expect(planned({ trusted: true }, details).environment).toEqual({ PATH: '/bin', CLAUDE_CODE_SANDBOXED: '1' });
    expect(planned({ trusted: true }).environment).toEqual({ PATH: '/bin' });
  });

  test('only the team servers, when that is asked', () => {
    expect(planned({ mcp: 'team_only' }).argv).toContain('--strict-mcp-config');
  });

  test('a socket path that is too long is refused', () => {
    expect(isRefusal(plan({ ...request, socketFolder: `/${'x'.repeat(100)}` }, installation))).toBe(true);
  });
});

describe('the plan of a leader', () => {
  const leader = (args: readonly string[]) =>
    leading.plan({ ...request, args, instructions: 'You lead.' } as unknown as LeaderRequest, installation);

  test('keeps the words of the person, and joins what can be given only once', () => {
    const made = leader([
      '--resume',
      'abc',
      '--append-system-prompt',
      'Be terse.',
      '--mcp-config',
      'a.json',
      'b.json',
      '--settings',
      '{"model":"m"}',
      'do it',
    ]);
    if (isRefusal(made) || !made.terminal) throw new Error('refused');
    const { argv } = made.terminal;
    expect(argv.slice(-3)).toEqual(['--resume', 'abc', 'do it']);
    expect(argv.slice(argv.indexOf('--mcp-config') + 1, argv.indexOf('--mcp-config') + 4)).toEqual([
      `${request.runFolder}/mcp.json`,
      'a.json',
      'b.json',
    ]);
    const files = Object.fromEntries(made.files.map((file) => [path.basename(file.path), file.content]));
    expect(files['instructions.md']).toBe('You lead.\n\nBe terse.\n');
    expect(JSON.parse(files['settings.json'] ?? '')).toMatchObject({
      model: 'm',
      permissions: { allow: ['mcp__team'] },
    });
    expect(argv).not.toContain('--permission-mode');
  });

  test('words behind -- and joined values', () => {
    expect(takeOptions(['--mcp-config=a.json', '--', '--settings', 'x'], '/')).toEqual({
      settings: undefined,
      instructions: [],
      mcp: ['a.json'],
      rest: ['--', '--settings', 'x'],
    });
  });

  test('what has no conversation in this terminal is refused', () => {
    expect(isRefusal(leader(['-p', 'x']))).toBe(true);
    expect(isRefusal(leader(['--settings', '/nowhere/settings.json']))).toBe(true);
  });

  test('hooks of both run', () => {
    const merged = mergeSettings(
      { hooks: { Stop: [1] }, permissions: { allow: ['a'] } },
      { hooks: { Stop: [2], Other: [3] }, permissions: { allow: ['b'] }, theme: 'x' },
    );
    expect(merged).toEqual({ hooks: { Stop: [1, 2], Other: [3] }, permissions: { allow: ['a', 'b'] }, theme: 'x' });
  });
});

describe('the inbox', () => {
  const letter = { uuid: 'u', session: 's', from: 'leader', content: 'x', priority: 'next', token: 'peer' } as const;

  test('two lines, flushed; told when they were read', async () => {
    const socket = path.join(freshFolder('inbox'), 's.sock');
    const said: string[] = [];
    const server = net.createServer({ allowHalfOpen: false }, (connection) =>
      connection.on('data', (text) => said.push(String(text))),
    );
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    let read = false;
    try {
      expect(
        await writeLetter(socket, letter, () => {
          read = true;
        }),
      ).toEqual({ handed: 'written' });
      await eventually('it was read', () => read);
      const lines = said
        .join('')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(lines).toEqual([
        { type: 'auth', token: 'peer' },
        {
          type: 'user',
          uuid: 'u',
          session_id: 's',
          priority: 'next',
          from: 'leader',
          message: { role: 'user', content: 'x' },
        },
      ]);
    } finally {
      server.close();
    }
  });

  test('nobody there: not a byte has left', async () => {
    const handed = await writeLetter('/nowhere/s.sock', letter, () => undefined);
    expect(handed.handed).toBe('not_taken');
  });

  test('each attempt has a uuid of its own, always the same', () => {
    const delivery = 'a12d52d6-de0a-4cf5-aa6d-68a1c9e0a5fa' as Parameters<typeof letterUuid>[0]['delivery'];
    expect(letterUuid({ delivery, number: 1 })).toBe(delivery);
    const second = letterUuid({ delivery, number: 2 });
    expect(second).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(letterUuid({ delivery, number: 2 })).toBe(second);
    expect(letterUuid({ delivery, number: 3 })).not.toBe(second);
  });

  test('twenty at once, then one in two seconds', () => {
    const pace = new Pace();
    for (let count = 0; count < 20; count++) {
      expect(pace.wait(1_000)).toBe(0);
      pace.note('a', 1_000);
    }
    expect(pace.wait(1_000)).toBe(2_000);
    expect(pace.wait(3_000)).toBe(0);
    pace.note('a', 3_000);
    expect(pace.wait(3_000)).toBe(2_000);
    expect(pace.wait(100_000)).toBe(0);
  });
});

describe('the plan of a life that goes on with an earlier session', () => {
  const earlier = { session: 'e0000000-0000-4000-8000-000000000000' as LaunchRequest['session'], record: '/c/e.jsonl' };

  test('Z64 resumes that session, or forks it under an id of ours', () => {
    const resumed = planned({ session: earlier.session, continues: { how: 'resume', ...earlier } }).argv;
    expect(optionOf(resumed, '--resume')).toBe(earlier.session);
    expect(resumed).not.toContain('--session-id');
    expect(resumed).not.toContain('--fork-session');
    const forked = planned({ continues: { how: 'fork', ...earlier } }).argv;
    expect(optionOf(forked, '--resume')).toBe(earlier.session);
    expect(optionOf(forked, '--session-id')).toBe(request.session);
    expect(forked).toContain('--fork-session');
    // Or the role of before would be sent.
    for (const argv of [resumed, forked]) expect(optionOf(argv, '--system-prompt-snapshot')).toBe('off');
    expect(planned().argv).not.toContain('--resume');
  });
});
