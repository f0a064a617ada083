import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Refusal } from '../../src/kernel/index.ts';
import { inspect } from '../../src/providers/claude/launch/inspect.ts';
import { keyAnswer, loginOf, stateFile } from '../../src/providers/claude/sources/configuration.ts';
import { isTrusted } from '../../src/providers/claude/sources/trust.ts';
import type { Installation } from '../../src/providers/index.ts';
import { freshFolder } from '../support/files.ts';

const KEY = 'sk-ant-test-0123456789abcdefghij';
const trusting = (...folders: string[]) => ({
  projects: Object.fromEntries(folders.map((folder) => [folder, { hasTrustDialogAccepted: true }])),
});
const git = (folder: string, ...args: string[]): void => {
  const identity = ['-c', 'user.name=U', '-c', 'user.email=u@example.invalid'];
  execFileSync('git', [...identity, ...args], { cwd: folder, stdio: 'pipe' });
};

describe('trust', () => {
  test('a folder, and those below it', () => {
    const root = freshFolder('trust');
    const below = path.join(root, 'a', 'b');
    expect(isTrusted(trusting(root), root)).toBe(true);
    expect(isTrusted(trusting(root), below)).toBe(true);
    expect(isTrusted(trusting(below), root)).toBe(false);
    expect(isTrusted(undefined, root)).toBe(false);
    expect(isTrusted({ projects: { [root]: { hasTrustDialogAccepted: false } } }, root)).toBe(false);
  });

  test('a worktree shares what its repository has; a repository does not share what lies above it', () => {
    const root = freshFolder('trust');
    const main = path.join(root, 'main');
    fs.mkdirSync(main);
    git(main, 'init', '--quiet');
    git(main, 'commit', '--quiet', '--allow-empty', '-m', 'x');
    const tree = path.join(root, 'elsewhere', 'tree');
    git(main, 'worktree', 'add', '--quiet', tree);
    expect(isTrusted(trusting(main), tree)).toBe(true);
    expect(isTrusted(trusting(tree), tree)).toBe(true);
    expect(isTrusted(trusting(root), main)).toBe(false);
    expect(isTrusted(trusting(main), path.join(main, 'sub'))).toBe(true);
  });
});

describe('login', () => {
  const home = freshFolder('home');
  test.each([
    [{ ANTHROPIC_API_KEY: KEY }, undefined, undefined, 'yes'],
    [{ CLAUDE_CODE_USE_BEDROCK: '1' }, undefined, undefined, 'yes'],
    [{}, undefined, { apiKeyHelper: '/bin/key' }, 'yes'],
    [{}, undefined, { env: { ANTHROPIC_AUTH_TOKEN: 'x' } }, 'yes'],
    [{}, { primaryApiKey: 'x' }, undefined, 'yes'],
    [{}, { oauthAccount: { emailAddress: 'x' } }, undefined, 'unknown'],
    [{}, {}, {}, 'no'],
  ])('%j %j %j: %s', (environment, state, settings, login) => {
    expect(loginOf({ HOME: home, ...environment }, state, settings, 'linux').login).toBe(login);
  });

  test('a keychain is out of sight: unknown is not no', () => {
    expect(loginOf({ HOME: home }, {}, {}, 'darwin').login).toBe('unknown');
  });

  test('a stored login', () => {
    const folder = freshFolder('config');
    fs.writeFileSync(path.join(folder, '.credentials.json'), '{}');
    expect(loginOf({ CLAUDE_CONFIG_DIR: folder }, {}, {}, 'linux').login).toBe('yes');
  });

  test.each([
    [{ approved: [KEY.slice(-20)] }, 'approved'],
    [{ rejected: [KEY.slice(-20)] }, 'rejected'],
    [{ approved: [KEY] }, 'none'],
    [undefined, 'none'],
  ])('a key answered with %j: %s', (customApiKeyResponses, answer) => {
    expect(keyAnswer({ ANTHROPIC_API_KEY: KEY }, { customApiKeyResponses })).toBe(answer);
    expect(keyAnswer({}, { customApiKeyResponses })).toBe('no_key');
  });
});

describe('inspect', () => {
  const machine = (version = '2.1.330', state: object | string = {}) => {
    const home = freshFolder('home');
    const bin = path.join(home, 'bin');
    fs.mkdirSync(bin);
    fs.writeFileSync(path.join(bin, 'claude'), `#!/bin/sh\necho '${version} (Claude Code)'\n`, { mode: 0o700 });
    const environment = { HOME: home, PATH: `${bin}:/usr/bin:/bin`, ANTHROPIC_API_KEY: KEY };
    const folder = path.join(home, 'work');
    fs.mkdirSync(folder);
    const whole = {
      hasCompletedOnboarding: true,
      customApiKeyResponses: { approved: [KEY.slice(-20)] },
      ...trusting(folder),
    };
    const text = typeof state === 'string' ? state : JSON.stringify({ ...whole, ...state });
    fs.writeFileSync(stateFile(environment), text);
    return { agent: 'builder', environment, folder, trusted: false, permission: 'manual' as const };
  };
  const reason = async (asked: Parameters<typeof inspect>[0]) => ((await inspect(asked)) as Partial<Refusal>).reason;

  test('all is well', async () => {
    const asked = machine();
    const found = (await inspect(asked)) as Installation;
    expect(found).toMatchObject({
      version: '2.1.330',
      warnings: [],
      details: { trusted: 'yes', config: `${asked.environment.HOME}/.claude` },
    });
    expect(found.capabilities.known).toBe(true);
  });

  test('what stands in the way is refused with its reason', async () => {
    expect(await reason({ ...machine(), environment: { HOME: '/', PATH: '/nowhere' } })).toBe('provider_missing');
    expect(await reason(machine('2.1.329'))).toBe('provider_version_unsupported');
    expect(await reason(machine('2.1.330', '{"torn'))).toBe('provider_config_invalid');
    expect(await reason(machine('2.1.330', { hasCompletedOnboarding: false }))).toBe('provider_not_logged_in');
    expect(await reason(machine('2.1.330', { customApiKeyResponses: {} }))).toBe('provider_not_logged_in');
    const rejected = { customApiKeyResponses: { rejected: [KEY.slice(-20)] } };
    if (process.platform === 'linux') expect(await reason(machine('2.1.330', rejected))).toBe('provider_not_logged_in');
    expect(await reason(machine('2.1.330', { projects: {} }))).toBe('folder_not_trusted');
    expect(await reason({ ...machine('2.1.330', { projects: {} }), trusted: true })).toBeUndefined();
    const { ANTHROPIC_API_KEY: _none, ...environment } = machine().environment;
    if (process.platform === 'linux')
      expect(await reason({ ...machine(), environment })).toBe('provider_not_logged_in');
  });

  test.runIf(process.getuid?.() === 0)('root outside a sandbox cannot go without asking', async () => {
    const asked = { ...machine(), permission: 'bypass' as const };
    expect(await reason(asked)).toBe('provider_cannot');
    expect(await reason({ ...asked, environment: { ...asked.environment, IS_SANDBOX: '1' } })).toBeUndefined();
  });

  test('a version that nobody has measured starts with a warning, and is trusted with little', async () => {
    const found = (await inspect(machine('3.0.1'))) as Installation;
    expect(found.warnings).toHaveLength(1);
    expect(found.capabilities).toMatchObject({
      known: false,
      protocol: true,
      approvals: false,
      resume: false,
      fork: false,
    });
  });
});
