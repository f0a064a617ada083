import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identifyProcess, probeProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';
import { Product } from '../support/product.ts';

/** The launcher of a leader, with a stand-in for Claude Code that writes down its words and lives until it is ended. */

const BIN = path.resolve(import.meta.dirname, '../../bin/team-agent');
const STAND_IN = `#!/bin/sh
[ "$1" = --version ] && { echo '2.1.400 (Claude Code)'; exit 0; }
printf '%s\\n' "$*" >>"$HOME/started"
[ "$ENDS" ] && exit "$ENDS"
[ "$STUBBORN" ] && trap 'echo asked >>"$HOME/asked"' INT
echo $$ >"$HOME/pid"
while :; do sleep 0.1; done
`;

let product: Product;
let home: string;
let person: NodeJS.ProcessEnv;
const launchers: ChildProcess[] = [];

beforeEach(() => {
  home = freshFolder('person');
  const bin = path.join(home, 'bin');
  fs.mkdirSync(bin);
  fs.writeFileSync(path.join(bin, 'claude'), STAND_IN, { mode: 0o755 });
  fs.writeFileSync(
    path.join(home, '.claude.json'),
    JSON.stringify({ hasCompletedOnboarding: true, oauthAccount: { accountUuid: 'a' } }),
  );
  const { TMUX: _, TMUX_PANE: __, CLAUDE_CONFIG_DIR: ___, ...around } = process.env;
  person = {
    ...around,
    HOME: home,
    TMUX_TMPDIR: home,
    PATH: `${bin}:${process.env.PATH}`,
    CLAUDE_CODE_OAUTH_TOKEN: 'a-token-of-the-person',
  };
  product = new Product('project', person);
});
afterEach(async () => {
  spawnSync('tmux', ['kill-server'], { env: person });
  for (const launcher of launchers.splice(0)) if (launcher.exitCode === null) await once(launcher, 'exit');
  await product.end();
  const left = product.coordinator();
  if (left) await product.run(['coordinator', 'stop', '--force']);
});

/** Starts the launcher without a terminal; what it says is collected. */
function launch(...words: string[]): { readonly child: ChildProcess; readonly said: () => string } {
  const child = spawn(BIN, ['claude', ...words], {
    cwd: product.workspace,
    env: { ...product.environment, TMUX: undefined, TMUX_PANE: undefined },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  launchers.push(child);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    said += part;
  });
  return { child, said: () => said };
}

const tmux = (...words: string[]): string => execFileSync('tmux', words, { encoding: 'utf8', env: person }).trim();
const sessions = (): string[] =>
  spawnSync('tmux', ['list-sessions', '-F', '#{session_name}'], { encoding: 'utf8', env: person })
    .stdout.split('\n')
    .filter((name) => name !== '');
const started = (): string[] =>
  fs.existsSync(path.join(home, 'started'))
    ? fs.readFileSync(path.join(home, 'started'), 'utf8').trim().split('\n')
    : [];

/** The process of the stand-in that was started last. */
const conversation = (): number | undefined =>
  Number(fs.existsSync(path.join(home, 'pid')) && fs.readFileSync(path.join(home, 'pid'), 'utf8')) || undefined;

test('D01 D02 D03 a second launch goes to the session of the first, starts nothing, and says what it did not pass on', async () => {
  const first = launch('--model', 'one');
  const session = await eventually('its session', () => sessions()[0]);
  expect(session).toMatch(/^team-agent-leader-claude-project-\w+-[0-9a-f]{8}$/);
  await eventually('it to run', () => started().length === 1);
  expect(started()[0]).toContain('--model one');
  const second = launch('--model', 'two');
  await eventually('it to say where', () => second.said().includes(`tmux attach -t ${session}`));
  expect(second.said()).toContain('claude runs already for this project: --model two is not passed on.');
  expect(sessions()).toEqual([session]);
  expect(started()).toHaveLength(1);
  tmux('kill-session', '-t', `=${session}`);
  await eventually('both to end', () => first.child.exitCode !== null && second.child.exitCode !== null);
});

test('D03 another session is shown only to somebody who says --confirm; one that is not there is refused', async () => {
  tmux('-f', '/dev/null', 'new-session', '-d', '-s', 'mine', 'sleep 600');
  const ask = (...words: string[]) => product.run(['claude', ...words], { environment: { TMUX: undefined } });
  const refused = await ask('--attach-session', 'mine');
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain('mine is not the session of claude for this project. Say --confirm to go there.');
  expect(refused.stderr).toContain('team-agent claude --attach-session mine --confirm');
  for (const absent of [['--attach-session', 'not-there', '--confirm'], ['--attach-session']]) {
    const none = await ask(...absent);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('There is no tmux session');
  }
  const confirmed = launch('--attach-session', 'mine', '--confirm');
  await eventually('it to say where', () => confirmed.said().includes('tmux attach -t mine'));
  tmux('kill-session', '-t', '=mine');
  await eventually('it to end', () => confirmed.child.exitCode === 0);
  expect(started()).toEqual([]);
  expect(fs.existsSync(product.paths.ledger)).toBe(false);
});

