import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identifyProcess, probeProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import { ask, deliver, inputsOf, LISTENER, lifeOf, pathWith, start, tmux } from './journey.ts';

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(() => product.end());

const teamExists = (): boolean => fs.existsSync(product.paths.team);

/** The documents of a team: what the runtime writes beside them comes and goes. */
function hashOf(folder: string): string {
  const hash = createHash('sha256');
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  for (const name of names.filter((one) => one.split(path.sep)[0] !== 'export')) {
    const file = path.join(folder, name);
    hash.update(`${name}\0`).update(fs.statSync(file).isFile() ? fs.readFileSync(file) : '');
  }
  return hash.digest('hex');
}

const lives = (): unknown[] =>
  product.rows('select incarnation, ended_at from incarnations where ended_at is null order by incarnation');

test('C01 quick-start, a message, its result, shutdown; G15 nothing of it is left', async () => {
  const folder = product.writeTeam('crew', [{ id: 'scout' }, { id: 'writer' }]);
  const started = await product.run(['quick-start', folder]);
  expect(started).toMatchObject({ code: 0, stderr: '' });
  expect(started.stdout).toContain('scout');
  const panes = ['scout', 'writer'].map((agent) => lifeOf(product, agent).handle.pane.process);
  const answer = await ask(product, 'send', 'scout', 'look around', '--task', 't1', '--wait=result');
  expect(answer.results).toEqual([
    expect.objectContaining({ summary: 'done: look around', task_id: 't1', agent_id: 'scout' }),
  ]);
  const coordinator = product.coordinator();
  const server = Number(tmux(product, 'display-message', '-p', '#{pid}'));
  const ended = await product.run(['shutdown']);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  for (const pane of panes) expect(probeProcess(pane)).toBe('dead');
  await eventually('the coordinator to end', () => coordinator && probeProcess(coordinator) === 'dead');
  await eventually('the tmux server to end', () => identifyProcess(server) === undefined);
  expect(fs.existsSync(product.paths.sockets)).toBe(false);
});

test('C10 an agent has its files in a private folder, and they go with it', async () => {
  const folder = product.writeTeam('crew', [{ id: 'a' }]);
  await start(product, folder);
  const { incarnation, handle } = lifeOf(product, 'a');
  const home = path.join(product.paths.run, 'agents', incarnation);
  const mode = (file: string): number => fs.statSync(file).mode & 0o777;
  expect(mode(home)).toBe(0o700);
  expect(mode(path.join(home, 'token'))).toBe(0o600);
  expect(mode(path.dirname(handle.socket ?? ''))).toBe(0o700);
  expect(mode(handle.socket ?? '')).toBe(0o600);
  expect(mode(product.paths.ledger)).toBe(0o600);
  expect(mode(product.paths.run)).toBe(0o700);
  expect((await ask(product, 'shutdown')).ok).toBe(true);
  expect(fs.existsSync(home)).toBe(false);
  expect(fs.existsSync(handle.socket ?? '')).toBe(false);
});

test('C11 eight agents become ready side by side', async () => {
  const ids = Array.from({ length: 8 }, (_, index) => `agent-${index + 1}`);
  const began = performance.now();
  const agents = ids.map((id) => ({ id }));
  const answer = await product.json<{ ok: boolean; agents: { agent_id: string; state: string; ready_ms: number }[] }>([
    'quick-start',
    product.writeTeam('eight', agents),
  ]);
  console.log(
    `C11: ${Math.round(performance.now() - began)} ms, slowest ready after ${Math.max(...answer.agents.map(({ ready_ms }) => ready_ms))} ms`,
  );
  expect(answer.ok).toBe(true);
  expect(answer.agents.map(({ agent_id }) => agent_id)).toEqual(ids);
  for (const agent of answer.agents) expect(agent.state).toBe('idle');
});

