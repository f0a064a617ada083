import type { Insertable, Selectable } from 'kysely';
import type { IncarnationId, TeamId } from '../../kernel/index.ts';
import type { Change } from '../ledger.ts';
import type { LeadersTable, LeasesTable } from '../schema.ts';
import type { Reading } from './messages.ts';

export type LeaseRow = Selectable<LeasesTable>;
export type LeaderRow = Selectable<LeadersTable>;

export function leaseOf(db: Reading, team: TeamId): Promise<LeaseRow | undefined> {
  return db.selectFrom('leases').selectAll().where('team', '=', team).executeTakeFirst();
}

export function leases(db: Reading): Promise<LeaseRow[]> {
  return db.selectFrom('leases').selectAll().execute();
}

/** Gives the lead of a team away: the epoch grows with each change of who leads. Returns the new one. */
export async function putLease(change: Change, facts: Pick<LeaseRow, 'identity' | 'receiver'>): Promise<number> {
  const row = await change.tx
    .insertInto('leases')
    .values({ ...facts, team: change.team, epoch: 1, acquired_at: change.now })
    .onConflict((conflict) =>
      conflict
        .column('team')
        .doUpdateSet((eb) => ({ ...facts, epoch: eb('leases.epoch', '+', 1), acquired_at: change.now })),
    )
    .returning('epoch')
    .executeTakeFirstOrThrow();
  return row.epoch;
}

/** The same leader goes on in another process: who leads has not changed, so the epoch stays. */
export function moveLease(change: Change, facts: Pick<LeaseRow, 'identity' | 'receiver'>): Promise<unknown> {
  return change.tx.updateTable('leases').set(facts).where('team', '=', change.team).execute();
}

/** Conversations that may lead and are not known to have ended. They belong to no team, so these rows have no event. */
export function liveLeaders(db: Reading): Promise<LeaderRow[]> {
  return db.selectFrom('leaders').selectAll().where('ended_at', 'is', null).orderBy('began_at').execute();
}

export function findLeader(db: Reading, incarnation: IncarnationId): Promise<LeaderRow | undefined> {
  return db.selectFrom('leaders').selectAll().where('incarnation', '=', incarnation).executeTakeFirst();
}

export function insertLeader(db: Reading, row: Insertable<LeadersTable>): Promise<unknown> {
  return db.insertInto('leaders').values(row).execute();
}

export function updateLeader(
  db: Reading,
  incarnation: IncarnationId,
  facts: Partial<Pick<LeaderRow, 'handle' | 'ended_at'>>,
): Promise<unknown> {
  return db.updateTable('leaders').set(facts).where('incarnation', '=', incarnation).execute();
}

/** Has a person said yes to this folder before? */
export async function isTrusted(db: Reading, folder: string): Promise<boolean> {
  const row = await db.selectFrom('trusted_folders').select('folder').where('folder', '=', folder).executeTakeFirst();
  return row !== undefined;
}

export function trustFolder(change: Change, folder: string, said_by: string): Promise<unknown> {
  return change.tx
    .insertInto('trusted_folders')
    .values({ folder, said_by, said_at: change.now })
    .onConflict((conflict) => conflict.column('folder').doNothing())
    .execute();
}