test('D03 in a terminal it is shown there, and inside tmux the terminal goes over to it', async () => {
  tmux('-f', '/dev/null', 'new-session', '-d', '-s', 'mine', 'sleep 600');
  tmux('new-session', '-d', '-s', 'here', '-c', product.workspace, '-e', `PATH=${person.PATH}`, 'sh');
  const shown = spawn('script', ['-qec', 'tmux attach-session -t =here', '/dev/null'], {
    env: { ...person, TERM: 'xterm-256color' },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  launchers.push(shown);
  const client = (): string => tmux('list-clients', '-F', '#{client_session}');
  await eventually('its terminal', () => client() === 'here');
  tmux('send-keys', '-t', '=here:', `${BIN} claude --attach-session mine --confirm`, 'Enter');
  await eventually('the terminal to go over', () => client() === 'mine');
  tmux('kill-session', '-t', '=here');

  const attached = spawn('script', ['-qec', `${BIN} claude --attach-session mine --confirm`, '/dev/null'], {
    cwd: product.workspace,
    env: { ...product.environment, TMUX: undefined, TERM: 'xterm-256color' },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  launchers.push(attached);
  await eventually('two terminals', () => client().split('\n').length === 2);
});

test('D02 outside tmux a refusal is told where the command was typed, with its exit code', async () => {
  const outside = { environment: { TMUX: undefined, TMUX_PANE: undefined } };
  const refused = await product.run(['claude', '-p'], outside);
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('A leader is a conversation in this terminal; with -p Claude Code has none.');
  const asJson = await product.run(['--json', 'claude', '-p'], outside);
  expect([asJson.code, JSON.parse(asJson.stdout)]).toMatchObject([2, { ok: false, reason: 'usage' }]);
  fs.rmSync(path.join(home, 'bin', 'claude'));
  const absent = await product.run(['claude'], { environment: { ...outside.environment, PATH: '/usr/bin:/bin' } });
  expect(absent.code).toBe(1);
  expect(absent.stderr).toContain('claude');
  expect(started()).toEqual([]);
  expect(sessions()).toEqual([]);
  expect(fs.readdirSync(product.paths.run).filter((name) => name.startsWith('leader-'))).toEqual([]);
});

test('D02 outside tmux the command ends as its conversation does', async () => {
  const ended = await product.run(['claude'], { environment: { TMUX: undefined, TMUX_PANE: undefined, ENDS: '7' } });
  expect(ended.code).toBe(7);
});

test('D01 D03 a window of the person keeps the session, not the conversation: a launch there, and one after it, start one', async () => {
  const first = launch('--model', 'one');
  const session = await eventually('its session', () => sessions()[0]);
  const pid = await eventually('it to run', conversation);
  expect(tmux('show-environment', '-t', `=${session}`)).not.toContain('TEAM_AGENT');
  tmux('new-window', '-t', `=${session}:`, '-n', 'mine', '-c', product.workspace, 'sh');
  tmux('send-keys', '-t', `=${session}:mine`, `${BIN} claude --model beside`, 'Enter');
  await eventually('the one beside it to run', () => started().length === 2);
  expect(started()[1]).toContain('--model beside');
  process.kill(pid, 'SIGTERM');
  await eventually('the first to end', () => first.child.exitCode !== null);
  expect(sessions()).toEqual([session]);
  const next = launch('--model', 'next');
  await eventually('it to run', () => started().length === 3);
  expect(started()[2]).toContain('--model next');
  expect(next.said()).not.toContain('runs already');
  expect(sessions()).toEqual([session]);
});

test('D01 D13 a launch that names a team has a session of its own, which its name tells', async () => {
  const run = (...words: string[]) =>
    launchers.push(
      spawn(BIN, words, {
        cwd: product.workspace,
        env: { ...product.environment, TMUX: undefined, TMUX_PANE: undefined },
        stdio: 'ignore',
      }),
    );
  run('--team', 'one', 'claude');
  await eventually('its session', () => sessions().length === 1);
  run('--team', 'two', 'claude');
  await eventually('another one', () => sessions().length === 2);
  const ofTeam = (team: string) => expect.stringMatching(`^team-agent-leader-claude-project-\\w+-${team}-[0-9a-f]{8}$`);
  expect(sessions().sort()).toEqual([ofTeam('one'), ofTeam('two')]);
  await eventually('both to run', () => started().length === 2);
});

test('D04 Z57 the first interrupt is for the conversation, a second one ends it, and the launcher with it', async () => {
  const child = spawn(BIN, ['claude'], {
    cwd: product.workspace,
    // As in a pane of a tmux that the person is in: it runs right here.
    env: { ...product.environment, TMUX: 'x', STUBBORN: '1' },
    stdio: 'ignore',
  });
  launchers.push(child);
  const pid = await eventually('it to run', conversation);
  const asked = identifyProcess(pid) ?? expect.unreachable();
  child.kill('SIGINT');
  await eventually('the conversation to be asked', () => fs.existsSync(path.join(home, 'asked')));
  expect([probeProcess(asked), child.exitCode]).toEqual(['alive', null]);
  child.kill('SIGINT');
  await eventually('both to end', () => probeProcess(asked) === 'dead' && child.exitCode !== null);
  expect(fs.readdirSync(path.join(product.paths.run, 'leaders'))).toEqual([]);
});
