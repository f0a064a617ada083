import { describe, expect, test } from 'vitest';
import { activityOf, factsOf, HOOK_AHEAD, type Seen } from '../../src/providers/claude/facts.ts';
import { parseEntry, type RegistryEntry } from '../../src/providers/claude/sources/registry.ts';

const NOW = 1_000_000;
const entry = (status: RegistryEntry['status'], at: number, waitingFor?: string): RegistryEntry => ({
  pid: 7,
  procStart: '1',
  session: 's',
  cwd: '/',
  version: '2.1.330',
  socket: '/s',
  status,
  waitingFor,
  at,
});
const record = {
  opened: 0,
  failure: undefined,
  interrupted: undefined,
  ended: undefined,
  open: [],
  asked: undefined,
  mode: undefined,
  at: 0,
};
const seen = (more: Partial<Seen>): Seen => ({
  now: NOW,
  liveness: 'alive',
  exit: 'no exit code',
  pid: 7,
  registry: undefined,
  hook: undefined,
  record,
  approvals: [],
  ...more,
});
const state = (more: Partial<Seen>) => {
  const [first] = factsOf(seen(more));
  return [first?.value, first?.source];
};
const failure = (retrying: boolean) => ({ what: '529: overloaded', retrying, at: NOW - 50 });
const approval = { id: 'ap_1', kind: 'command' as const, text: 'rm x', since: NOW - 5, answerable: true };

describe('the state of a turn', () => {
  test.each<[string, Partial<Seen>, unknown[]]>([
    ['a dead process', { liveness: 'dead', registry: entry('idle', NOW) }, ['exited', 'process']],
    ['no entry yet', {}, ['starting', 'process']],
    ['an entry without a status', { registry: entry(undefined, NOW) }, ['starting', 'process']],
    ['idle', { registry: entry('idle', NOW - 9) }, ['idle', 'protocol']],
    ['busy', { registry: entry('busy', NOW - 9) }, ['working', 'protocol']],
    ['a command in the background', { registry: entry('shell', NOW - 9) }, ['working', 'protocol']],
    [
      'a permission prompt',
      { registry: entry('waiting', NOW - 9, 'permission prompt') },
      ['waiting_approval', 'protocol'],
    ],
    ['a question', { registry: entry('waiting', NOW - 9, 'input needed') }, ['waiting_input', 'protocol']],
    ['another dialog', { registry: entry('waiting', NOW - 9, 'dialog open') }, ['waiting_input', 'protocol']],
    ['a held approval', { registry: entry('busy', NOW - 9), approvals: [approval] }, ['waiting_approval', 'protocol']],
    [
      'a held question',
      { registry: entry('waiting', NOW - 9), approvals: [{ ...approval, kind: 'question' }] },
      ['waiting_input', 'protocol'],
    ],
    [
      'Stop ahead of the registry',
      { registry: entry('busy', NOW - 90), hook: { event: 'Stop', at: NOW - 9 } },
      ['idle', 'hook'],
    ],
    [
      'a prompt ahead of the registry',
      { registry: entry('idle', NOW - 90), hook: { event: 'UserPromptSubmit', at: NOW - 9 } },
      ['working', 'hook'],
    ],
    [
      'Stop that the registry has passed',
      { registry: entry('busy', NOW - 5), hook: { event: 'Stop', at: NOW - 9 } },
      ['working', 'protocol'],
    ],
    [
      'Stop that the registry never followed',
      { registry: entry('busy', NOW - HOOK_AHEAD - 90), hook: { event: 'Stop', at: NOW - HOOK_AHEAD } },
      ['working', 'protocol'],
    ],
    [
      'Stop with background tasks',
      { registry: entry('busy', NOW - 90), hook: { event: 'Stop', at: NOW - 9, detail: 'sleep 4' } },
      ['working', 'hook'],
    ],
    [
      'StopFailure',
      { registry: entry('idle', NOW - 2), hook: { event: 'StopFailure', at: NOW - 9, detail: '401' } },
      ['provider_error', 'hook'],
    ],
    [
      'a failed turn, seen in the transcript',
      { registry: entry('idle', NOW - 2), record: { ...record, failure: failure(false) } },
      ['provider_error', 'record'],
    ],
    [
      'the CLI asks again by itself',
      { registry: entry('busy', NOW - 90), record: { ...record, failure: failure(true) } },
      ['provider_error', 'record'],
    ],
    [
      'a retry of an older turn',
      { registry: entry('busy', NOW - 9), record: { ...record, opened: NOW - 9, failure: failure(true) } },
      ['working', 'protocol'],
    ],
    [
      'a new turn after a failure',
      {
        registry: entry('idle', NOW - 90),
        hook: { event: 'UserPromptSubmit', at: NOW - 3 },
        record: { ...record, failure: failure(false) },
      },
      ['working', 'hook'],
    ],
    [
      'Esc with its mark in the transcript',
      { registry: entry('idle', NOW - 2), record: { ...record, interrupted: NOW - 3 } },
      ['interrupted', 'record'],
    ],
    [
      'Esc before anything came',
      { registry: entry('idle', NOW - 2), hook: { event: 'UserPromptSubmit', at: NOW - 9 } },
      ['interrupted', 'record'],
    ],
  ])('%s', (_name, what, expected) => {
    expect(state(what)).toEqual(expected);
  });

  test('a failure names its status', () => {
    const [fact] = factsOf(seen({ registry: entry('busy', NOW - 90), record: { ...record, failure: failure(true) } }));
    expect(fact?.evidence).toContain('529');
  });

  test('a command in the background does not keep the input shut', () => {
    expect(activityOf(seen({ registry: entry('shell', NOW) })).value).toBe('idle');
  });

  test('an entry that is torn says nothing', () => {
    expect(parseEntry('{"pid":7,"sessionId":"s","status":"bu')).toBeUndefined();
    expect(parseEntry('{"pid":7,"sessionId":"s","status":"surprising"}')?.status).toBeUndefined();
  });
});
