import { expect, test } from 'vitest';
import { long } from '../support/long.ts';
import { half, sweep } from './sweep.ts';

test('M01 M04 M05 M10 E12 E13 E22 2,000 seeds with 50 messages each, second half: nothing lost, nothing twice, in order, whatever breaks', async () => {
  const { faults, tame, failures } = await sweep(half(long) + 1, 2 * half(long));
  console.log(`faults that occurred:\n${faults}`);
  expect(failures.slice(0, 5)).toEqual([]);
  expect(tame).toEqual([]);
  expect(faults.missing()).toEqual([]);
}, 3_600_000);
