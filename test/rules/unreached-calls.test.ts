import { describe, expect, test } from 'vitest';
import { repeatedBy } from '../../src/coordinator/repeated-calls.ts';
import { CHANGING_TOOLS, type MissedCall, type RecordedCall } from '../../src/providers/shape.ts';
import { type CallEnd, UnreachedCalls } from '../../src/providers/unreached-calls.ts';

const made = (call: string, words: object = { summary: 'done' }, tool = 'report_result'): RecordedCall => ({
  call,
  tool,
  arguments: words,
  at: 1,
});

/** The calls of a record, one line each; `turn` ends one. */
function record(...lines: ('turn' | readonly [RecordedCall, CallEnd])[]) {
  const calls = new UnreachedCalls();
  for (const [offset, line] of lines.entries()) {
    if (line === 'turn') calls.turnOver();
    else calls.ended(...line, offset);
  }
  const ids = (list: readonly MissedCall[]) => list.map(({ call }) => call);
  return { missed: (from = 0) => ids(calls.from(from)), open: ids(calls.open), forget: () => calls.forget() };
}

describe('M11 calls that reached nobody', () => {
  test.each([...CHANGING_TOOLS, 'inbox'])('a call of %s', (tool) => {
    const calls = record([made('a', {}, tool), 'unreached']);
    expect(calls.missed()).toEqual(tool === 'inbox' ? [] : ['a']);
  });

  test('one that is made again with success was not missed', () => {
    const calls = record([made('a'), 'unreached'], [made('b'), 'answered']);
    expect([calls.missed(), calls.open]).toEqual([[], []]);
  });

  test('one that fails again and again is one call, with the id of the first', () => {
    const calls = record([made('a'), 'unreached'], [made('b'), 'unreached'], [made('c'), 'unreached']);
    expect([calls.missed(), calls.missed(1), calls.open]).toEqual([['a'], [], ['a']]);
  });

  test('what is refused is neither missed nor the success of another', () => {
    const calls = record([made('a'), 'unreached'], [made('b'), 'failed'], [made('c', { summary: 'x' }), 'failed']);
    expect([calls.missed(), calls.open]).toEqual([['a'], ['a']]);
  });

  test('other words, another tool, and the same words in the next turn are calls of their own', () => {
    const calls = record(
      [made('a'), 'unreached'],
      [made('b', { summary: 'other' }), 'answered'],
      [made('c', { summary: 'done' }, 'send_message'), 'answered'],
      'turn',
      [made('d'), 'answered'],
      [made('e'), 'unreached'],
    );
    expect([calls.missed(), calls.open]).toEqual([['a', 'e'], ['e']]);
  });

  test('the same words after a success are meant once more', () => {
    const calls = record([made('a'), 'unreached'], [made('b'), 'answered'], [made('c'), 'unreached']);
    expect([calls.missed(), calls.open]).toEqual([['c'], ['c']]);
  });

  test('the order of the arguments says nothing, and a record that is replaced is forgotten', () => {
    const calls = record([made('a', { x: 1, y: 2 }), 'unreached'], [made('b', { y: 2, x: 1 }), 'answered']);
    expect(calls.missed()).toEqual([]);
    const others = record([made('a'), 'unreached']);
    others.forget();
    expect(others.missed()).toEqual([]);
  });
});

describe('M11 which failed call a call repeats', () => {
  const open: MissedCall[] = [
    { call: 'a', tool: 'send_message', arguments: { to: 'w', content: 'hello', mood: 'good' }, at: 1 },
    { call: 'b', tool: 'report_result', arguments: { summary: 'done', files: ['x'] }, at: 1 },
  ];

  test.each([
    [
      'what the tool does not know is left out by the time a call comes',
      'send_message',
      { to: 'w', content: 'hello' },
      'a',
    ],
    ['a report is compared as it was written', 'report_result', { files: ['x'], summary: 'done' }, 'b'],
    ['another text', 'send_message', { to: 'w', content: 'hello!' }, undefined],
    ['another tool', 'update_state', { to: 'w', content: 'hello' }, undefined],
  ])('%s', (_, tool, words, first) => {
    expect(repeatedBy({ tool, arguments: words }, open)?.call).toBe(first);
  });
});
