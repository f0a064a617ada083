import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deriveTurn, type TurnFacts } from '../../src/agents/index.ts';
import { FACT_SOURCES, TURN_STATES, type TurnFact } from '../../src/providers/index.ts';

const fact = (source: TurnFact['source'], value: TurnFact['value'], at = 10): TurnFact => ({ source, value, at });
const alive = (...facts: TurnFact[]): TurnFacts => ({
  intent: 'running',
  liveness: 'alive',
  ready: true,
  facts,
  now: 99,
});

const TABLE: readonly [string, TurnFacts, object][] = [
  [
    'no process: exited',
    { ...alive(fact('protocol', 'idle')), liveness: undefined },
    { state: 'exited', source: 'process' },
  ],
  ['a dead process beats every word', { ...alive(fact('protocol', 'working')), liveness: 'dead' }, { state: 'exited' }],
  [
    'a process nobody can probe is not dead',
    { ...alive(fact('hook', 'idle')), liveness: 'unknown' },
    { state: 'idle' },
  ],
  ['silence before ready: starting', { ...alive(), ready: false }, { state: 'starting' }],
  ['silence after ready: unknown', alive(), { state: 'unknown' }],
  [
    'not ready yet, whatever it says',
    { ...alive(fact('protocol', 'idle')), ready: false },
    { state: 'starting', source: 'protocol' },
  ],
  [
    'the protocol beats a hook',
    alive(fact('hook', 'idle', 90), fact('protocol', 'working')),
    { state: 'working', source: 'protocol' },
  ],
  [
    'a hook beats the record',
    alive(fact('record', 'idle'), fact('hook', 'waiting_input')),
    { state: 'waiting_input', source: 'hook' },
  ],
  [
    'the record beats the process',
    alive(fact('process', 'idle'), fact('record', 'working')),
    { state: 'working', source: 'record' },
  ],
  [
    'a source that does not know steps back',
    alive(fact('protocol', 'unknown'), fact('record', 'idle')),
    { state: 'idle', source: 'record' },
  ],
  ['a screen alone makes no state', alive(fact('screen', 'waiting_approval')), { state: 'unknown' }],
  ['nor does it against another', alive(fact('screen', 'waiting_approval'), fact('record', 'idle')), { state: 'idle' }],
];

describe('the state of an agent', () => {
  test.each(TABLE)('%s', (_, facts, turn) => {
    expect(deriveTurn(facts)).toMatchObject(turn);
  });

  test('it says since when, by what, what else was said and what would change it', () => {
    const turn = deriveTurn(alive(fact('protocol', 'working', 42), fact('record', 'idle'), fact('screen', 'idle')));
    expect(turn).toMatchObject({ state: 'working', source: 'protocol', since: 42 });
    expect(turn.evidence).toEqual(['protocol says working']);
    expect(turn.rejected.map(({ source, state }) => [source, state])).toEqual([
      ['record', 'idle'],
      ['screen', 'idle'],
    ]);
    expect(turn.rejected[1]?.why).toContain('screen');
    expect(turn.would_change.length).toBeGreaterThan(0);
  });
});

test('no screen decides, and every state comes from its strongest source', () => {
  const some = fc.record({
    source: fc.constantFrom(...FACT_SOURCES),
    value: fc.constantFrom(...TURN_STATES),
    at: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(some, { maxLength: 6 }), fc.constantFrom('alive', 'unknown' as const), (facts, liveness) => {
      const turn = deriveTurn({ ...alive(...facts), liveness });
      const without = deriveTurn({ ...alive(...facts.filter(({ source }) => source !== 'screen')), liveness });
      expect([turn.state, turn.source, turn.since]).toEqual([without.state, without.source, without.since]);
      if (turn.state === 'unknown') return;
      const rank = (source: string): number => [...FACT_SOURCES, 'process'].map(String).indexOf(source);
      const known = facts.filter(({ source, value }) => source !== 'screen' && value !== 'unknown');
      for (const other of known) expect(rank(turn.source)).toBeLessThanOrEqual(rank(other.source));
    }),
  );
});
