import type { Available, Recipient, RecipientHold } from '../agents/index.ts';
import type { DeliveryId, IncarnationId } from '../kernel/index.ts';
import {
  findDelivery,
  headOfLine,
  LedgerUnwritable,
  nextToExpire,
  type OfferRow,
  openOffer,
  type QueuedRow,
  unprovedOffers,
} from '../ledger/index.ts';
import type { ChannelName, Handed, Offer, Settlement } from '../providers/index.ts';
import { type LineFacts, type LineStep, nextStep, type Withheld } from './delivery.ts';
import { bury, consume, type Desk, requeue, submit, withdraw } from './moves.ts';
import { buryFormer } from './removal.ts';
import { INLINE_LIMIT, render } from './rendering.ts';

/** How long a line that could not write waits before it tries again, ms: a full disk is not mended in less. */
const UNWRITABLE_PAUSE = 1_000;

/** The same after any other failure, ms: no message may wait for ever because something went wrong once. */
const FAILURE_PAUSE = 30_000;

/** The longest sleep before another look, ms: Node's timers fire at once when they are set for more than 2^31 - 1. */
const LONGEST_SLEEP = 24 * 3_600_000;

/** What a channel said no to at once. */
interface Refusal {
  readonly deliveries: readonly DeliveryId[];
  readonly settlement: Settlement | Withheld;
}

/** A rest with what was seen: the proof that is awaited, or what holds the recipient. */
export type Resting = Extract<LineStep, { step: 'rest' }> & {
  readonly evidence?: string;
  /** The recipient said that it has what was offered; its record is about to say so too. */
  readonly imminent?: true;
};

/**
 * A recipient's line: it settles the open offer, then offers what comes next, one at a time, until there is nothing to do.
 * `wake` it whenever something may have changed; a wake during work makes it look once more.
 */
export class Line {
  readonly #desk: Desk;
  readonly #recipient: Recipient;
  readonly #report: (error: unknown) => void;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #cancelTimer: (() => void) | undefined;
  #lastRest: Resting | undefined;
  #mayHaveUnproved = true;
  /** When the time of the next delivery in the line is up, UTC ms. */
  #nextExpiry: number | undefined;
  /** What the channel refused at once, until the next offer. */
  #refusal: Refusal | undefined;

  constructor(desk: Desk, recipient: Recipient, report: (error: unknown) => void) {
    this.#desk = desk;
    this.#recipient = recipient;
    this.#report = report;
  }

  /** Why the line rests, as of its last look, and what would end that. */
  resting(): Resting | undefined {
    return this.#lastRest;
  }

