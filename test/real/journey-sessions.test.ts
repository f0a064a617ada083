import fs from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ask, lifeOf, reached } from '../tmux/journey.ts';
import { offeredAndFrozen, post, startCoordinator, stopCoordinator, typedTurn } from './crash-stage.ts';
import { waitsFor } from './person.ts';
import {
  asked,
  movedFrom,
  openRequest,
  orderOf,
  readOnce,
  report,
  resultOf,
  sessionOf,
  sessionsOf,
  shows,
  toldOf,
  types,
  worksOn,
} from './sessions-stage.ts';
import { lineOfReceipt, quickStart, whyWhen } from './stage.ts';
import { UserTerminal } from './user-terminal.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;
let terminal: UserTerminal;

beforeAll(async () => {
  product = await RealProduct.open();
  terminal = new UserTerminal(product);
  const folder = product.writeTeam('crew', [
    { id: 'claire', provider: 'claude', text: 'You are the claire of this team.' },
  ]);
  await quickStart(product, folder);
});
afterAll(async () => {
  await terminal?.end();
  await product?.end();
});

test('M12 claude: /clear in a turn, with messages waiting: each is read once, in order, and the new session is followed', async () => {
  const before = sessionOf(product, 'claire');
  const gate = await worksOn(product, 'claire', 'a long turn');
  const texts = ['waiting one', 'waiting two', 'waiting three'];
  const waiting: string[] = [];
  for (const text of texts) waiting.push(await post(product, 'claire', text));
  for (const message of waiting) await waitsFor(product, message, 'working');
  await types(product, 'claire', '/clear');
  await shows(product, 'claire', /Queued/);
  gate.release();
  for (const [at, message] of waiting.entries()) {
    const delivery = await readOnce(product, 'claire', message, texts[at] ?? '');
    expect(lineOfReceipt(delivery)).toContain(delivery.delivery_id);
  }
  expect(orderOf(product, 'claire', texts)).toEqual(texts);
  const after = await movedFrom(product, 'claire', before.session_id);
  expect(sessionsOf(product, 'claire').at(0)).toMatchObject({
    session_id: before.session_id,
    closed_at: expect.any(Number),
  });
  expect(toldOf(product, 'claire', after.session_id)).toHaveLength(1);
  expect(fs.readFileSync(after.record, 'utf8')).toContain('waiting three');
});

test('M12 claude: an open offer that comes behind /clear in its own queue is taken once, in the new session', async () => {
  const before = sessionOf(product, 'claire');
  const { posted, goOn } = await offeredAndFrozen(product, 'claire', 'behind the clear');
  const gate = product.anthropic.holdAnswers(({ prompt }) => prompt === 'typed before');
  await typedTurn(product, 'claire', 'typed before');
  await types(product, 'claire', '/clear');
  await shows(product, 'claire', /Queued/);
  goOn();
  const message = await posted;
  const next = await post(product, 'claire', 'after the open offer');
  await eventually('it to stand in the queue', () =>
    fs.readFileSync(before.record, 'utf8').includes('behind the clear'),
  );
  expect((await ask(product, 'deliveries', message)).deliveries).toMatchObject([{ state: 'submitted', attempts: 1 }]);
  gate.release();
  const delivery = await readOnce(product, 'claire', message, 'behind the clear');
  expect(delivery.attempts).toBe(1);
  await readOnce(product, 'claire', next, 'after the open offer');
  const after = await movedFrom(product, 'claire', before.session_id);
  expect(delivery.receipt?.file).toBe(after.record);
  expect(orderOf(product, 'claire', ['behind the clear', 'after the open offer'])).toHaveLength(2);
  expect(toldOf(product, 'claire', after.session_id)).toHaveLength(1);
});

