import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type AgentId, isRefusal, mint, type SessionId } from '../../src/kernel/index.ts';
import { codex } from '../../src/providers/codex/index.ts';
import { settingsOf, viewOfHandle } from '../../src/providers/codex/launch.ts';
import { type LeaderFlags, parseFlags } from '../../src/providers/codex/leading/flags.ts';
import {
  configuredVariables,
  gitRoot,
  isTrusted,
  mcpServerNames,
  missingLogin,
  readConfig,
} from '../../src/providers/codex/settings/config.ts';
import { serverOverrides, toml } from '../../src/providers/codex/settings/overrides.ts';
import { permissionOf } from '../../src/providers/codex/settings/permission.ts';
import { type Installation, type LaunchRequest, PERMISSION_MODES } from '../../src/providers/shape.ts';
import { freshFolder } from '../support/files.ts';

/** A home with this config.toml, and what an agent's environment says of it. */
function home(config: string) {
  const folder = freshFolder('home');
  fs.writeFileSync(path.join(folder, 'config.toml'), config);
  const environment: Record<string, string> = { HOME: folder, CODEX_HOME: folder, PATH: '/bin' };
  return { folder, environment };
}

function configOf(text: string) {
  const config = readConfig(home(text).environment);
  if (isRefusal(config)) throw new Error(config.message);
  return config;
}

const installation: Installation = {
  binary: '/bin/codex',
  version: '0.169.0',
  capabilities: {
    versions: '',
    known: true,
    protocol: true,
    paste: true,
    approvals: true,
    resume: true,
    fork: false,
    evidence: '',
  },
  warnings: [],
  details: { home: '/home/.codex', trust: 'config', servers: '["mine","a.b"]' },
};

const request = (more: Partial<LaunchRequest> = {}): LaunchRequest => ({
  agent: 'worker' as AgentId,
  team: 'a-team',
  incarnation: mint.incarnation(),
  session: mint.session(),
  role: 'developer',
  prompt: 'Build.',
  workspace: '/project',
  folder: '/project',
  tools: ['fs_write'],
  permission: 'manual',
  trusted: false,
  mcp: 'inherit',
  runFolder: '/run/life',
  socketFolder: '/run/s',
  mcpUrl: 'http://127.0.0.1:4000/mcp',
  hooksUrl: 'http://127.0.0.1:4000/hooks',
  environment: { PATH: '/bin' },
  ...more,
});

describe('a plan', () => {
  const planned = (more: Partial<LaunchRequest> = {}, details: Record<string, string> = {}) => {
    const plan = codex.plan(request(more), { ...installation, details: { ...installation.details, ...details } });
    if (isRefusal(plan)) throw new Error(plan.message);
    return plan;
  };

  test('Z64 is an app-server behind the wrapper, without a secret and without a file of the user', () => {
    const plan = planned();
    expect(plan.hidden).toBe(true);
    expect(plan.argv.slice(1, 6)).toEqual([
      '/run/life/token',
      '/run/life/exit',
      '/bin/codex',
      'app-server',
      '--listen',
    ]);
    expect(plan.argv[6]).toBe(`unix://${plan.socket}`);
    expect(plan.argv.join(' ')).toContain('bearer_token_env_var="TEAM_AGENT_TOKEN"');
    expect(plan.files.map((file) => file.path)).toEqual(['/run/life/instructions']);
    expect(plan.environment).toEqual({ PATH: '/bin', TEAM_AGENT_RESTARTS: '3/600' });
    expect(plan.argv.join(' ')).not.toContain('projects=');
  });

  test('trust is said for this life alone, and only when a person said it', () => {
    expect(planned({}, { trust: 'person' }).argv).toContain('projects={"/project"={trust_level="trusted"}}');
  });

  test("team_only turns the user's servers and plugins off, in one table", () => {
    const argv = planned({ mcp: 'team_only' }).argv;
    expect(argv).toContain('features.plugins=false');
    const tables = argv.filter((word) => word.startsWith('mcp_servers'));
    expect(tables).toHaveLength(1);
    expect(tables[0]).toMatch(/^mcp_servers=\{team=\{.*\},"mine"=\{enabled=false\},"a\.b"=\{enabled=false\}\}$/);
    expect(planned().argv).not.toContain('features.plugins=false');
  });

  test('a socket path that is too long is refused', () => {
    expect(codex.plan(request({ socketFolder: `/${'x'.repeat(100)}` }), installation)).toMatchObject({
      reason: 'launch_failed',
    });
  });
});

