import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type HoldFacts, holdOf, limitReached, PEER_LIMITS, Traffic, WINDOW } from '../../src/messages/index.ts';
import { wakesLeader } from '../../src/results/index.ts';

const FREE: HoldFacts = { now: 1_000, confirmation: null, unfinished: [], due_at: null, batched: false };

test.each([
  ['nothing', {}, undefined],
  ['a yes that is wanted', { confirmation: 'wanted' }, 'human_confirmation'],
  ['a yes that was given', { confirmation: 'given' }, undefined],
  ['a task that is not done', { unfinished: ['t1'] }, 'dependencies'],
  ['a time to come', { due_at: 1_001 }, 'scheduled'],
  ['a time that is there', { due_at: 1_000 }, undefined],
  ['company', { batched: true }, 'batched'],
  ['company, but not for ever', { batched: true, due_at: 2_000 }, 'batched'],
  ['company until now', { batched: true, due_at: 1_000 }, undefined],
  ['a yes before all else', { confirmation: 'wanted', unfinished: ['t1'], due_at: 9_000 }, 'human_confirmation'],
  ['a task before a time', { unfinished: ['t1'], due_at: 9_000 }, 'dependencies'],
] as const)('E17 F10 a message waits for %s', (_, facts, hold) => {
  expect(holdOf({ ...FREE, ...facts })).toBe(hold);
});

test('M01 whatever a message waits for, the events that end it let it go', () => {
  const facts = fc.record({
    now: fc.constant(1_000),
    confirmation: fc.constantFrom(null, 'wanted' as const, 'given' as const),
    unfinished: fc.array(fc.string(), { maxLength: 3 }),
    due_at: fc.option(fc.integer({ min: 0, max: 5_000 })),
    batched: fc.boolean(),
  });
  fc.assert(
    fc.property(facts, (at) => {
      let now: HoldFacts = at;
      const seen = new Set<string>();
      for (let hold = holdOf(now); hold !== undefined; hold = holdOf(now)) {
        expect(seen.has(hold)).toBe(false);
        seen.add(hold);
        if (hold === 'human_confirmation') now = { ...now, confirmation: 'given' };
        else if (hold === 'dependencies') now = { ...now, unfinished: [] };
        else if (hold === 'scheduled') now = { ...now, now: now.due_at ?? 0 };
        else now = { ...now, batched: false };
      }
    }),
  );
});

test.each([
  ['each', 'success', 3, true],
  ['each', 'failed', 0, true],
  ['quiet', 'success', 1, false],
  ['quiet', 'success', 0, true],
  ['quiet', 'failed', 2, true],
  ['quiet', 'blocked', 2, true],
  ['quiet', 'partial', 2, true],
  ['digest', 'success', 1, false],
  ['digest', 'failed', 1, false],
  ['digest', 'success', 0, true],
] as const)('F05 notify %s: a result of %s with %i still owed wakes the leader: %s', (notify, status, owed, wakes) => {
  expect(wakesLeader({ notify, status, owed })).toBe(wakes);
});

test('M09 the limits themselves: the last that may go, and the first that may not', () => {
  const at = (part: Partial<typeof PEER_LIMITS>) => limitReached({ hops: 0, pair: 0, team: 0, ...part }, PEER_LIMITS);
  expect(at({ hops: PEER_LIMITS.hops })).toBeUndefined();
  expect(at({ hops: PEER_LIMITS.hops + 1 })).toBe('hops');
  expect(at({ pair: PEER_LIMITS.pair - 1 })).toBeUndefined();
  expect(at({ pair: PEER_LIMITS.pair })).toBe('pair');
  expect(at({ team: PEER_LIMITS.team - 1 })).toBeUndefined();
  expect(at({ team: PEER_LIMITS.team })).toBe('team');
});

test('M09 whoever writes, no pair and no team gets past its limit within a window', () => {
  const step = fc.record({
    from: fc.constantFrom('a', 'b', 'c'),
    to: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'leader'), { minLength: 1 }),
    pause: fc.integer({ min: 0, max: WINDOW / 4 }),
  });
  const limits = { hops: 1_000, pair: 3, team: 7 };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let now = 0;
      const traffic = new Traffic(() => now);
      const went: { from: string; to: string; at: number }[] = [];
      for (const { from, to, pause } of steps) {
        now += pause;
        if (limitReached({ hops: 0, ...traffic.counts(from, to) }, limits)) continue;
        traffic.note(from, to);
        for (const one of to) went.push({ from, to: one, at: now });
        const recent = went.filter(({ at }) => at > now - WINDOW);
        const pairs = Map.groupBy(recent, (one) => `${one.from}>${one.to}`);
        for (const pair of pairs.values()) expect(pair.length).toBeLessThanOrEqual(limits.pair);
        // One message to several counts for each of them: the last one may go past the team's limit by the others.
        expect(recent.length).toBeLessThan(limits.team + to.length);
      }
    }),
  );
});

test('M09 one spell of being stopped has one name, however long it lasts; the next has another', () => {
  let now = 0;
  const traffic = new Traffic(() => now);
  const first = traffic.episode('pair', 5_000);
  now += WINDOW - 1;
  expect(traffic.episode('pair', 6_000)).toBe(first);
  now += WINDOW - 1;
  expect(traffic.episode('pair', 7_000)).toBe(first);
  expect(traffic.episode('team', 7_000)).toBe(7_000);
  now += WINDOW;
  expect(traffic.episode('pair', 8_000)).toBe(8_000);
});