test('C02 Z22 a second quick-start is refused, says what to do, and changes nothing', async () => {
  const folder = product.writeTeam('crew', [{ id: 'a' }]);
  await start(product, folder);
  const before = { lives: lives(), documents: hashOf(path.join(product.paths.team, 'crew')) };
  for (const again of [folder, path.join(product.paths.team, 'crew')]) {
    const refused = await ask(product, 'quick-start', again);
    expect(refused).toMatchObject({ code: 1, reason: 'team_already_running' });
    expect(refused.next).toEqual(['team-agent status --team crew', 'team-agent shutdown --team crew']);
  }
  fs.appendFileSync(path.join(folder, 'agents', 'a.md'), 'More of it.\n');
  expect(await ask(product, 'quick-start', folder)).toMatchObject({ code: 1, reason: 'team_already_running' });
  expect({ lives: lives(), documents: hashOf(path.join(product.paths.team, 'crew')) }).toEqual(before);
  await deliver(product, 'a', 'still there?');
});

test('C02 C03 a team that was shut down keeps its conversations: quick-start names restart, and --fresh leaves them behind', async () => {
  const folder = product.writeTeam('crew', [{ id: 'a' }, { id: 'b' }]);
  await start(product, folder);
  await deliver(product, 'a', 'remember this');
  const sessions = () =>
    product.rows('select session_id from sessions order by opened_at').map((row) => row.session_id);
  const before = sessions();
  await ask(product, 'shutdown');
  const refused = await ask(product, 'quick-start', folder);
  expect(refused).toMatchObject({ code: 1, reason: 'existing_team_context', evidence: { agents: ['a'] } });
  expect(refused.next).toEqual(['team-agent restart --team crew', `team-agent quick-start ${folder} --fresh`]);
  expect(sessions()).toEqual(before);
  expect(await ask(product, 'quick-start', folder, '--fresh')).toMatchObject({ ok: true, code: 0 });
  expect(sessions()).toHaveLength(4);
  expect(inputsOf(product, 'a')).toEqual([]);
  // Nobody has spoken in the new ones: there is nothing that a start could lose.
  await ask(product, 'shutdown');
  expect(await ask(product, 'quick-start', folder)).toMatchObject({ ok: true, code: 0 });
});

test.each([
  ['an unknown key', { head: 'nonsense: 1\n' }, 'team_document_invalid', /agents\/a\.md:\d+.*nonsense/],
  ['broken YAML', { head: 'x: [\n' }, 'team_document_invalid', /agents\/a\.md:\d+/],
  [
    'a broken script',
    { script: 'rules: [{ do: [{ dance: 1 }] }]\n' },
    'team_document_invalid',
    /a\.yaml:1: rules\.0\.do\.0/,
  ],
  ['a path as an id', { id: '../x y' }, 'agent_id_invalid', /\.\.\/x y/],
  ['the id leader', { id: 'leader' }, 'agent_id_invalid', /leader/],
] as const)('C06 %s is refused with its place, and nothing is made', async (_, change, reason, text) => {
  const folder = product.writeTeam('crew', [{ id: 'a', ...('script' in change ? change : {}) }]);
  const file = path.join(folder, 'agents', 'a.md');
  let document = fs.readFileSync(file, 'utf8');
  if ('id' in change) document = document.replace('name: a\n', `name: "${change.id}"\n`);
  if ('head' in change) document = document.replace('role: worker\n', `role: worker\n${change.head}`);
  fs.writeFileSync(file, document);
  const refused = await ask(product, 'quick-start', folder);
  expect(refused.code).toBe(1);
  expect(refused.message).toMatch(text);
  expect(refused.reason).toBe(reason);
  expect(teamExists()).toBe(false);
  expect(fs.existsSync(product.paths.sockets)).toBe(false);
});

