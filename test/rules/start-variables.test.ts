import { expect, it } from 'vitest';
import { givenNames, otherVariables, written } from '../../src/lifecycle/starting/variables.ts';

it('G11 a handle keeps the names of what was given, never a value', () => {
  const names = givenNames(['B_KEY', 'A_URL', 'B_KEY', 'ABSENT'], { B_KEY: 'secret', A_URL: 'u', HOME: '/h' });
  expect(names).toEqual(['A_URL', 'B_KEY']);
  expect(written(names)).toBe('A_URL B_KEY');
  expect(written([])).toBe('');
});

it.each([
  [undefined, ['A'], []],
  ['A B', ['A', 'B'], []],
  ['', [], []],
  ['A B', ['B'], ['ann goes on without A: its conversation began otherwise.']],
  ['', ['A', 'B'], ['ann goes on with A, B: its conversation began otherwise.']],
  [
    'A',
    ['B'],
    [
      'ann goes on without A: its conversation began otherwise.',
      'ann goes on with B: its conversation began otherwise.',
    ],
  ],
])('G11 before %j, now %j', (before, now, told) => {
  expect(otherVariables('ann', before, now)).toEqual(told);
});