test.each(
  PERMISSION_MODES.flatMap((permission) =>
    [[], ['fs_read'], ['execute_bash']].map((tools) => [permission, tools] as const),
  ),
)('permission %s with %j', (permission, tools) => {
  const changes = tools.includes('execute_bash');
  const expected = {
    manual: { approvalPolicy: 'on-request', sandbox: changes ? 'workspace-write' : 'read-only' },
    accept_edits: { approvalPolicy: 'on-request', sandbox: changes ? 'workspace-write' : 'read-only' },
    auto: { approvalPolicy: 'on-request', sandbox: changes ? 'workspace-write' : 'read-only' },
    plan: { approvalPolicy: 'on-request', sandbox: 'read-only' },
    bypass: { approvalPolicy: 'never', sandbox: 'danger-full-access' },
  }[permission];
  expect(permissionOf({ permission, tools })).toEqual(expected);
});

describe("the user's configuration", () => {
  test('a file that is no TOML is refused with the place', () => {
    const { environment, folder } = home('model = "x"\n[broken');
    expect(readConfig(environment)).toMatchObject({
      reason: 'provider_config_invalid',
      message: expect.stringContaining(folder),
    });
    expect(readConfig({ HOME: '/nowhere' })).toMatchObject({ values: {} });
  });

  test('a folder is trusted by itself, by its repository, and from a worktree by the main checkout', () => {
    const root = freshFolder('repository');
    for (const folder of ['.git/worktrees/side', 'below', 'side'])
      fs.mkdirSync(path.join(root, folder), { recursive: true });
    const side = freshFolder('side');
    fs.writeFileSync(path.join(side, '.git'), `gitdir: ${path.join(root, '.git/worktrees/side')}\n`);
    const trusts = configOf(`[projects.${toml(root)}]\ntrust_level = "trusted"\n`);
    expect([root, path.join(root, 'below'), side].map((folder) => isTrusted(trusts, folder))).toEqual([
      true,
      true,
      true,
    ]);
    expect(gitRoot(side)).toBe(root);
    expect(isTrusted(trusts, freshFolder('elsewhere'))).toBe(false);
    const below = path.join(root, 'below');
    const both = configOf(
      `[projects]\n${toml(root)} = { trust_level = "trusted" }\n${toml(below)} = { trust_level = "untrusted" }\n`,
    );
    expect(isTrusted(both, below)).toBe(false);
    expect(isTrusted(configOf('projects = 3'), root)).toBe(false);
  });

  test('tool servers come from the user and from the project', () => {
    const project = freshFolder('project');
    fs.mkdirSync(path.join(project, '.codex'));
    fs.writeFileSync(path.join(project, '.codex', 'config.toml'), '[mcp_servers.ours]\ncommand = "x"\n');
    const config = configOf('[mcp_servers.mine]\ncommand = "x"\n[mcp_servers."not a name"]\ncommand = "x"\n');
    expect(mcpServerNames(config, project)).toEqual(expect.arrayContaining(['mine', 'ours']));
    expect(mcpServerNames(config, project)).not.toContain('not a name');
  });

  const custom =
    'model_provider = "lab"\n[model_providers.lab]\nenv_key = "LAB_KEY"\nenv_http_headers = { X = "HEADER" }\n';
  test.each([
    ['nothing at all', '', {}, true],
    ['a key of Codex in the environment', '', { CODEX_API_KEY: 'x' }, false],
    ['a keyring, which only Codex can ask', 'cli_auth_credentials_store = "keyring"', {}, false],
    ['a profile, which may name another provider', 'profile = "x"', {}, false],
    ['a provider whose key is missing', custom, {}, true],
    ['a provider whose key is there', custom, { LAB_KEY: 'x' }, false],
    ['a provider without a key', 'model_provider = "local"\n[model_providers.local]\nname = "x"\n', {}, false],
  ])('no login is proved with %s: %#', (_name, text, environment, missing) => {
    expect(missingLogin(configOf(text), environment) !== undefined).toBe(missing);
  });

  test('a login in its own file', () => {
    const { folder, environment } = home('');
    fs.writeFileSync(path.join(folder, 'auth.json'), '{}');
    const config = readConfig(environment);
    expect(isRefusal(config) || missingLogin(config, {})).toBeUndefined();
  });

  test('variables that it names itself', () => {
    expect(
      configuredVariables(configOf(`${custom}[mcp_servers.x]\nurl = "y"\nbearer_token_env_var = "X_TOKEN"\n`)),
    ).toEqual(['HEADER', 'LAB_KEY', 'X_TOKEN']);
  });
});

