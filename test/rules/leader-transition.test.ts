import fs from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Candidate, type Evidence, type Holder, type Intent, transition } from '../../src/leader/index.ts';

const CLAUDE: Candidate = {
  kind: 'conversation',
  incarnation: 'i_1',
  session: 'claude:s1',
  here: true,
  inside: true,
  twins: 0,
};
const CANDIDATES: Readonly<Record<string, Candidate>> = {
  'a conversation': CLAUDE,
  'with a twin': { ...CLAUDE, twins: 1 },
  'in another folder': { ...CLAUDE, inside: false },
  'of another user': { ...CLAUDE, here: false },
  'a plain shell': { kind: 'plain' },
  'an agent': { kind: 'worker' },
};
const held = (state: 'alive' | 'dead' | 'unknown', incarnation: string, session: string): Holder => ({
  state,
  incarnation,
  session,
});
const HOLDERS: Readonly<Record<string, Holder>> = {
  nobody: { state: 'vacant' },
  itself: held('alive', 'i_1', 'claude:s1'),
  'another, alive': held('alive', 'i_2', 'codex:s2'),
  'another, unknown': held('unknown', 'i_2', 'codex:s2'),
  'another, dead': held('dead', 'i_2', 'codex:s2'),
  'same session, alive': held('alive', 'i_2', 'claude:s1'),
  'same session, dead': held('dead', 'i_2', 'claude:s1'),
};
const INTENTS: readonly Intent[] = ['acquire', 'rebind', 'claim', 'takeover', 'attach', 'release'];
const CONFIRMED = [
  { intent: 'claim', confirmed: true },
  { intent: 'release', confirmed: true },
] as const;
const of = (candidate: Candidate, holder: Holder, confirmed = false, seenEpoch?: number): Evidence => ({
  candidate,
  holder,
  confirmed,
  seenEpoch,
});

test('D07 D08 the table of cases: who wants it, who holds it, and what comes of it', () => {
  const lines: string[] = [];
  for (const [who, candidate] of Object.entries(CANDIDATES)) {
    for (const [whom, holder] of Object.entries(HOLDERS)) {
      const wishes = [...INTENTS.map((intent) => ({ intent, confirmed: false })), ...CONFIRMED];
      const answers = wishes.map(({ intent, confirmed }) => {
        const decided = transition(intent, of(candidate, holder, confirmed), { epoch: 3 });
        return `${intent}${confirmed ? ' --confirm' : ''}: ${decided.decision} (${decided.reason})`;
      });
      lines.push(`${who}; held by ${whom}\n    ${answers.join('\n    ')}`);
    }
  }
  console.log(lines.join('\n'));
  expect(lines).toHaveLength(42);
  expect(lines.join('\n')).toMatchSnapshot();
});

test.each([
  [
    'D07 Z48 a dead holder is followed without a question',
    'claim',
    'another, dead',
    false,
    'bind',
    'previous_owner_dead',
  ],
  [
    'D07 Z49 a living holder is never stolen from',
    'claim',
    'another, alive',
    false,
    'refuse',
    'previous_owner_alive_refused',
  ],
  ['D07 Z49 unknown never steals', 'acquire', 'another, unknown', false, 'refuse', 'previous_owner_unknown_refused'],
  [
    'D07 a living holder is taken from by a confirmed claim',
    'claim',
    'another, alive',
    true,
    'bind',
    'takeover_confirmed',
  ],
  ['D08 Z54 and so it is by the other two names', 'takeover', 'another, alive', true, 'bind', 'takeover_confirmed'],
  ['D09 and so it is by the other two names', 'attach', 'another, alive', true, 'bind', 'takeover_confirmed'],
  ['D05 Z46 whoever starts a team leads it', 'acquire', 'nobody', false, 'bind', 'vacant_acquired'],
  [
    'D05 a start never takes the lead from anybody, whatever is confirmed',
    'acquire',
    'another, alive',
    true,
    'refuse',
    'previous_owner_alive_refused',
  ],
  [
    'D06 a living holder loses it to no release that nobody confirmed',
    'release',
    'itself',
    false,
    'refuse',
    'previous_owner_alive_refused',
  ],
  ['D06 given up is what somebody has and says so', 'release', 'itself', true, 'release', 'released'],
  ['D06 what another one has nobody gives up', 'release', 'another, alive', true, 'refuse', 'nobody_leads'],
  ['D07 asked twice is asked once', 'claim', 'itself', false, 'keep', 'already_bound'],
  [
    'D11 the same session in a second terminal is told that the first one leads',
    'claim',
    'same session, alive',
    false,
    'refuse',
    'owner_epoch_advanced',
  ],
  [
    'D11 the same session in a new process leads on',
    'rebind',
    'same session, dead',
    false,
    'rebind',
    'same_session_rebound',
  ],
  [
    'D11 another session never leads on by itself',
    'rebind',
    'another, dead',
    false,
    'refuse',
    'previous_owner_alive_refused',
  ],
] as const)('%s', (_, intent, holder, confirmed, decision, reason) => {
  const found = HOLDERS[holder] ?? expect.unreachable();
  expect(transition(intent, of(CLAUDE, found, confirmed), { epoch: 3 })).toEqual({ decision, reason });
});

