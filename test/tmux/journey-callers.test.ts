import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shellWord } from '../../src/kernel/index.ts';
import { Product } from '../support/product.ts';
import { type Answer, ask, callTool, inputsOf, LISTENER, lifeOf, RUNNER, reached, start } from './journey.ts';

const BIN = path.resolve(import.meta.dirname, '../../bin/team-agent');

let product: Product;
let elsewhere: Product;
beforeAll(async () => {
  product = new Product();
  elsewhere = new Product('elsewhere');
  const agents = [
    { id: 'w', script: RUNNER },
    { id: 'peer', script: LISTENER },
  ];
  await start(product, product.writeTeam('crew', agents));
  await start(product, product.writeTeam('other', [{ id: 'x', script: LISTENER }]));
  await start(elsewhere, elsewhere.writeTeam('far', [{ id: 'y', script: LISTENER }]));
});
afterAll(async () => {
  await product.end();
  await elsewhere.end();
});

/** Runs a shell command inside the pane of the worker `w` and returns its exit code and output. */
async function inside(command: string): Promise<{ code: number; output: string }> {
  const sent = await ask(product, '--team', 'crew', 'send', 'w', `run: ${command}`, '--wait=result', '--timeout', '30');
  const [, code = '', output = ''] = /^(\d+)\|([\s\S]*)$/.exec(sent.results[0]?.summary ?? '') ?? [];
  if (code === '') throw new Error(`it did not run: ${JSON.stringify(sent)}`);
  return { code: Number(code), output };
}

/** Runs our command inside the pane, by its ancestry alone or with its token. */
async function agentRuns(words: readonly string[], how: 'ancestry' | 'token' = 'ancestry'): Promise<Answer> {
  const { token } = lifeOf(product, 'w');
  const before = how === 'token' ? `TEAM_AGENT_TOKEN=${token} ` : '';
  const { code, output } = await inside(`${before}${shellWord(BIN)} --json ${words.map(shellWord).join(' ')}`);
  return { ...JSON.parse(output), code };
}

const CHANGES: readonly (readonly string[])[] = [
  ['quick-start', 'docs/crew'],
  ['quick-start', 'docs/other', '--team', 'crew'],
  ['shutdown'],
  ['shutdown', '--team', 'other'],
  ['inbox', 'leader', '--take'],
  ['coordinator', 'stop'],
  ['coordinator', 'stop', '--force'],
  ['ledger', 'dump'],
];

test.each(['ancestry', 'token'] as const)('M02 a worker known by its %s may not change the team', async (how) => {
  const before = product.rows('select incarnation from incarnations where ended_at is null order by incarnation');
  const coordinator = product.coordinator();
  for (const words of CHANGES)
    expect(await agentRuns(words, how), words.join(' ')).toMatchObject({
      code: 1,
      ok: false,
      reason: 'worker_may_not',
    });
  expect(product.coordinator()).toEqual(coordinator);
  expect(product.rows('select incarnation from incarnations where ended_at is null order by incarnation')).toEqual(
    before,
  );
});

test.each(['ancestry', 'token'] as const)('E13 M02 a worker known by its %s may not break into a turn', async (how) => {
  const stored = () => product.rows("select count(*) as count from messages where sender = 'w'");
  const before = stored();
  for (const to of ['peer', 'leader'])
    expect(await agentRuns(['send', to, 'at once', '--now'], how)).toMatchObject({
      code: 1,
      ok: false,
      reason: 'worker_may_not',
      message: expect.stringContaining('--now'),
    });
  expect(stored()).toEqual(before);
});

test('E13 the tool of an agent knows no urgency', async () => {
  const sent = await callTool(product, 'w', 'send_message', { to: 'peer', content: 'calmly', now: true, urgent: true });
  expect(sent).toMatchObject({ isError: false, to: ['peer'] });
  expect(product.rows(`select urgent from deliveries where message_id = '${sent.message_id}'`)).toEqual([
    { urgent: 0 },
  ]);
});

test.each(['ancestry', 'token'] as const)('E10 what a worker sends is sent as itself, by %s', async (how) => {
  const sent = await agentRuns(['send', 'peer', `as myself by ${how}`], how);
  expect(sent).toMatchObject({ code: 0, ok: true, to: ['peer'] });
  await reached(product, sent.message_id);
  expect(inputsOf(product, 'peer').at(-1)?.text).toMatch(/^\[team message \S+ from w \(peer\)\]/);
  expect(await agentRuns(['send', 'peer', 'x', '--from', 'leader'], how)).toMatchObject({
    code: 1,
    reason: 'sender_is_the_caller',
  });
});

test('E10 a wrong token, and one of an agent that ended, open nothing', async () => {
  const { output } = await inside(`TEAM_AGENT_TOKEN=made-up ${shellWord(BIN)} --json send peer forged; true`);
  expect(JSON.parse(output)).toMatchObject({ ok: false, reason: 'untrusted_caller' });
});

