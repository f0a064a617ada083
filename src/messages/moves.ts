import { type Clock, type DeliveryId, firstLine, LEADER, type Mint, type Reach, type TeamId } from '../kernel/index.ts';
import {
  type Change,
  closeOffer,
  deleteOffer,
  firstInLine,
  generationOf,
  insertOffer,
  type Ledger,
  leaseOf,
  markInteracted,
  type OfferRow,
  type QueuedRow,
} from '../ledger/index.ts';
import type { ChannelName, Hold, Offer, Receipt } from '../providers/index.ts';
import type { DeadReason } from './delivery.ts';
import { move } from './move.ts';
import { storeNotice, whoToTell } from './send.ts';

/** What the moves of a team's deliveries work with. */
export interface Desk {
  readonly ledger: Ledger;
  readonly team: TeamId;
  readonly mint: Mint;
  readonly clock: Clock;
  readonly reach: Reach;
}

const ACTOR = 'coordinator';

/** A delivery on its way, with the terms of its offer. */
export interface Submitted {
  readonly offer: Offer;
  readonly delivery: QueuedRow;
}

/**
 * Commits the offers of one hand-over before its first byte leaves: the first delivery is handed over, the others ride on
 * it. What does not stand first in the line any more stays out; and all of it when another conversation leads by now.
 */
export async function submit(
  desk: Desk,
  deliveries: readonly QueuedRow[],
  to: { channel: ChannelName; incarnation: Offer['incarnation']; position: number },
): Promise<readonly Submitted[]> {
  await desk.reach('offer.before_commit');
  const submitted = await desk.ledger.change(desk.team, ACTOR, async (change) => {
    const done: Submitted[] = [];
    if (deliveries[0]?.recipient === LEADER && (await leaseOf(change.tx, desk.team))?.receiver !== to.incarnation)
      return done;
    const first = await firstInLine(change.tx, desk.team, deliveries[0]?.recipient ?? '', deliveries.length);
    for (const [index, delivery] of deliveries.entries()) {
      // Something that goes before it may have come into the line since the line was read.
      if (first[index] !== delivery.delivery_id) break;
      const offer: Offer = { delivery: delivery.delivery_id as DeliveryId, number: delivery.attempts + 1, ...to };
      const rides_on = done[0]?.offer.delivery ?? null;
      if (await offerOne(change, delivery, offer, rides_on)) done.push({ offer, delivery });
    }
    return done;
  });
  await desk.reach('offer.committed');
  return submitted;
}

async function offerOne(
  change: Change,
  { recipient }: QueuedRow,
  offer: Offer,
  rides_on: DeliveryId | null,
): Promise<boolean> {
  const facts = { attempts: offer.number, channel: offer.channel, submitted_at: change.now, reason: null };
  const told = { number: offer.number, incarnation: offer.incarnation, ...(rides_on ? { rides_on } : {}) };
  if (!(await move(change, offer.delivery, 'submitted', facts, told))) return false;
  const { delivery: delivery_id, ...terms } = offer;
  await insertOffer(change, { ...terms, delivery_id, recipient, rides_on });
  return true;
}

/** The recipient's own record holds it. Also for a receipt that came late, whatever was thought meanwhile. */
export async function consume(desk: Desk, offer: OfferRow, receipt: Receipt): Promise<void> {
  await desk.reach('receipt.before_commit');
  await desk.ledger.change(desk.team, ACTOR, async (change) => {
    const facts = {
      consumed_at: change.now,
      consumed_by: offer.incarnation,
      receipt: JSON.stringify(receipt),
      reason: null,
    };
    await move(change, offer.delivery_id as DeliveryId, 'consumed', facts, { receipt: receipt.source });
    await closeOffer(change, offer, 'taken', receipt.source);
    await markInteracted(change, offer);
  });
  await desk.reach('receipt.committed');
}

/** Proof that the recipient does not have it: back into the line. */
export async function requeue(desk: Desk, offer: OfferRow, evidence: string): Promise<void> {
  await desk.reach('requeue.before_commit');
  await desk.ledger.change(desk.team, ACTOR, async (change) => {
    await move(change, offer.delivery_id as DeliveryId, 'queued', { submitted_at: null }, { evidence });
    await closeOffer(change, offer, 'not_taken', evidence);
  });
  await desk.reach('requeue.committed');
}

/** Nothing was begun: back into the line, as if it had not been offered. Its events tell that it was, and why it went back. */
export async function withdraw(desk: Desk, offer: OfferRow, { hold, evidence }: Hold): Promise<void> {
  await desk.reach('requeue.before_commit');
  await desk.ledger.change(desk.team, ACTOR, async (change) => {
    const facts = { submitted_at: null, attempts: offer.number - 1 };
    await move(change, offer.delivery_id as DeliveryId, 'queued', facts, { hold, evidence });
    await deleteOffer(change, offer);
  });
  await desk.reach('requeue.committed');
}

/** It will not be offered again; whoever sent it is told so once, in the same transaction. */
export async function bury(
  desk: Desk,
  delivery: QueuedRow,
  offer: OfferRow | undefined,
  reason: DeadReason,
  evidence: string,
): Promise<void> {
  await desk.ledger.change(desk.team, ACTOR, async (change) => {
    // Whatever became of the delivery meanwhile (a person may have read it), its offer is over.
    if (offer) await closeOffer(change, offer, reason === 'unproved' ? 'unproved' : 'not_taken', evidence);
    await die(change, desk.mint, delivery, reason, evidence);
  });
}

/** The end of a delivery, and the word to its sender: to the leader when that one is in the team no more. */
export async function die(
  change: Change,
  mint: Mint,
  delivery: QueuedRow,
  reason: DeadReason,
  evidence: string,
): Promise<void> {
  if (!(await move(change, delivery.delivery_id as DeliveryId, 'dead', { reason }, { reason, evidence }))) return;
  const sender = whoToTell(delivery.sender);
  if (!sender) return;
  const generation = await generationOf(change.tx, change.team, sender);
  await storeNotice(change, mint, {
    key: `dead:${delivery.delivery_id}`,
    to: generation === undefined ? LEADER : sender,
    generation,
    body: `Your message ${delivery.message_id} to ${delivery.recipient} ("${firstLine(delivery.body, 60)}") ${MEANING[reason]}: ${evidence}.`,
    task_id: delivery.task_id ?? undefined,
  });
}

const MEANING: Readonly<Record<DeadReason, string>> = {
  unproved: 'may have been read, but there is no proof of it',
  attempts_exhausted: 'could not be handed over',
  expired: 'was not read in time',
  recipient_removed: 'has nobody to read it any more',
};

/** A person read it in the mailbox. */
export async function takeByPerson(change: Change, delivery: DeliveryId): Promise<boolean> {
  const receipt: Receipt = { source: 'person' };
  const facts = {
    consumed_at: change.now,
    consumed_by: null,
    receipt: JSON.stringify(receipt),
    reason: null,
    channel: 'mailbox',
  };
  return move(change, delivery, 'consumed', facts, { receipt: 'person' });
}

/** Its sender took it back, before it was offered: what may have been read cannot be taken back. */
export function cancel(change: Change, delivery: DeliveryId, by: string): Promise<boolean> {
  return move(change, delivery, 'cancelled', { reason: null }, { by });
}

/** What it asked for came back. */
export function answer(change: Change, delivery: DeliveryId, by: Readonly<Record<string, unknown>>): Promise<boolean> {
  return move(change, delivery, 'answered', {}, by);
}
