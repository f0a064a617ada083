import { expect, test } from 'vitest';
import { ARROWS, type DeliveryState, statesBefore } from '../../src/messages/index.ts';

const ALLOWED = [
  'stored > queued',
  'stored > held',
  'stored > dead',
  'stored > cancelled',
  'queued > submitted',
  'queued > held',
  'queued > consumed',
  'queued > dead',
  'queued > cancelled',
  'held > queued',
  'held > consumed',
  'held > dead',
  'held > cancelled',
  'submitted > consumed',
  'submitted > queued',
  'submitted > dead',
  'consumed > answered',
  'dead > consumed',
];

const STATES = Object.keys(ARROWS).filter((text): text is DeliveryState => text in ARROWS);

test.each(STATES.flatMap((from) => STATES.map((to) => [from, to] as const)))('M01 %s > %s is as drawn', (from, to) => {
  const allowed = ALLOWED.includes(`${from} > ${to}`);
  expect(ARROWS[from].includes(to)).toBe(allowed);
  expect(statesBefore(to).includes(from)).toBe(allowed);
});

test('M01 what is answered or cancelled stays so, and what may have been read never goes back by itself', () => {
  expect(ARROWS.answered).toEqual([]);
  expect(ARROWS.cancelled).toEqual([]);
  expect(ARROWS.submitted).not.toContain('held');
  expect(ARROWS.submitted).not.toContain('cancelled');
  expect(statesBefore('submitted')).toEqual(['queued']);
});
