import { beforeAll, expect, test } from 'vitest';
import { long } from '../support/long.ts';
import { half, type Sweep, sweep } from './sweep.ts';

let swept: Sweep;
beforeAll(async () => {
  swept = await sweep(1, half(long));
}, 3_600_000);

test('M01 M04 M05 M10 E12 E13 E22 2,000 seeds with 50 messages each, first half: nothing lost, nothing twice, in order, whatever breaks', () => {
  const { faults, tame, failures } = swept;
  console.log(`faults that occurred:\n${faults}`);
  expect(failures.slice(0, 5)).toEqual([]);
  expect(tame).toEqual([]);
  expect(faults.missing()).toEqual([]);
});

test('M01 10,000 messages through the simulator with faults: 0 lost, 0 twice, order kept', () => {
  const { messages, deliveries, lost, twice, disordered } = swept;
  console.log(
    `${messages} messages, ${deliveries} deliveries with the notices: ${lost} lost, ${twice} twice, ${disordered} out of order`,
  );
  expect(messages).toBeGreaterThanOrEqual(10_000);
  expect({ lost, twice, disordered }).toEqual({ lost: 0, twice: 0, disordered: 0 });
});
