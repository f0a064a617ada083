import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readIfThere } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder, sandbox } from '../support/files.ts';
import { Product } from '../support/product.ts';
import { ask, deliver, LISTENER, start } from './journey.ts';

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(() => product.end());

/** Every name, mode, time of change and byte below a folder. */
function everyByte(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(folder, name);
    const stat = fs.lstatSync(file);
    const content = stat.isFile() ? createHash('sha256').update(fs.readFileSync(file)).digest('hex') : '';
    found[name] = `${stat.mode} ${stat.mtimeMs} ${stat.size} ${content}`;
  }
  return found;
}

/** The folders in which a read might leave something. */
const places = (): unknown =>
  ['home', 'tmp', 'run'].map((name) =>
    fs.readdirSync(path.join(sandbox(), name)).filter((entry) => !entry.startsWith('ledger-')),
  );

const reads = (message: string): readonly (readonly string[])[] => [
  ['status'],
  ['status', 'a'],
  ['deliveries'],
  ['deliveries', message],
  ['results'],
  ['results', '--task', 't1'],
  ['collect'],
  ['allow-peer-talk', 'a', 'leader'],
  ['inbox', 'a'],
  ['inbox', 'leader'],
  ['events'],
  ['events', '--since', '1', '--limit', '3'],
  ['why', 'a'],
  ['wait', '--task', 't1', '--timeout', '5'],
  ['coordinator', 'status'],
  ['ledger', 'dump'],
  ['--version'],
  ['--help'],
];
const TEXT_ONLY: readonly (readonly string[])[] = [['status', '--summary']];

/** Runs every read verb, with and without `--json`, and compares every byte after each. Returns the exit codes. */
async function readEverything(message: string, allowed: readonly number[]): Promise<void> {
  const before = everyByte(product.paths.team);
  const around = places();
  const commands = [...reads(message).flatMap((words) => [words, [...words, '--json']]), ...TEXT_ONLY];
  for (const words of commands) {
    const ran = await product.run(words);
    expect(allowed, `${words.join(' ')}: ${ran.stderr}`).toContain(ran.code);
    expect(everyByte(product.paths.team), words.join(' ')).toEqual(before);
    expect(places(), words.join(' ')).toEqual(around);
  }
}

async function workDone(): Promise<string> {
  const folder = product.writeTeam('crew', [{ id: 'a' }, { id: 'b', script: LISTENER }]);
  await start(product, folder);
  const sent = await ask(product, 'send', 'a', 'the job', '--task', 't1', '--wait=result');
  await deliver(product, 'b', 'heard?');
  await ask(product, 'wait', '--idle', '--timeout', '10');
  const summary = path.join(product.paths.team, 'crew', 'export', 'team_state.md');
  await eventually('the summary to be written', () => /^- t1: done/m.test(readIfThere(summary) ?? ''));
  return sent.message_id;
}

test('H06 Z32 reads leave every byte as it was while a coordinator runs', async () => {
  const message = await workDone();
  await readEverything(message, [0]);
});

test('H06 Z32 reads leave every byte as it was without a coordinator, and say that nothing was observed', async () => {
  const message = await workDone();
  expect((await ask(product, 'coordinator', 'stop')).ok).toBe(true);
  await readEverything(message, [0, 4]);
  expect(product.coordinator()).toBeUndefined();
  const status = await product.json<{ observed: string; agents: Record<string, { state: null }> }>(['status']);
  expect(status).toMatchObject({ ok: true, observed: 'none', agents: { a: { state: null, state_source: 'none' } } });
});

test('H06 reads leave every byte as it was after a kill -9 that left a write-ahead log, and see what is in it', async () => {
  const message = await workDone();
  await ask(product, 'shutdown');
  // Without agents nothing revives it.
  expect((await product.run(['coordinator', 'start'])).code).toBe(0);
  await product.killCoordinator();
  expect(fs.statSync(`${product.paths.ledger}-wal`).size).toBeGreaterThan(0);
  await readEverything(message, [0, 4]);
  const { results } = await ask(product, 'results');
  expect(results).toEqual([expect.objectContaining({ summary: 'done: the job' })]);
});

test.each(reads('m_000000000000000000000000').filter(([verb]) => !verb?.startsWith('--')))(
  'H13 %s %s outside a team: one clear refusal, nothing is made',
  async (...words) => {
    const folder = freshFolder('nowhere');
    const args = words.filter((word) => word !== undefined);
    const refused = await product.json<{ reason: string; message: string; next: string[] }>(args, { cwd: folder });
    expect(refused).toMatchObject({ code: 1, ok: false, reason: 'not_a_team' });
    expect(refused.message).toContain(folder);
    expect(refused.next).not.toEqual([]);
    expect(fs.readdirSync(folder)).toEqual([]);
    const text = await product.run(args, { cwd: folder });
    expect(text).toMatchObject({ code: 1, stdout: '' });
    expect(text.stderr).not.toMatch(/ENOENT|at .*\.ts:\d/);
  },
);

test.each([
  ['send', 'a', 'x'],
  ['shutdown'],
  ['inbox', 'leader', '--take'],
  ['coordinator', 'start'],
  ['coordinator', 'stop'],
])('H13 %s outside a team is refused and makes nothing', async (...words) => {
  const folder = freshFolder('nowhere');
  const refused = await product.json(
    words.filter((word) => word !== undefined),
    { cwd: folder },
  );
  expect(refused).toMatchObject({ code: 1, reason: 'not_a_team' });
  expect(fs.readdirSync(folder)).toEqual([]);
});

test('H01 H04 the status of a team: text of 80 columns, JSON that stays small', async () => {
  const ids = Array.from({ length: 6 }, (_, index) => `agent-${index}`);
  await start(
    product,
    product.writeTeam(
      'crew',
      ids.map((id) => ({ id, script: LISTENER })),
    ),
  );
  await Promise.all(
    ids.flatMap((id) =>
      [1, 2, 3].map((n) =>
        ask(product, 'send', id, `message ${n} ${'long '.repeat(200)}`, '--task', `task-${id}-${n}`),
      ),
    ),
  );
  await ask(product, 'send', 'leader', `\u001b[2J${'wide 日本語 '.repeat(40)}`);
  const text = await product.run(['status']);
  expect(text.code).toBe(0);
  for (const line of text.stdout.split('\n')) expect([...line].length, line).toBeLessThanOrEqual(80);
  for (const id of ids) expect(text.stdout).toContain(id);
  expect(text.stdout).not.toContain('\u001b[2J');
  const json = await product.run(['status', '--json']);
  expect(Buffer.byteLength(json.stdout)).toBeLessThan(24_000);
  const status: Record<string, unknown> = JSON.parse(json.stdout);
  expect(Object.keys(status)[0]).toBe('ok');
  expect(status).toMatchObject({
    ok: true,
    team: 'crew',
    observed: 'live',
    leader: { receiver: 'mailbox' },
    deliveries: { dead: 0 },
    agents: { [ids[0] ?? '']: { intent: 'running', channel: 'protocol', interacted: expect.any(Number) } },
  });
  const summary = await product.run(['status', '--summary']);
  expect(summary.stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(5);
  await eventually('all to be read', async () => {
    const now = await product.json<{ deliveries: { queued: number; submitted: number } }>(['status']);
    return now.deliveries.queued + now.deliveries.submitted === 0;
  });
});
