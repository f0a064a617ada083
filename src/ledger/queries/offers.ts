import { type Selectable, sql } from 'kysely';
import type { AgentId, TeamId } from '../../kernel/index.ts';
import type { Change } from '../ledger.ts';
import type { OffersTable } from '../schema.ts';
import { isUnproved, type Reading } from './messages.ts';

export type OfferRow = Selectable<OffersTable>;

export function insertOffer(
  change: Change,
  row: Omit<OfferRow, 'team' | 'opened_at' | 'settled_at' | 'outcome' | 'evidence'>,
): Promise<unknown> {
  return change.tx
    .insertInto('offers')
    .values({ ...row, team: change.team, opened_at: change.now, settled_at: null, outcome: null, evidence: null })
    .execute();
}

/** The first offer to this recipient that is not settled: one, and after it those that rode on it. */
export function openOffer(db: Reading, team: TeamId, recipient: AgentId): Promise<OfferRow | undefined> {
  return db
    .selectFrom('offers')
    .innerJoin('deliveries', 'deliveries.delivery_id', 'offers.delivery_id')
    .selectAll('offers')
    .where('offers.team', '=', team)
    .where('offers.recipient', '=', recipient)
    .where('settled_at', 'is', null)
    .orderBy('deliveries.seq')
    .limit(sql.lit(1))
    .executeTakeFirst();
}

export function closeOffer(
  change: Change,
  offer: OfferRow,
  outcome: NonNullable<OfferRow['outcome']>,
  evidence: string,
): Promise<unknown> {
  return change.tx
    .updateTable('offers')
    .set({ settled_at: change.now, outcome, evidence })
    .where('delivery_id', '=', offer.delivery_id)
    .where('number', '=', offer.number)
    .execute();
}

export function deleteOffer(change: Change, offer: OfferRow): Promise<unknown> {
  return change.tx
    .deleteFrom('offers')
    .where('delivery_id', '=', offer.delivery_id)
    .where('number', '=', offer.number)
    .execute();
}

/** Offers to a recipient whose deliveries ended `dead(unproved)`: a late receipt still counts. */
export function unprovedOffers(db: Reading, team: TeamId, recipient: AgentId): Promise<OfferRow[]> {
  return db
    .selectFrom('offers')
    .innerJoin('deliveries', 'deliveries.delivery_id', 'offers.delivery_id')
    .selectAll('offers')
    .where('deliveries.team', '=', team)
    .where('deliveries.recipient', '=', recipient)
    .where(isUnproved)
    .where('offers.outcome', '=', 'unproved')
    .execute();
}
