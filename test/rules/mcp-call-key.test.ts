import { expect, test } from 'vitest';
import { callKey } from '../../src/mcp/call-key.ts';

const call = (facts: Partial<Parameters<typeof callKey>[1]> = {}) => ({
  tool: 'send_message',
  arguments: { to: 'b', content: 'x' },
  turn: 1_000,
  ...facts,
});

test.each(['claudecode/toolUseId', 'callId', 'team-agent/call'])('K03 the id under %s names the call', (name) => {
  expect(callKey({ [name]: 'id-1' }, call())).toBe('id-1');
  expect(callKey({ [name]: 'id-1' }, call({ arguments: 'other' }))).toBe('id-1');
});

test.each([undefined, {}, { callId: '' }, { callId: 7 }, { other: 'x' }])(
  'K03 without an id (%o) the same words in the same turn are one call',
  (meta) => {
    const key = callKey(meta, call());
    expect(callKey(meta, call())).toBe(key);
    expect(callKey(meta, call({ turn: 1_001 }))).not.toBe(key);
    expect(callKey(meta, call({ tool: 'report_result' }))).not.toBe(key);
    expect(callKey(meta, call({ arguments: { to: 'b', content: 'y' } }))).not.toBe(key);
  },
);

test('K03 outside a turn each call is its own', () => {
  expect(callKey(undefined, call({ turn: undefined }))).not.toBe(callKey(undefined, call({ turn: undefined })));
});
