import { expect, test } from 'vitest';
import type { Tamper } from './coordinator.ts';
import {
  aSecondHoldIsSilent,
  aYesReleasesAll,
  bootForgetsTheSchedule,
  bootIgnoresSubmitted,
  cancelsWhatWasOffered,
  offeredAgainUnasked,
  offeredBeforeCommit,
  onlyTheFirstIsFound,
  onlyTheMarkIsRead,
  onlyTheNewRecordIsRead,
  writtenCountsAsTaken,
} from './planted.ts';
import { simulate } from './simulation.ts';

/** The first of 200 seeds that finds the bug by what it does, if one does. */
async function firstToFind(tamper: Tamper, symptom: RegExp): Promise<number | undefined> {
  for (let seed = 1; seed <= 200; seed++) {
    const { violations } = await simulate({ seed, tamper });
    if (violations.some((violation) => symptom.test(violation))) return seed;
  }
  return undefined;
}

test('M01 planted: what was written counts as taken, and a lost message is found', async () => {
  expect(await firstToFind(writtenCountsAsTaken, /no record holds it/)).toBeDefined();
});

test('M01 planted: an offer is repeated without asking, and a doubled message is found', async () => {
  expect(await firstToFind(offeredAgainUnasked, / took .* twice/)).toBeDefined();
});

test('M10 planted: bytes leave before the offer is committed, and a doubled message is found', async () => {
  expect(await firstToFind(offeredBeforeCommit, / took .* twice/)).toBeDefined();
});

test('M10 planted: boot ignores what was submitted, and a doubled message is found', async () => {
  expect(await firstToFind(bootIgnoresSubmitted, / took .* twice/)).toBeDefined();
});

test('M10 planted: a paste that is still on its way is not ruled out, and a doubled message is found', async () => {
  expect(await firstToFind(onlyTheMarkIsRead, / took .* twice/)).toBeDefined();
});

test('M01 planted: of messages that went together only the first is found, and a doubled message is found', async () => {
  expect(await firstToFind(onlyTheFirstIsFound, / took .* twice/)).toBeDefined();
});

test('M12 planted: after a session change only the new record is read, and a doubled message is found', async () => {
  expect(await firstToFind(onlyTheNewRecordIsRead, / took .* twice/)).toBeDefined();
});

test('M01 planted: a yes releases a message that waits for something else too, and what came too early is found', async () => {
  expect(await firstToFind(aYesReleasesAll, /was taken before (its time|task-)/)).toBeDefined();
});

test('M01 planted: what was offered is taken back, and the one who read it is found', async () => {
  expect(await firstToFind(cancelsWhatWasOffered, /taken back/)).toBeDefined();
});

test('M01 planted: a boot forgets the schedule, and what is held for ever is found', async () => {
  expect(await firstToFind(bootForgetsTheSchedule, /held\(scheduled\) for ever/)).toBeDefined();
});

test('M01 planted: the schedule hears of no second hold, and what is overdue is found', async () => {
  expect(await firstToFind(aSecondHoldIsSilent, /is overdue/)).toBeDefined();
});

test('one seed runs the same way every time, to the last line of its trace', async () => {
  const run = async (): Promise<string[]> => {
    const trace: string[] = [];
    await simulate({ seed: 4711, trace: (line) => trace.push(line) });
    return trace;
  };
  const first = await run();
  expect(first.length).toBeGreaterThan(200);
  expect(await run()).toEqual(first);
});

test('a run holds at least 50 messages for 4 to 8 recipients, and every message ends or waits for what has not come', async () => {
  const { ends } = await simulate({ seed: 12, messages: 80 });
  const deliveries = Object.values(ends).reduce((sum, count) => sum + count, 0);
  expect(deliveries).toBeGreaterThanOrEqual(80);
  expect(Object.keys(ends).filter((end) => /^(stored|submitted|held.(scheduled))/.test(end))).toEqual([]);
});
