import { expect, test } from 'vitest';
import type { Tamper } from './coordinator.ts';
import { bootIgnoresSubmitted, offeredAgainUnasked, offeredBeforeCommit, writtenCountsAsTaken } from './planted.ts';
import { simulate } from './simulation.ts';

/** The first of 200 seeds that finds the bug, with what it found. */
async function found(tamper: Tamper): Promise<{ seed: number; violations: readonly string[] } | undefined> {
  for (let seed = 1; seed <= 200; seed++) {
    const { violations } = await simulate({ seed, tamper });
    if (violations.length > 0) return { seed, violations };
  }
  return undefined;
}

test('M01 planted: what was written counts as taken, and a lost message is found', async () => {
  expect((await found(writtenCountsAsTaken))?.violations.join('\n')).toMatch(/no record holds it/);
});

test('M01 planted: an offer is repeated without asking, and a doubled message is found', async () => {
  expect((await found(offeredAgainUnasked))?.violations.join('\n')).toMatch(/ took .* twice/);
});

test('M10 planted: bytes leave before the offer is committed, and a doubled message is found', async () => {
  expect((await found(offeredBeforeCommit))?.violations.join('\n')).toMatch(/ took .* twice/);
});

test('M10 planted: boot ignores what was submitted, and a doubled message is found', async () => {
  expect((await found(bootIgnoresSubmitted))?.violations.join('\n')).toMatch(/ took .* twice/);
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

test('a run holds at least 50 messages for 4 to 8 recipients, and every message ends', async () => {
  const { ends } = await simulate({ seed: 12, messages: 80 });
  const deliveries = Object.values(ends).reduce((sum, count) => sum + count, 0);
  expect(deliveries).toBeGreaterThanOrEqual(80);
  expect(Object.keys(ends).filter((end) => /^(stored|held|submitted)/.test(end))).toEqual([]);
});
