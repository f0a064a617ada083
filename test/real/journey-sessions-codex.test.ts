import fs from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ask, lifeOf, reached, tmux } from '../tmux/journey.ts';
import {
  childrenOf,
  offeredAndFrozen,
  post,
  startCoordinator,
  stopCoordinator,
  toldAbout,
  typedTurn,
} from './crash-stage.ts';
import { waitsFor } from './person.ts';
import {
  movedFrom,
  openRequest,
  orderOf,
  readOnce,
  report,
  resultOf,
  sessionOf,
  shows,
  toldOf,
  types,
} from './sessions-stage.ts';
import { quickStart, whyWhen } from './stage.ts';
import { UserTerminal } from './user-terminal.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;

beforeAll(async () => {
  product = await RealProduct.open();
  const folder = product.writeTeam('crew', [
    { id: 'cody', provider: 'codex', text: 'You are the cody of this team.' },
    { id: 'cora', provider: 'codex', head: 'permission_mode: plan\n' },
  ]);
  await quickStart(product, folder);
});
afterAll(() => product?.end());

/** The session that the model was asked in with this text. */
const sessionAsked = (text: string): string | undefined => product.openai.requestWith(text)?.session;

test('M12 codex: /new: the conversation that its terminal shows is followed, knows its role and reports', async () => {
  const before = sessionOf(product, 'cody');
  await readOnce(product, 'cody', await post(product, 'cody', 'in the first thread'), 'in the first thread');
  await types(product, 'cody', '/new');
  const after = await movedFrom(product, 'cody', before.session_id);
  const sent = await ask(product, 'send', 'cody', report('from the new thread'), '--wait=result', '--timeout', '30');
  expect(sent.ok).toBe(true);
  const request = product.openai.requestWith('from the new thread');
  expect(request?.session).toBe(after.session_id);
  expect(JSON.stringify([request?.system, request?.history])).toContain('You are the cody of this team.');
  expect(await resultOf(product, 'from the new thread')).toMatchObject({
    message_id: sent.message_id,
  });
  await shows(product, 'cody', /from the new thread/);
  expect(toldOf(product, 'cody', after.session_id)).toHaveLength(1);
});

test('M12 codex: /new with an open offer and one that waits: each is read once, in order', async () => {
  const before = sessionOf(product, 'cody');
  const { posted, goOn } = await offeredAndFrozen(product, 'cody', 'offered before the new one');
  await types(product, 'cody', '/new');
  await shows(product, 'cody', /^\s*lab-model[^\n]*(?<!cody)\s*$/m);
  goOn();
  const message = await posted;
  const next = await post(product, 'cody', 'waiting for the new one');
  const delivery = await readOnce(product, 'cody', message, 'offered before the new one');
  expect(delivery.attempts).toBe(1);
  const waited = await readOnce(product, 'cody', next, 'waiting for the new one');
  const after = await movedFrom(product, 'cody', before.session_id);
  expect(waited.receipt?.file).toBe(after.record);
  expect([before.record, after.record]).toContain(delivery.receipt?.file);
  expect(toldOf(product, 'cody', after.session_id)).toHaveLength(1);
});

test('M12 codex: /clear while no coordinator lives: it is followed and told, once, also by the coordinators after it', async () => {
  const before = sessionOf(product, 'cody');
  await stopCoordinator(product);
  await types(product, 'cody', '/clear');
  await shows(product, 'cody', /⣿/);
  await startCoordinator(product);
  const after = await movedFrom(product, 'cody', before.session_id);
  await stopCoordinator(product);
  await startCoordinator(product);
  await readOnce(product, 'cody', await post(product, 'cody', 'to the cleared thread'), 'to the cleared thread');
  expect(sessionAsked('to the cleared thread')).toBe(after.session_id);
  expect(sessionOf(product, 'cody')).toEqual(after);
  expect(toldOf(product, 'cody', after.session_id)).toHaveLength(1);
});

test('M12 codex: a request that was read before /new stays open, is named to the leader, and is answered under its name', async () => {
  const before = sessionOf(product, 'cody');
  const old = await openRequest(product, 'cody', 'the old request of cody [[say later]]', '--task', 'old-task');
  await types(product, 'cody', '/new');
  const after = await movedFrom(product, 'cody', before.session_id);
  expect(toldOf(product, 'cody', after.session_id)).toEqual([expect.stringContaining(`${old}, task old-task`)]);
  const fresh = await ask(product, 'send', 'cody', report('the fresh one of cody'), '--wait=result', '--timeout', '30');
  expect(await resultOf(product, 'the fresh one of cody')).toMatchObject({
    message_id: fresh.message_id,
  });
  await post(product, 'cody', report('the old one of cody', 'old-task'));
  await reached(product, old, ['answered']);
  await whyWhen(product, 'cody', 'idle');
});

test('M12 codex: /resume goes back: with the first turn there messages go there too', async () => {
  const first = sessionOf(product, 'cody');
  await typedTurn(product, 'cody', 'a thread to come back to');
  await whyWhen(product, 'cody', 'idle');
  await types(product, 'cody', '/new');
  const second = await movedFrom(product, 'cody', first.session_id);
  await readOnce(product, 'cody', await post(product, 'cody', 'to the one between'), 'to the one between');
  await types(product, 'cody', `/resume ${first.session_id}`);
  await shows(product, 'cody', /a thread to come back to/);
  await typedTurn(product, 'cody', 'here again');
  await movedFrom(product, 'cody', second.session_id);
  expect(sessionOf(product, 'cody').session_id).toBe(first.session_id);
  await readOnce(product, 'cody', await post(product, 'cody', 'to the first again'), 'to the first again');
  expect(sessionAsked('to the first again')).toBe(first.session_id);
});