test('M02 a worker without its variables is still known by where it runs', async () => {
  const { output } = await inside(
    `env -i PATH="$PATH" HOME="$HOME" XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR" ${shellWord(BIN)} --json --workspace ${shellWord(product.workspace)} shutdown --team crew; true`,
  );
  expect(JSON.parse(output)).toMatchObject({ ok: false, reason: 'worker_may_not' });
});

test('M02 a worker that names another workspace may not change it', async () => {
  const before = elsewhere.rows('select count(*) as n from messages');
  for (const words of [['send', 'y', 'hello'], ['shutdown'], ['quick-start', 'docs/far']]) {
    const refused = await agentRuns(['--workspace', elsewhere.workspace, ...words]);
    expect(refused, words.join(' ')).toMatchObject({ code: 1, reason: 'workspace_mismatch' });
  }
  const fresh = path.join(product.workspace, 'fresh');
  fs.mkdirSync(fresh);
  expect(await agentRuns(['--workspace', fresh, 'quick-start', 'docs/crew'])).toMatchObject({
    code: 1,
    reason: 'workspace_mismatch',
  });
  expect(fs.readdirSync(fresh)).toEqual([]);
  expect(elsewhere.rows('select count(*) as n from messages')).toEqual(before);
});

test('M02 a worker sees its own team and its own mail, and nothing of another', async () => {
  expect(await agentRuns(['status'])).toMatchObject({ code: 0, team: 'crew' });
  expect(await agentRuns(['inbox', 'w'])).toMatchObject({ code: 0, agent_id: 'w' });
  expect(await agentRuns(['inbox', 'peer'])).toMatchObject({ code: 1, reason: 'worker_may_not' });
  expect(await agentRuns(['inbox', 'leader'])).toMatchObject({ code: 1, reason: 'worker_may_not' });
  const sent = await ask(product, '--team', 'other', 'send', 'x', 'a secret of the other team');
  for (const words of [
    ['status', '--team', 'other'],
    ['results', '--team', 'other'],
    ['deliveries', '--team', 'other'],
    ['events', '--team', 'other'],
    ['wait', '--message', sent.message_id, '--team', 'other', '--timeout', '1'],
    ['why', 'x', '--team', 'other'],
    ['send', 'other/x', 'hello'],
    ['send', 'x', 'hello', '--team', 'other'],
  ]) {
    expect(await agentRuns(words), words.join(' ')).toMatchObject({ code: 1, reason: 'worker_may_not' });
  }
  const read = await callTool(product, 'w', 'read_message', { message_id: sent.message_id });
  expect(read).toMatchObject({ isError: true, reason: 'message_not_found' });
});

test('D13 Z33 with two teams in one workspace a verb without --team is refused with the candidates', async () => {
  for (const words of [['status'], ['send', 'w', 'x'], ['shutdown'], ['wait', '--idle'], ['results']]) {
    const refused = await ask(product, ...words);
    expect(refused, words.join(' ')).toMatchObject({
      code: 1,
      reason: 'team_ambiguous',
      evidence: { candidates: ['crew', 'other'] },
    });
    expect(refused.next).toContain('team-agent status --team crew');
  }
  expect(await ask(product, 'status', '--team', 'other')).toMatchObject({ code: 0, team: 'other' });
  expect(await ask(product, 'status', '--team', 'nobody')).toMatchObject({ code: 1, reason: 'team_not_found' });
  const sent = await ask(product, 'send', 'other/x', 'by its full name');
  expect(sent).toMatchObject({ ok: true, team: 'other', to: ['x'] });
  expect(await ask(product, '--team', 'other', 'send', 'w', 'not there')).toMatchObject({
    code: 1,
    reason: 'target_not_in_team',
  });
});

test('A07 Z13 a session name that a running team has is refused with what to change; nothing is started', async () => {
  const folder = product.writeTeam('third', [{ id: 'z' }], 'session_name: team-crew\n');
  const refused = await ask(product, 'quick-start', folder);
  expect(refused).toMatchObject({ code: 1, reason: 'session_name_taken' });
  expect(refused.message).toMatch(/team-crew.*crew.*session_name: in .*third\/TEAM\.md/);
  expect(JSON.stringify(refused.next)).not.toContain('shutdown');
  expect(fs.existsSync(path.join(product.paths.team, 'third'))).toBe(false);
});

test('D13 G15 Z33 shutting one team down leaves the other alone', async () => {
  const { handle } = lifeOf(product, 'w');
  expect(await ask(product, 'shutdown', '--team', 'other')).toMatchObject({
    ok: true,
    coordinator: { status: 'running' },
  });
  expect(lifeOf(product, 'w').handle).toEqual(handle);
  expect(await ask(product, 'status')).toMatchObject({ ok: true, team: 'crew' });
  expect(await ask(product, 'send', 'peer', 'still there')).toMatchObject({ ok: true });
});