test('M12 claude: an open offer that comes before /clear is taken in the old session, and settled there', async () => {
  const before = sessionOf(product, 'claire');
  const { posted, goOn } = await offeredAndFrozen(product, 'claire', 'before the clear');
  const gate = product.anthropic.holdAnswers(({ prompt }) => prompt === 'typed first');
  await typedTurn(product, 'claire', 'typed first');
  goOn();
  const message = await posted;
  await eventually('it to stand in the queue', () =>
    fs.readFileSync(before.record, 'utf8').includes('before the clear'),
  );
  await types(product, 'claire', '/clear');
  await shows(product, 'claire', /Queued/);
  gate.release();
  const delivery = await readOnce(product, 'claire', message, 'before the clear');
  expect(delivery).toMatchObject({ attempts: 1, receipt: { file: before.record } });
  await movedFrom(product, 'claire', before.session_id);
});

test('M12 claude: /clear while no coordinator lives: it is followed and told, once, also by the coordinators after it', async () => {
  const before = sessionOf(product, 'claire');
  await stopCoordinator(product);
  await types(product, 'claire', '/clear');
  await shows(product, 'claire', /Claude Code v/);
  await startCoordinator(product);
  const after = await movedFrom(product, 'claire', before.session_id);
  await stopCoordinator(product);
  await startCoordinator(product);
  await readOnce(product, 'claire', await post(product, 'claire', 'to the cleared one'), 'to the cleared one');
  expect(sessionOf(product, 'claire')).toEqual(after);
  expect(toldOf(product, 'claire', after.session_id)).toHaveLength(1);
});

test('M12 claude: a request that was read before /clear stays open, is named to the leader, and is answered under its name', async () => {
  const before = sessionOf(product, 'claire');
  const old = await openRequest(product, 'claire', 'the old request [[say later]]');
  await types(product, 'claire', '/clear');
  const after = await movedFrom(product, 'claire', before.session_id);
  expect(toldOf(product, 'claire', after.session_id)).toEqual([expect.stringContaining(old)]);
  const fresh = await ask(
    product,
    'send',
    'claire',
    report('of the fresh request'),
    '--wait=result',
    '--timeout',
    '30',
  );
  expect(await resultOf(product, 'of the fresh request')).toMatchObject({
    message_id: fresh.message_id,
  });
  expect((await ask(product, 'deliveries', old)).deliveries).toMatchObject([{ state: 'consumed' }]);
  await post(product, 'claire', report('of nothing that it knows'));
  const stray = await eventually('the stray report', () => resultOf(product, 'of nothing that it knows'));
  expect(stray).toMatchObject({ unattributed: true, message_id: null });
  await post(product, 'claire', report('of the old request', old));
  await reached(product, old, ['answered']);
  expect(await resultOf(product, 'of the old request')).toMatchObject({
    message_id: old,
  });
  await whyWhen(product, 'claire', 'idle');
});

test('M12 claude: /resume goes back to an earlier session, and again: each time it is followed and told', async () => {
  const first = sessionOf(product, 'claire');
  const open = await openRequest(product, 'claire', 'known to the first [[say later]]');
  await types(product, 'claire', '/clear');
  const second = await movedFrom(product, 'claire', first.session_id);
  await readOnce(product, 'claire', await post(product, 'claire', 'to the second'), 'to the second');
  await types(product, 'claire', `/resume ${first.session_id}`);
  await movedFrom(product, 'claire', second.session_id);
  expect(sessionOf(product, 'claire').session_id).toBe(first.session_id);
  expect(toldOf(product, 'claire', first.session_id).at(-1)).not.toContain(open);
  const delivery = await readOnce(
    product,
    'claire',
    await post(product, 'claire', report('by the first')),
    report('by the first'),
  );
  expect(delivery.receipt?.file).toBe(first.record);
  await reached(product, open, ['answered']);
  await types(product, 'claire', `/resume ${second.session_id}`);
  await movedFrom(product, 'claire', first.session_id);
  expect(toldOf(product, 'claire', second.session_id)).toHaveLength(2);
  await readOnce(product, 'claire', await post(product, 'claire', 'to the second again'), 'to the second again');
});

