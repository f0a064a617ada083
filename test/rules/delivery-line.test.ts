import { expect, test } from 'vitest';
import type { Unavailable } from '../../src/agents/index.ts';
import { openOffer } from '../../src/ledger/index.ts';
import { takeByPerson } from '../../src/messages/index.ts';
import type { Settlement } from '../../src/providers/index.ts';
import { TEAM } from '../simulator/coordinator.ts';
import { AGENT, line } from './line-harness.ts';

const HELD: Unavailable = { hold: 'agent_stopped', evidence: 'it was stopped' };
const UNKNOWN: Settlement = { outcome: 'unknown', awaited: 'its record showed it' };

test('M01 a delivery is offered, settled and consumed in one go', async () => {
  const { send, wake, state, handed } = await line();
  const [first, second] = [await send(), await send()];
  await wake();
  expect([state(first), state(second)]).toEqual(['consumed', 'consumed']);
  expect(handed).toEqual([first, second]);
});

test('E12 a line that rests says why, and goes on when it is woken', async () => {
  const { send, wake, state, answers, office } = await line();
  answers.hold = HELD;
  const delivery = await send();
  await wake();
  expect(office.resting(AGENT)).toMatchObject({ step: 'rest', why: 'agent_stopped' });
  answers.hold = undefined;
  await wake();
  expect(state(delivery)).toBe('consumed');
});

test('M01 a wake that comes while the line is looking is not lost', async () => {
  const { send, office, state, answers } = await line();
  answers.hold = HELD;
  answers.onLook = () => {
    answers.onLook = () => undefined;
    answers.hold = undefined;
    office.wake(AGENT);
  };
  const delivery = await send();
  office.wake(AGENT);
  await office.settled();
  expect(state(delivery)).toBe('consumed');
});

test('M01 a line that could not write tries again by itself', async () => {
  const { send, wake, state, disk, time, errors, handed } = await line();
  const delivery = await send();
  disk.exec(`create trigger full before insert on offers begin select raise(abort, 'full'); end`);
  await wake();
  expect(errors).toHaveLength(1);
  expect([state(delivery), handed.length]).toEqual(['queued', 0]);
  disk.exec('drop trigger full');
  await time.runUntil(60_000);
  expect(state(delivery)).toBe('consumed');
});

test('M05 what is not offered in its time dies then, also behind others, and its sender is told once', async () => {
  const { send, wake, state, answers, time, disk } = await line();
  answers.hold = HELD;
  const [ahead, behind, first] = [await send(), await send(9_000), await send(3_000)];
  await wake();
  await time.runUntil(2_999);
  expect([state(ahead), state(behind), state(first)]).toEqual(['queued', 'queued', 'queued']);
  await time.runUntil(3_000);
  expect([state(ahead), state(behind), state(first)]).toEqual(['queued', 'queued', 'dead(expired)']);
  await time.runUntil(9_000);
  expect([state(ahead), state(behind)]).toEqual(['queued', 'dead(expired)']);
  const keys = disk.prepare(`select dedupe_key from messages where sender = 'team-agent' order by seq`).all();
  expect(keys.map(({ dedupe_key }) => dedupe_key)).toEqual([`dead:${first}`, `dead:${behind}`]);
});

test('M05 a time far away costs a look a day, not a spin', async () => {
  const { send, wake, state, answers, time } = await line();
  answers.hold = HELD;
  const day = 24 * 3_600_000;
  const delivery = await send(60 * day);
  await wake();
  await time.runUntil(60 * day - 1);
  expect(state(delivery)).toBe('queued');
  expect(answers.looks).toBeLessThan(70);
  await time.runUntil(60 * day);
  expect(state(delivery)).toBe('dead(expired)');
});

test('E22 a person reads what is under way, the agent ends: the offer is closed and the line goes on', async () => {
  const { send, wake, state, answers, ledger } = await line();
  answers.settlement = UNKNOWN;
  const [delivery, next] = [await send(), await send()];
  await wake();
  expect(state(delivery)).toBe('submitted');
  await ledger.change(TEAM, 'person', (change) => takeByPerson(change, delivery));
  answers.ended = true;
  answers.hold = HELD;
  await wake();
  expect(await openOffer(ledger.db, TEAM, AGENT)).toBeUndefined();
  expect([state(delivery), state(next)]).toEqual(['consumed', 'queued']);
});

test('M01 a channel that refuses is left alone until it is back, three times at most', async () => {
  const { send, wake, state, answers, handed, office } = await line();
  answers.hand = { handed: 'not_taken', evidence: 'connection refused' };
  const delivery = await send();
  await wake();
  expect([state(delivery), handed.length]).toEqual(['queued', 1]);
  expect(office.resting(AGENT)).toMatchObject({ why: 'channel_down' });
  await wake();
  await wake();
  expect([state(delivery), handed.length]).toEqual(['dead(attempts_exhausted)', 3]);
});

test('M01 what holds its recipient between the question and the first key costs no attempt', async () => {
  const { send, wake, state, answers, handed, office, disk } = await line();
  answers.hand = { handed: 'held', hold: { hold: 'draft_in_composer', evidence: 'a person types' } };
  const delivery = await send();
  for (let look = 0; look < 5; look++) await wake();
  expect([state(delivery), handed.length]).toEqual(['queued', 5]);
  expect(office.resting(AGENT)).toMatchObject({ why: 'draft_in_composer' });
  answers.hand = { handed: 'written' };
  await wake();
  expect(state(delivery)).toBe('consumed');
  expect(disk.prepare('select attempts from deliveries').get()).toEqual({ attempts: 1 });
  expect(disk.prepare('select number, outcome from offers').all()).toEqual([{ number: 1, outcome: 'taken' }]);
});

test('M05 a receipt that comes after the verdict still counts, and the sender was told once', async () => {
  const { send, wake, state, answers, disk } = await line();
  answers.settlement = UNKNOWN;
  const delivery = await send();
  await wake();
  answers.ended = true;
  await wake();
  expect(state(delivery)).toBe('dead(unproved)');
  answers.settlement = undefined;
  await wake();
  expect(state(delivery)).toBe('consumed');
  const [row] = disk.prepare(`select count(*) as count from messages where dedupe_key = ?`).all(`dead:${delivery}`);
  expect(row?.count).toBe(1);
});

test('a line with nothing to do writes nothing', async () => {
  const { send, wake, disk } = await line();
  await send();
  await wake();
  const changes = () => disk.prepare('select total_changes() as count').get()?.count;
  const before = changes();
  await wake();
  await wake();
  expect(changes()).toBe(before);
});