test('M12 codex: /fork: the fork is followed, and knows what was asked before', async () => {
  const before = sessionOf(product, 'cody');
  const open = await openRequest(product, 'cody', 'asked before the fork of cody [[say later]]');
  await types(product, 'cody', '/fork');
  const fork = await movedFrom(product, 'cody', before.session_id);
  expect(toldOf(product, 'cody', fork.session_id)).toEqual([expect.not.stringContaining(open)]);
  await stopCoordinator(product);
  await startCoordinator(product);
  await post(product, 'cody', report('by the fork of cody'));
  await reached(product, open, ['answered']);
  expect(sessionAsked('by the fork of cody')).toBe(fork.session_id);
  expect(sessionOf(product, 'cody')).toEqual(fork);
  await whyWhen(product, 'cody', 'idle');
});

test('M12 codex: /compact: the same conversation goes on, what comes meanwhile is read once', async () => {
  // After a compaction the model is shown all that was asked without what it said: no directive may stand there.
  const { session_id } = sessionOf(product, 'cody');
  await types(product, 'cody', '/new');
  const before = await movedFrom(product, 'cody', session_id);
  const open = await openRequest(product, 'cody', 'asked before the compaction of cody');
  const gate = product.openai.holdAnswers(({ purpose }) => purpose === 'compaction');
  await types(product, 'cody', '/compact');
  await eventually('the compaction', () => product.openai.requests.some(({ purpose }) => purpose === 'compaction'));
  const texts = ['compact cody one', 'compact cody two'];
  const waiting: string[] = [];
  for (const text of texts) waiting.push(await post(product, 'cody', text));
  await waitsFor(product, waiting[0] ?? '', 'working');
  gate.release();
  for (const [at, message] of waiting.entries()) await readOnce(product, 'cody', message, texts[at] ?? '');
  expect(orderOf(product, 'cody', texts)).toEqual(texts);
  expect(sessionOf(product, 'cody')).toEqual(before);
  await post(product, 'cody', report('after the compaction of cody'));
  await reached(product, open, ['answered']);
  await whyWhen(product, 'cody', 'idle');
});

test('M12 codex: a second process on its conversation is kept out by Codex itself, and messages go on', async () => {
  const { session_id } = sessionOf(product, 'cody');
  const second = new UserTerminal(product);
  try {
    second.run(['codex', 'resume', session_id]);
    await second.shows(/open in another app/);
    await readOnce(product, 'cody', await post(product, 'cody', 'while another looks on'), 'while another looks on');
  } finally {
    await second.end();
  }
  expect(sessionOf(product, 'cody').session_id).toBe(session_id);
});

test('M12 codex: its server and its view are killed after /new: the new conversation comes back, and nothing is doubled', async () => {
  const before = sessionOf(product, 'cody');
  await types(product, 'cody', '/new');
  const after = await movedFrom(product, 'cody', before.session_id);
  const { handle } = lifeOf(product, 'cody');
  expect(handle).toMatchObject({ session: after.session_id, record: after.record });
  const [server] = childrenOf(handle.process);
  if (!server) throw new Error('no server');
  process.kill(server.pid, 'SIGKILL');
  await eventually('its restart to be told', () => toldAbout(product, 'cody').includes('server_restarted'));
  await readOnce(product, 'cody', await post(product, 'cody', 'after the server'), 'after the server');
  expect(sessionAsked('after the server')).toBe(after.session_id);
  tmux(product, 'kill-pane', '-t', handle.view?.pane ?? '');
  await eventually(
    'its view to be opened again',
    () => lifeOf(product, 'cody').handle.view?.pane !== handle.view?.pane,
  );
  await shows(product, 'cody', /after the server/);
  await readOnce(product, 'cody', await post(product, 'cody', 'after the view'), 'after the view');
  expect(sessionOf(product, 'cody')).toEqual(after);
  expect(product.rows("select incarnation from incarnations where agent_id = 'cody'")).toHaveLength(1);
});

/** What the newest turn of a rollout was allowed. */
function allowedIn(record: string): unknown {
  const contexts = fs
    .readFileSync(record, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"turn_context"'));
  const { payload } = JSON.parse(contexts.at(-1) ?? '');
  return { approval: payload.approval_policy, sandbox: payload.sandbox_policy };
}

test('M12 C08 codex: an agent that may only read may do no more in a conversation that was opened in its terminal', async () => {
  const before = sessionOf(product, 'cora');
  await readOnce(product, 'cora', await post(product, 'cora', 'what it may'), 'what it may');
  const allowed = allowedIn(before.record);
  expect(JSON.stringify(allowed)).toContain('read-only');
  await types(product, 'cora', '/new');
  const after = await movedFrom(product, 'cora', before.session_id);
  await readOnce(product, 'cora', await post(product, 'cora', 'what it may now'), 'what it may now');
  expect(allowedIn(after.record)).toEqual(allowed);
  await typedTurn(product, 'cora', 'what a person types there');
  await whyWhen(product, 'cora', 'idle');
  expect(allowedIn(after.record)).toEqual(allowed);
});