test('M12 claude: /branch forks its session: the fork is followed, and knows what was asked before', async () => {
  const before = sessionOf(product, 'claire');
  const open = await openRequest(product, 'claire', 'asked before the fork [[say later]]');
  await types(product, 'claire', '/branch');
  const fork = await movedFrom(product, 'claire', before.session_id);
  expect(toldOf(product, 'claire', fork.session_id)).toEqual([expect.not.stringContaining(open)]);
  const delivery = await readOnce(
    product,
    'claire',
    await post(product, 'claire', report('by the fork')),
    report('by the fork'),
  );
  expect(delivery.receipt?.file).toBe(fork.record);
  await reached(product, open, ['answered']);
});

test('M12 claude: /compact with messages waiting: the same session goes on, each is read once, in order', async () => {
  const before = sessionOf(product, 'claire');
  const open = await openRequest(product, 'claire', 'asked before the compaction [[say later]]');
  const gate = await worksOn(product, 'claire', 'a turn to compact');
  const texts = ['compact one', 'compact two'];
  const waiting: string[] = [];
  for (const text of texts) waiting.push(await post(product, 'claire', text));
  await types(product, 'claire', '/compact');
  await shows(product, 'claire', /Queued/);
  gate.release();
  await eventually('the compaction', () => product.anthropic.requests.some(({ purpose }) => purpose === 'compaction'));
  for (const [at, message] of waiting.entries()) await readOnce(product, 'claire', message, texts[at] ?? '');
  expect(orderOf(product, 'claire', texts)).toEqual(texts);
  expect(sessionOf(product, 'claire')).toEqual(before);
  await post(product, 'claire', report('after the compaction'));
  await reached(product, open, ['answered']);
  await whyWhen(product, 'claire', 'idle');
});

test('M12 claude: a session that is open in a second process: what waits is held, told once, and read once when that has ended', async () => {
  const { session_id } = sessionOf(product, 'claire');
  terminal.run(['claude', '--resume', session_id]);
  await terminal.shows(/shortcuts|auto mode|manual mode/);
  const texts = ['while it is shared', 'while it is shared too'];
  const waiting: string[] = [];
  for (const text of texts) waiting.push(await post(product, 'claire', text));
  await waitsFor(product, waiting[0] ?? '', 'session_changed');
  await eventually('the leader to be told', () => toldOf(product, 'claire', 'second process').length > 0);
  expect(texts.map((text) => asked(product, 'claire', text))).toEqual([0, 0]);
  await terminal.type('/exit');
  await eventually('the second process to end', () => terminal.sessions().length === 0);
  for (const [at, message] of waiting.entries()) await readOnce(product, 'claire', message, texts[at] ?? '');
  expect(orderOf(product, 'claire', texts)).toEqual(texts);
  expect(toldOf(product, 'claire', 'second process')).toHaveLength(1);
  expect(sessionOf(product, 'claire').session_id).toBe(session_id);
});

test('M12 claude: a transcript that is replaced by a shorter one: what comes is proved in the one that is there', async () => {
  const { record } = sessionOf(product, 'claire');
  const lines = fs.readFileSync(record, 'utf8').split('\n');
  const size = fs.statSync(record).size;
  fs.writeFileSync(`${record}.new`, `${lines.slice(0, 3).join('\n')}\n`, { mode: 0o600 });
  fs.renameSync(`${record}.new`, record);
  const delivery = await readOnce(
    product,
    'claire',
    await post(product, 'claire', 'into a shorter record'),
    'into a shorter record',
  );
  expect(delivery).toMatchObject({ attempts: 1, receipt: { file: record } });
  expect(delivery.receipt?.offset).toBeLessThan(size);
  expect(lineOfReceipt(delivery)).toContain(delivery.delivery_id);
});

test('M12 claude: its process was the same all the time', () => {
  expect(product.rows("select incarnation from incarnations where agent_id = 'claire'")).toHaveLength(1);
  expect(lifeOf(product, 'claire').handle.former?.length).toBeGreaterThan(3);
});
