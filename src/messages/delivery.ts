import type { RecipientHold } from '../agents/index.ts';
import type { ChannelName, Hold, Settlement } from '../providers/index.ts';

/*
 * One message to one recipient is a delivery. Its states:
 *
 *   stored      the row exists; nobody has decided yet whether it may go
 *   queued      it stands in its recipient's line
 *   held        it waits for something of its own (see holds.ts) and takes no place in the line
 *   submitted   committed before the first byte left: the recipient may have it
 *   consumed    the recipient's own record holds it
 *   answered    the reply or the result that it asked for came back
 *   dead        it will not be offered again, and its sender was told why
 *   cancelled   its sender took it back before it was offered
 *
 * What keeps a whole recipient from taking anything (stopped, a dialog open, a draft in the composer) is no state of a
 * delivery: it is seen, not stored, and the line asks again when it changes. When it comes between that question and the
 * first byte, the offer is withdrawn as if it had not been made.
 *
 * Only proof leads back from `submitted`: `not_taken` puts it into the line again. `unknown` stays until proof comes, the
 * incarnation ends or the message expires; then it is `dead(unproved)`, and a receipt that comes late still counts.
 */
export type DeliveryState = 'stored' | 'queued' | 'held' | 'submitted' | 'consumed' | 'answered' | 'dead' | 'cancelled';

export const ARROWS: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  stored: ['queued', 'held', 'dead', 'cancelled'],
  queued: ['submitted', 'held', 'consumed', 'dead', 'cancelled'],
  held: ['queued', 'consumed', 'dead', 'cancelled'],
  submitted: ['consumed', 'queued', 'dead'],
  consumed: ['answered'],
  answered: [],
  dead: ['consumed'],
  cancelled: [],
};

/** The states that lead to `to` by one arrow. */
export function statesBefore(to: DeliveryState): DeliveryState[] {
  return STATES.filter((from) => ARROWS[from].includes(to));
}

const STATES: readonly DeliveryState[] = [
  'stored',
  'queued',
  'held',
  'submitted',
  'consumed',
  'answered',
  'dead',
  'cancelled',
];

/** Offers that may be proved not taken before the sender is told that it does not work. */
export const OFFER_BUDGET = 3;

export type DeadReason = 'unproved' | 'attempts_exhausted' | 'expired' | 'recipient_removed';

/** What is known of a recipient that was removed. */
export const REMOVED = 'who bore that name was removed from the team';

/** The channel began nothing, because what holds its recipient came after the offer was committed. */
export interface Withheld {
  readonly outcome: 'withheld';
  readonly hold: Hold;
}

/** What a line knows when it decides. Everything in it was looked up a moment ago. */
export interface LineFacts {
  /** UTC ms. */
  readonly now: number;
  /** The offer that is not settled, and what its channel says of it. */
  readonly open?: {
    readonly attempts: number;
    readonly expires_at: number | null;
    readonly incarnationEnded: boolean;
    readonly settlement: Settlement | Withheld;
  };
  /** The first delivery that may go. */
  readonly head?: {
    readonly expires_at: number | null;
    /** It was sent to somebody else who bore this name and was removed. */
    readonly former?: true;
  };
  readonly recipient: { readonly ready: ChannelName } | { readonly hold: RecipientHold; readonly evidence: string };
}

export type LineStep =
  | { readonly step: 'consume'; readonly settlement: Extract<Settlement, { outcome: 'taken' }> }
  | { readonly step: 'requeue'; readonly evidence: string }
  | { readonly step: 'withdraw'; readonly hold: Hold }
  | { readonly step: 'bury'; readonly reason: DeadReason; readonly evidence: string }
  | { readonly step: 'offer'; readonly channel: ChannelName }
  /** Nothing to do until something changes; `until` (UTC ms) when a clock can change it. */
  | { readonly step: 'rest'; readonly why: 'empty' | 'unsettled' | RecipientHold; readonly until?: number };

/** The one decision of a recipient's line. */
export function nextStep(facts: LineFacts): LineStep {
  if (facts.open) return settleStep(facts.open, facts.now);
  if (!facts.head) return { step: 'rest', why: 'empty' };
  const { expires_at, former } = facts.head;
  if (former) return { step: 'bury', reason: 'recipient_removed', evidence: REMOVED };
  if (expires_at !== null && expires_at <= facts.now) {
    return { step: 'bury', reason: 'expired', evidence: 'it was not offered before its time was up' };
  }
  if ('ready' in facts.recipient) return { step: 'offer', channel: facts.recipient.ready };
  return { step: 'rest', why: facts.recipient.hold, ...(expires_at === null ? {} : { until: expires_at }) };
}

function settleStep(open: NonNullable<LineFacts['open']>, now: number): LineStep {
  const { settlement } = open;
  switch (settlement.outcome) {
    case 'taken':
      return { step: 'consume', settlement };
    case 'not_taken':
      return open.attempts < OFFER_BUDGET
        ? { step: 'requeue', evidence: settlement.evidence }
        : { step: 'bury', reason: 'attempts_exhausted', evidence: settlement.evidence };
    case 'withheld':
      return { step: 'withdraw', hold: settlement.hold };
    case 'unknown':
      if (open.incarnationEnded)
        return { step: 'bury', reason: 'unproved', evidence: `the agent ended before ${settlement.awaited}` };
      if (open.expires_at !== null && open.expires_at <= now) {
        return { step: 'bury', reason: 'unproved', evidence: `its time was up before ${settlement.awaited}` };
      }
      return { step: 'rest', why: 'unsettled', ...(open.expires_at === null ? {} : { until: open.expires_at }) };
    default:
      return settlement satisfies never;
  }
}
