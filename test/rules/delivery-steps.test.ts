import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LineFacts, nextStep, OFFER_BUDGET } from '../../src/messages/index.ts';
import type { Settlement } from '../../src/providers/index.ts';

const NOW = 1_000_000;
const READY = { ready: 'protocol' } as const;
const HELD = { hold: 'dialog_open', evidence: 'a dialog is open' } as const;
const TAKEN: Settlement = { outcome: 'taken', receipt: { source: 'record' } };
const NOT_TAKEN: Settlement = { outcome: 'not_taken', evidence: 'refused' };
const WITHHELD = { outcome: 'withheld', hold: HELD } as const;
const UNKNOWN: Settlement = { outcome: 'unknown', awaited: 'its record showed it' };

type OpenOffer = NonNullable<LineFacts['open']>;
const open = (settlement: OpenOffer['settlement'], more: Partial<OpenOffer> = {}): LineFacts => ({
  now: NOW,
  recipient: READY,
  open: { attempts: 1, expires_at: null, incarnationEnded: false, settlement, ...more },
});
const head = (recipient: LineFacts['recipient'], expires_at: number | null = null): LineFacts => ({
  now: NOW,
  recipient,
  head: { expires_at },
});

const former = (recipient: LineFacts['recipient']): LineFacts => ({
  now: NOW,
  recipient,
  head: { expires_at: null, former: true },
});

const TABLE: readonly [string, LineFacts, object][] = [
  ['an empty line rests', { now: NOW, recipient: READY }, { step: 'rest', why: 'empty' }],
  ['the head goes to a recipient that is ready', head(READY), { step: 'offer', channel: 'protocol' }],
  ['the head goes by the channel that is ready', head({ ready: 'paste' }), { step: 'offer', channel: 'paste' }],
  ['a recipient that takes nothing is waited for', head(HELD), { step: 'rest', why: 'dialog_open' }],
  ['while it is waited for, the time runs', head(HELD, NOW + 5), { step: 'rest', why: 'dialog_open', until: NOW + 5 }],
  ['a head whose time is up is not offered', head(READY, NOW), { step: 'bury', reason: 'expired' }],
  ['a head that still has time is', head(READY, NOW + 1), { step: 'offer', channel: 'protocol' }],
  ['what was for another of that name is not', former(READY), { step: 'bury', reason: 'recipient_removed' }],
  ['nor waited for', former(HELD), { step: 'bury', reason: 'recipient_removed' }],
  ['what the record holds is consumed', open(TAKEN), { step: 'consume' }],
  ['also when its time is up', open(TAKEN, { expires_at: NOW - 1 }), { step: 'consume' }],
  ['also when its life has ended', open(TAKEN, { incarnationEnded: true }), { step: 'consume' }],
  ['what was proved not taken goes back', open(NOT_TAKEN), { step: 'requeue', evidence: 'refused' }],
  ['twice', open(NOT_TAKEN, { attempts: 2 }), { step: 'requeue' }],
  ['not three times', open(NOT_TAKEN, { attempts: 3 }), { step: 'bury', reason: 'attempts_exhausted' }],
  ['what was never begun is no attempt', open(WITHHELD, { attempts: 9 }), { step: 'withdraw', hold: HELD }],
  ['what nobody knows is waited for', open(UNKNOWN), { step: 'rest', why: 'unsettled' }],
  ['until its time is up', open(UNKNOWN, { expires_at: NOW + 9 }), { step: 'rest', why: 'unsettled', until: NOW + 9 }],
  ['then nobody will know', open(UNKNOWN, { expires_at: NOW }), { step: 'bury', reason: 'unproved' }],
  ['nor after the end of its life', open(UNKNOWN, { incarnationEnded: true }), { step: 'bury', reason: 'unproved' }],
];

describe('M01 M05 the next step of a line', () => {
  test.each(TABLE)('%s', (_, facts, step) => {
    expect(nextStep(facts)).toMatchObject(step);
  });
});

const time = fc.integer({ min: 0, max: 2_000_000 });
const expires = fc.option(time, { nil: null });
const settlement: fc.Arbitrary<OpenOffer['settlement']> = fc.constantFrom(TAKEN, NOT_TAKEN, WITHHELD, UNKNOWN);
const anyOpen = fc.record({
  attempts: fc.integer({ min: 1, max: OFFER_BUDGET + 1 }),
  expires_at: expires,
  incarnationEnded: fc.boolean(),
  settlement,
});
const recipient: fc.Arbitrary<LineFacts['recipient']> = fc.constantFrom(READY, HELD);
const facts: fc.Arbitrary<LineFacts> = fc
  .record({ now: time, recipient, open: fc.option(anyOpen), head: fc.option(fc.record({ expires_at: expires })) })
  .map(({ now, recipient, open, head }) => ({ now, recipient, ...(open ? { open } : {}), ...(head ? { head } : {}) }));

test('E22 M01 nothing is offered while an offer is open, whatever else is the case', () => {
  fc.assert(
    fc.property(facts, (facts) => {
      if (nextStep(facts).step === 'offer') expect(facts.open).toBeUndefined();
    }),
  );
});

test('M01 only proof puts a delivery back into the line: time alone never does', () => {
  fc.assert(
    fc.property(anyOpen, recipient, time, time, (open, recipient, now, later) => {
      const asked = { ...open, settlement: UNKNOWN };
      for (const moment of [now, now + later, Number.MAX_SAFE_INTEGER]) {
        expect(nextStep({ now: moment, recipient, open: asked }).step).not.toBe('requeue');
      }
      const { step } = nextStep({ now, recipient, open });
      if (step === 'requeue') expect(open.settlement.outcome).toBe('not_taken');
      if (step === 'withdraw') expect(open.settlement.outcome).toBe('withheld');
    }),
  );
});

test('M01 M05 only a receipt consumes, a receipt always does, and nothing without proof or an end is buried', () => {
  fc.assert(
    fc.property(facts, (facts) => {
      const step = nextStep(facts);
      if (facts.open) expect(step.step === 'consume').toBe(facts.open.settlement.outcome === 'taken');
      if (step.step !== 'bury') return;
      const subject = facts.open ?? facts.head;
      const timeIsUp = subject?.expires_at != null && subject.expires_at <= facts.now;
      const proved = facts.open?.settlement.outcome === 'not_taken' && facts.open.attempts >= OFFER_BUDGET;
      expect(timeIsUp || proved || facts.open?.incarnationEnded).toBe(true);
    }),
  );
});

test('a line that rests has nothing to do, waits for an event, or knows when to look again', () => {
  fc.assert(
    fc.property(facts, (facts) => {
      const step = nextStep(facts);
      if (step.step !== 'rest') return;
      if (step.until !== undefined) expect(step.until).toBeGreaterThan(facts.now);
      const subject = facts.open ?? facts.head;
      expect(step.until).toBe(subject?.expires_at ?? undefined);
    }),
  );
});