test('a text with quotes and control bytes is a TOML string', () => {
  expect(toml('a"b\\c\n\u007f')).toBe('"a\\"b\\\\c\\n\\u007f"');
  expect(serverOverrides({ mcpUrl: 'u', without: undefined, trusted: '/a "b"' })).toContain(
    'projects={"/a \\"b\\""={trust_level="trusted"}}',
  );
});

test('C12 the fast mode of Codex is switched on by configuration, and left as its person has it otherwise', () => {
  const overrides = (fast?: true) => serverOverrides({ mcpUrl: 'u', without: undefined, trusted: undefined, fast });
  const words = (fast?: true) => overrides(fast).filter((word) => /fast|service_tier/.test(word));
  expect(words(true)).toEqual(['features.fast_mode=true', 'service_tier="fast"']);
  expect(words()).toEqual([]);
});

describe('the flags of a leader', () => {
  const flags = (...args: string[]): LeaderFlags => {
    const parsed = parseFlags(args, '/here');
    if (isRefusal(parsed)) throw new Error(parsed.message);
    return parsed;
  };

  test.each([
    [[], {}],
    [['do it'], { prompt: 'do it' }],
    [['--', '-x'], { prompt: '-x' }],
    [
      ['-m', 'a', '--sandbox=read-only', '-anever'],
      { thread: { model: 'a', sandbox: 'read-only', approvalPolicy: 'never' } },
    ],
    [['-c', 'a.b=1'], { server: ['-c', 'a.b=1'], terminal: ['-c', 'a.b=1'] }],
    [
      ['--enable', 'x', '--no-alt-screen', '--no-daemon'],
      { server: ['--enable', 'x'], terminal: ['--enable', 'x', '--no-alt-screen'] },
    ],
    [['-i', 'a.png', 'b.png', '--', 'look'], { terminal: ['--image', 'a.png', 'b.png'], prompt: 'look' }],
    [['--add-dir', 'x', '--add-dir=/y'], { server: ['-c', 'sandbox_workspace_write.writable_roots=["/here/x","/y"]'] }],
    [['--search', '-C', '..'], { server: ['-c', 'web_search="live"'], folder: '/' }],
    [['--yolo'], { thread: { approvalPolicy: 'never', sandbox: 'danger-full-access' } }],
    [
      ['resume', '01a203cf-e3d3-73a3-85d2-77c8ef34a118', 'go on'],
      { resume: '01a203cf-e3d3-73a3-85d2-77c8ef34a118', prompt: 'go on' },
    ],
  ] as const)('%j', (args, expected) => {
    const nothing = { server: [], thread: {}, terminal: [], folder: undefined, prompt: undefined, resume: undefined };
    expect(flags(...args)).toEqual({ ...nothing, ...expected });
  });

  test.each([
    [['--remote', 'unix://x']],
    [['-p', 'profile']],
    [['--oss']],
    [['exec', 'x']],
    [['resume']],
    [['resume', '--last']],
    [['resume', 'a name']],
    [['two', 'words']],
    [['--of-a-later-version']],
    [['-c', 'mcp_servers={}']],
    [['-c', 'mcp_servers.team.url="x"']],
    [['-m']],
    [['--help']],
  ])('%j is refused with a reason', (args) => {
    expect(parseFlags(args, '/here')).toMatchObject({ reason: 'provider_cannot', next: ['codex --help'] });
  });
});

describe('a stored handle', () => {
  const handle = {
    process: { pid: 1, start: '1' },
    session: 'thread' as SessionId,
    record: '/r',
    socket: '/s',
    details: { folder: '/project', binary: '/bin/codex', sandbox: 'read-only', approvalPolicy: 'on-request' },
  };

  test('Z64 brings the settings of its thread and its view', () => {
    expect(settingsOf(handle)).toMatchObject({
      threadId: 'thread',
      cwd: '/project',
      sandbox: 'read-only',
      model: undefined,
    });
    const view = viewOfHandle(handle, { PATH: '/bin' });
    expect(view?.argv.slice(0, 7)).toEqual([
      '/bin/codex',
      'resume',
      'thread',
      '--remote',
      'unix:///s',
      '-C',
      '/project',
    ]);
    expect(viewOfHandle({ ...handle, details: {} }, {})).toBeUndefined();
  });
});

afterEach(() => {
  expect(process.env.CODEX_HOME).toBeUndefined();
});