  wake(): void {
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#again) this.wake();
    });
  }

  /** Offers nothing more. What is being handed over is handed over to its end: cut off, it could never be proved. */
  stop(): void {
    this.#stopped = true;
  }

  /** Resolves once the line rests. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    this.#cancelTimer?.();
    try {
      while (this.#again) {
        this.#again = false;
        await this.#lateReceipts();
        await this.#expire();
        while (await this.#advance());
      }
    } catch (error) {
      this.#report(error);
      this.#wakeAfter(error instanceof LedgerUnwritable ? UNWRITABLE_PAUSE : FAILURE_PAUSE);
    }
  }

  /** One decision and its effect; false when the line rests. */
  async #advance(): Promise<boolean> {
    const { ledger, team, clock } = this.#desk;
    const open = await openOffer(ledger.db, team, this.#recipient.id);
    const queued = open
      ? [await findDelivery(ledger.db, open.delivery_id as DeliveryId)]
      : await headOfLine(ledger.db, team, this.#recipient.id, this.#recipient.together);
    const [delivery] = queued;
    if (!delivery) return this.#rest({ step: 'rest', why: 'empty' });
    const availability = open ? undefined : await this.#recipient.availability(isUrgent(delivery));
    const facts: LineFacts = {
      now: clock.now(),
      ...(open ? { open: await this.#openFacts(open, delivery) } : { head: this.#headFacts(delivery) }),
      recipient: !availability
        ? { hold: 'channel_down', evidence: 'an offer is open' }
        : 'channel' in availability
          ? { ready: availability.channel.name }
          : availability,
    };
    const step = nextStep(facts);
    switch (step.step) {
      case 'consume':
        if (open) await consume(this.#desk, open, step.settlement.receipt);
        return true;
      case 'requeue':
        if (open) await requeue(this.#desk, open, step.evidence);
        return this.#afterRefusal('channel_down');
      case 'withdraw':
        if (open) await withdraw(this.#desk, open, step.hold);
        return this.#afterRefusal(step.hold.hold);
      case 'bury':
        if (step.reason === 'recipient_removed') await buryFormer(this.#desk, delivery);
        else await bury(this.#desk, delivery, open, step.reason, step.evidence);
        this.#mayHaveUnproved ||= step.reason === 'unproved';
        return true;
      case 'offer':
        if (this.#stopped) return false;
        if (availability && 'channel' in availability) return this.#offer(queued, availability);
        return true;
      case 'rest':
        return this.#rest(step, evidenceOf(facts), isImminent(facts));
      default:
        return step satisfies never;
    }
  }

  /**
   * A channel that refuses a moment after it said yes has changed, and that change will wake us. Until then all that went
   * along is back in the line, too.
   */
  async #afterRefusal(why: RecipientHold): Promise<boolean> {
    const { ledger, team } = this.#desk;
    if (!this.#refusal || (await openOffer(ledger.db, team, this.#recipient.id))) return true;
    return this.#rest({ step: 'rest', why });
  }

  #headFacts({ expires_at, generation }: QueuedRow): NonNullable<LineFacts['head']> {
    return { expires_at, ...(generation === this.#recipient.generation ? {} : { former: true }) };
  }

  async #openFacts(open: OfferRow, delivery: QueuedRow): Promise<NonNullable<LineFacts['open']>> {
    const offer = offerOf(open);
    const refusal = this.#refusal?.deliveries.includes(offer.delivery) ? this.#refusal : undefined;
    return {
      attempts: delivery.attempts,
      expires_at: delivery.expires_at,
      incarnationEnded: this.#recipient.liveness(offer.incarnation) === 'dead',
      settlement: refusal?.settlement ?? (await this.#recipient.settle(offer)),
    };
  }

  #rest(step: Extract<LineStep, { step: 'rest' }>, evidence?: string, imminent = false): false {
    this.#lastRest = {
      ...step,
      ...(evidence === undefined ? {} : { evidence }),
      ...(imminent ? { imminent: true } : {}),
    };
    this.#cancelTimer?.();
    const until = Math.min(step.until ?? Number.POSITIVE_INFINITY, this.#nextExpiry ?? Number.POSITIVE_INFINITY);
    if (Number.isFinite(until)) this.#wakeAfter(until - this.#desk.clock.now());
    return false;
  }

  #wakeAfter(delay: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#desk.clock.after(Math.min(Math.max(0, delay), LONGEST_SLEEP), () => this.wake());
  }

  /**
   * Hands over what stands first in the line, with all that may go along. What the channel refused at once is settled by
   * the next decision, the rest by the record.
   */
  async #offer(
    queued: readonly (QueuedRow | undefined)[],
    { channel, incarnation, position }: Available,
  ): Promise<true> {
    this.#refusal = undefined;
    const going = goTogether(queued, channel.name, this.#desk.clock.now());
    const terms = { channel: channel.name, incarnation, position: position() };
    const submitted = await submit(this.#desk, going, terms);
    const [first] = submitted;
    if (!first) return true;
    const rendered = submitted.map(({ offer, delivery }) =>
      render(delivery, offer.delivery, this.#desk.mint.nonce(), channel.alters),
    );
    const offer: Offer = isUrgent(first.delivery) ? { ...first.offer, urgent: true } : first.offer;
    const handed = await channel.hand(offer, rendered.join('\n\n'), first.delivery.sender);
    await this.#desk.reach('offer.written');
    const settlement = refusedAtOnce(handed);
    if (settlement) this.#refusal = { deliveries: submitted.map(({ offer }) => offer.delivery), settlement };
    return true;
  }

  /** What waits behind the head, or behind an open offer, does not outlive its time either: its sender hears of it then. */
  async #expire(): Promise<void> {
    const { ledger, team, clock } = this.#desk;
    for (;;) {
      const next = await nextToExpire(ledger.db, team, this.#recipient.id);
      this.#nextExpiry = next?.expires_at ?? undefined;
      if (!next) return;
      const waiting = { hold: 'channel_down', evidence: 'it is asked about its time alone' } as const;
      const step = nextStep({ now: clock.now(), head: next, recipient: waiting });
      if (step.step !== 'bury') return;
      await bury(this.#desk, next, undefined, step.reason, step.evidence);
    }
  }

  /** Receipts that came after the verdict `unproved`: rare, so they are looked for only while there is such a verdict. */
  async #lateReceipts(): Promise<void> {
    if (!this.#mayHaveUnproved) return;
    const offers = await unprovedOffers(this.#desk.ledger.db, this.#desk.team, this.#recipient.id);
    this.#mayHaveUnproved = offers.length > 0;
    for (const offer of offers) {
      const settlement = await this.#recipient.settle(offerOf(offer));
      if (settlement.outcome === 'taken') await consume(this.#desk, offer, settlement.receipt);
    }
  }
}

/**
 * Those at the head of a line that go in one hand-over: as many as fit into one message, none whose time is up. A paste
 * carries one alone, because its receipt is one line of input; what is urgent goes alone, because the others are not.
 */
function goTogether(queued: readonly (QueuedRow | undefined)[], channel: ChannelName, now: number): QueuedRow[] {
  const going: QueuedRow[] = [];
  let bytes = 0;
  for (const delivery of queued) {
    if (!delivery) break;
    bytes += Buffer.byteLength(delivery.body);
    const expired = delivery.expires_at !== null && delivery.expires_at <= now;
    const former = delivery.generation !== queued[0]?.generation;
    if (going.length > 0 && (channel === 'paste' || bytes > INLINE_LIMIT || expired || former)) break;
    going.push(delivery);
    if (isUrgent(delivery)) break;
  }
  return going;
}

const isUrgent = ({ urgent }: Pick<QueuedRow, 'urgent'>): boolean => urgent !== 0;

function refusedAtOnce(handed: Handed): Refusal['settlement'] | undefined {
  if (handed.handed === 'held') return { outcome: 'withheld', hold: handed.hold };
  return handed.handed === 'not_taken' ? { outcome: 'not_taken', evidence: handed.evidence } : undefined;
}

function isImminent({ open }: LineFacts): boolean {
  return open?.settlement.outcome === 'unknown' && open.settlement.imminent === true;
}

function evidenceOf({ open, recipient }: LineFacts): string | undefined {
  if (open) return open.settlement.outcome === 'unknown' ? open.settlement.awaited : undefined;
  return 'hold' in recipient ? recipient.evidence : undefined;
}

function offerOf(row: OfferRow): Offer {
  return {
    delivery: row.delivery_id as DeliveryId,
    number: row.number,
    channel: row.channel,
    incarnation: row.incarnation as IncarnationId,
    position: row.position,
  };
}