test('C06 an unknown provider is refused with those there are', async () => {
  const folder = product.writeTeam('crew', [{ id: 'a' }]);
  const file = path.join(folder, 'agents', 'a.md');
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('provider: scripted', 'provider: clippy'));
  const refused = await ask(product, 'quick-start', folder);
  expect(refused).toMatchObject({ code: 1, reason: 'unknown_provider' });
  expect(refused.message).toContain('clippy');
  expect(JSON.stringify(refused)).toContain('scripted');
  expect(teamExists()).toBe(false);
});

test('C06 a folder that is not there is refused', async () => {
  expect(await ask(product, 'quick-start', 'nowhere')).toMatchObject({ code: 1, reason: 'team_directory_missing' });
  expect(teamExists()).toBe(false);
});

test.each([
  ['no tmux', undefined, 'tmux_missing'],
  ['a tmux that is too old', '#!/bin/sh\necho tmux 2.9\n', 'tmux_too_old'],
  ['a tmux that fails', '#!/bin/sh\nexit 3\n', 'tmux_failed'],
] as const)('C06 %s is refused before anything is made', async (_, script, reason) => {
  const folder = product.writeTeam('crew', [{ id: 'a' }]);
  const refused: Record<string, unknown> = await product.json(['quick-start', folder], {
    environment: { PATH: pathWith(script) },
  });
  expect(refused).toMatchObject({ code: 1, reason });
  expect(refused.next).not.toEqual([]);
  expect(teamExists()).toBe(false);
});

test('C06 Z19 an agent that dies at start: its screen is shown, all is undone, the next quick-start works', async () => {
  const script = 'before_greeting: [{ say: "no licence found" }, { wait: 300 }, { exit: 7 }]\n';
  const folder = product.writeTeam('crew', [{ id: 'good' }, { id: 'bad', script }]);
  const refused = await ask(product, 'quick-start', folder);
  expect(refused).toMatchObject({ code: 1, reason: 'agents_not_ready' });
  expect(refused.message).toContain('bad: it ended before it was ready');
  expect(refused.message).toContain('no licence found');
  expect(lives()).toEqual([]);
  expect(fs.readdirSync(path.join(product.paths.run, 'agents'))).toEqual([]);
  const exits = product.rows(`select agent_id, exit from incarnations where agent_id = 'bad'`);
  expect(exits).toEqual([{ agent_id: 'bad', exit: expect.stringMatching(/^code 7 /) }]);
  expect(await ask(product, 'send', 'good', 'x')).toMatchObject({ code: 1, reason: 'team_not_running' });
  fs.writeFileSync(path.join(folder, 'agents', 'bad.yaml'), LISTENER);
  fs.writeFileSync(path.join(product.paths.team, 'crew', 'agents', 'bad.yaml'), LISTENER);
  await start(product, folder);
  const files = fs.readdirSync(path.join(product.paths.run, 'agents'), { recursive: true }).map(String);
  expect(files.filter((file) => path.basename(file) === 'starting')).toEqual([]);
  expect(files.filter((file) => path.basename(file) === 'token')).toHaveLength(2);
  await deliver(product, 'bad', 'better now?');
});

test('C06 Z19 Z21 an agent that never greets: its screen is shown, all is undone', async () => {
  const script = 'before_greeting: [{ say: "waiting for godot" }, { hang: true }]\n';
  const folder = product.writeTeam('crew', [{ id: 'good' }, { id: 'mute', script }]);
  const refused = await ask(product, 'quick-start', folder);
  expect(refused).toMatchObject({ code: 1, reason: 'agents_not_ready' });
  expect(refused.message).toContain('mute: it was not ready after 30 s');
  expect(refused.message).toContain('waiting for godot');
  expect(lives()).toEqual([]);
  const records = product.rows('select record from sessions');
  for (const { record } of records) {
    const [first = '{}'] = fs.readFileSync(String(record), 'utf8').split('\n');
    const { pid, start: began }: { pid: number; start: string } = JSON.parse(first);
    expect(probeProcess({ pid, start: began })).toBe('dead');
  }
});
