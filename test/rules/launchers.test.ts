import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Launch, launchOf } from '../../src/cli/launchers.ts';
import { runCommand } from '../../src/cli/running.ts';

const launch = (own: string[], provider: 'claude' | 'codex', args: string[]): Launch => ({ own, provider, args });

test.each<[string, string[], Launch]>([
  ['nothing', ['claude'], launch([], 'claude', [])],
  ['flags', ['codex', '--model', 'gpt-5', '-c', 'a=b'], launch([], 'codex', ['--model', 'gpt-5', '-c', 'a=b'])],
  [
    'flags that are ours elsewhere',
    ['claude', '--json', '--team', 'x', '--version'],
    launch([], 'claude', ['--json', '--team', 'x', '--version']),
  ],
  ['a text', ['claude', 'fix the tests; now'], launch([], 'claude', ['fix the tests; now'])],
  ['the names of our commands', ['codex', 'status'], launch([], 'codex', ['status'])],
  ['help with anything else', ['claude', '--help', 'mcp'], launch([], 'claude', ['--help', 'mcp'])],
  ['help of a subcommand', ['claude', 'mcp', '--help'], launch([], 'claude', ['mcp', '--help'])],
  ['the help of its own CLI', ['claude', '--', '--help'], launch([], 'claude', ['--help'])],
  ['one --, which is ours', ['claude', '--', '-p', 'x'], launch([], 'claude', ['-p', 'x'])],
  ['a second --, which is its own', ['claude', '--', '--', 'x'], launch([], 'claude', ['--', 'x'])],
  ['a later --, which is its own', ['claude', '-p', '--', 'x'], launch([], 'claude', ['-p', '--', 'x'])],
  ['empty words', ['codex', '', ''], launch([], 'codex', ['', ''])],
])('D02 a launcher passes on word for word: %s', (_, argv, expected) => {
  expect(launchOf(argv)).toEqual(expected);
});

test.each<[string[], Launch]>([
  [['--team', 'crew', 'claude', '-p'], launch(['--team', 'crew'], 'claude', ['-p'])],
  [['--team=crew', 'codex'], launch(['--team=crew'], 'codex', [])],
  [['--workspace', 'claude', 'codex', 'claude'], launch(['--workspace', 'claude'], 'codex', ['claude'])],
  [['--json', '--workspace', '/w', 'claude'], launch(['--json', '--workspace', '/w'], 'claude', [])],
])('D02 flags before the name are ours: %j', (argv, expected) => {
  expect(launchOf(argv)).toEqual(expected);
});

test.each<[string[], Launch]>([
  [
    ['claude', '--attach-session', 's', '--confirm'],
    { ...launch([], 'claude', []), attach: { session: 's', confirmed: true } },
  ],
  [
    ['codex', '--confirm', '--attach-session=s'],
    { ...launch([], 'codex', []), attach: { session: 's', confirmed: true } },
  ],
  [['codex', '--attach-session'], { ...launch([], 'codex', []), attach: { session: '', confirmed: false } }],
  [['claude', '--attach', '--model', 'x'], launch([], 'claude', ['--model', 'x'])],
  [['claude', '--attach-existing', '--', '--attach'], launch([], 'claude', ['--attach'])],
  [
    ['claude', '--model', 'x', '--attach-session', 's'],
    launch([], 'claude', ['--model', 'x', '--attach-session', 's']),
  ],
  [['claude', '--', '--attach-session', 's'], launch([], 'claude', ['--attach-session', 's'])],
])('D03 only right behind the name a session to go to is ours: %j', (argv, expected) => {
  expect(launchOf(argv)).toEqual(expected);
});

test.each([
  [['claude', '--help']],
  [['codex', '-h']],
  [['--json', 'claude', '--help']],
  [[]],
  [['status']],
  [['send', 'claude', 'hello']],
  [['--team', 'claude']],
  [['--team', 'claude', 'status']],
  [['why', 'codex']],
  [['--help', 'claude']],
  [['--json', '-V', 'codex', '-p']],
])('D02 is no launch: %j', (argv) => {
  expect(launchOf(argv)).toBeUndefined();
});

/** Runs a command line that must not start anything: its folder does not exist. */
async function ran(...argv: string[]): Promise<{ exit: number | 'stays'; stdout: string; stderr: string }> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const interrupted = new AbortController().signal;
  const around = {
    stdin: () => stdin,
    stdout,
    stderr,
    environment: {},
    cwd: '/nowhere/at/all',
    interrupted,
    endsItself: () => undefined,
  };
  const exit = await runCommand(argv, around);
  return { exit, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}

test.each(['claude', 'codex'])('D02 %s --help is the help of the launcher', async (provider) => {
  const { exit, stdout } = await ran(provider, '--help');
  expect([exit, stdout]).toEqual([0, expect.stringContaining(`team-agent ${provider}`)]);
  expect(stdout).toContain('word for word');
});

test('D02 a flag before the name that is not ours is refused with where it belongs', async () => {
  const { exit, stderr } = await ran('--bogus', 'claude', '--model', 'x');
  expect(exit).toBe(2);
  expect(stderr).toContain('--bogus is no option of team-agent');
  expect(stderr).toContain('team-agent claude --help');
});

describe('D02 whatever stands behind the name', () => {
  test('arrives as it is when it stands behind --', () => {
    fc.assert(
      fc.property(fc.constantFrom('claude', 'codex'), fc.array(fc.string()), (provider, words) => {
        expect(launchOf([provider, '--', ...words])?.args).toEqual(words);
      }),
    );
  });

  test('arrives as it is without --, but for help alone', () => {
    const words = fc.array(fc.oneof(fc.string(), fc.constantFrom('--help', '-h', '--', '--team', 'claude')));
    fc.assert(
      fc.property(words, (args) => {
        fc.pre(args[0] !== '--' && !(args.length === 1 && ['--help', '-h'].includes(args[0] ?? '')));
        expect(launchOf(['codex', ...args])).toEqual(launch([], 'codex', args));
      }),
    );
  });
});