test('D11 the session of a leader that was attached from another folder leads on there; nothing else does', () => {
  const elsewhere = CANDIDATES['in another folder'] ?? expect.unreachable();
  const same = HOLDERS['same session, dead'] ?? expect.unreachable();
  const other = HOLDERS['another, dead'] ?? expect.unreachable();
  expect(transition('rebind', of(elsewhere, same), { epoch: 3 }).decision).toBe('rebind');
  expect(transition('rebind', of(elsewhere, other), { epoch: 3 }).decision).toBe('refuse');
  expect(transition('claim', of(elsewhere, same), { epoch: 3 })).toMatchObject({ reason: 'caller_cwd_mismatch' });
});

test('D07 Z50 whoever decided on an older epoch decides again', () => {
  const dead = HOLDERS['another, dead'] ?? expect.unreachable();
  expect(transition('claim', of(CLAUDE, dead, false, 2), { epoch: 3 })).toEqual({
    decision: 'refuse',
    reason: 'owner_epoch_advanced',
  });
  expect(transition('claim', of(CLAUDE, dead, false, 3), { epoch: 3 }).decision).toBe('bind');
});

test('D11 Z51 two live conversations on one session: nobody is bound silently, the first that is confirmed wins', () => {
  const twin = CANDIDATES['with a twin'] ?? expect.unreachable();
  const dead = HOLDERS['same session, dead'] ?? expect.unreachable();
  for (const intent of ['acquire', 'rebind', 'claim', 'takeover', 'attach'] as const) {
    expect(transition(intent, of(twin, dead), { epoch: 3 })).toMatchObject({ reason: 'ambiguous_candidates' });
  }
  expect(transition('claim', of(twin, dead, true), { epoch: 3 }).decision).toBe('bind');
  const first = HOLDERS['same session, alive'] ?? expect.unreachable();
  expect(transition('claim', of(twin, first, true), { epoch: 4 })).toMatchObject({ reason: 'owner_epoch_advanced' });
  expect(transition('takeover', of(twin, first, true), { epoch: 4 }).decision).toBe('bind');
  // While one of them leads, that is what the others hear, not that none does.
  for (const intent of ['acquire', 'claim'] as const)
    expect(transition(intent, of(twin, first), { epoch: 4 })).toMatchObject({ reason: 'owner_epoch_advanced' });
  for (const intent of ['takeover', 'attach'] as const)
    expect(transition(intent, of(twin, first), { epoch: 4 })).toMatchObject({ reason: 'previous_owner_alive_refused' });
});

const candidates = fc.oneof(
  fc.constant<Candidate>({ kind: 'worker' }),
  fc.constant<Candidate>({ kind: 'plain' }),
  fc.record({
    kind: fc.constant('conversation' as const),
    incarnation: fc.constantFrom('i_1', 'i_2', 'i_3'),
    session: fc.constantFrom('s1', 's2'),
    here: fc.boolean(),
    inside: fc.boolean(),
    twins: fc.nat({ max: 2 }),
  }),
);
const holders = fc.oneof(
  fc.constant<Holder>({ state: 'vacant' }),
  fc.record({
    state: fc.constantFrom('alive' as const, 'dead' as const, 'unknown' as const),
    incarnation: fc.constantFrom('i_1', 'i_2', 'i_3'),
    session: fc.constantFrom('s1', 's2'),
  }),
);

test('D07 Z52 Z59 whatever the evidence: agents, shells and strangers never lead, and nobody who may live loses the lead unasked', () => {
  const all = fc.record({
    candidate: candidates,
    holder: holders,
    confirmed: fc.boolean(),
    seenEpoch: fc.option(fc.nat({ max: 4 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.constantFrom(...INTENTS), all, (intent, evidence) => {
      const decided = transition(intent, evidence, { epoch: 3 });
      const { candidate, holder, confirmed } = evidence;
      if (decided.decision === 'release' && holder.state !== 'dead') expect(confirmed).toBe(true);
      const changes = decided.decision === 'bind' || decided.decision === 'rebind';
      if (!changes) return;
      expect(candidate.kind).toBe('conversation');
      if (candidate.kind === 'conversation') expect(candidate.here).toBe(true);
      if (holder.state !== 'vacant' && holder.state !== 'dead') {
        expect(confirmed).toBe(true);
        expect(['claim', 'takeover', 'attach']).toContain(intent);
      }
      if (decided.decision === 'rebind')
        expect(holder).toMatchObject({
          state: 'dead',
          session: candidate.kind === 'conversation' && candidate.session,
        });
    }),
    { numRuns: 2_000 },
  );
});

test('the decision stays small enough to be read at once', () => {
  const file = new URL('../../src/leader/transition.ts', import.meta.url);
  expect(fs.readFileSync(file, 'utf8').split('\n').length).toBeLessThan(300);
});
