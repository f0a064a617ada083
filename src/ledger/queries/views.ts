import type { Selectable } from 'kysely';
import type { AgentId, MessageId, TeamId } from '../../kernel/index.ts';
import type { EventsTable } from '../schema.ts';
import { type DeliveryRow, isOpen, type QueuedRow, type Reading, withMessage } from './messages.ts';

export type EventRow = Selectable<EventsTable>;

/** How many deliveries of a team stand in each state. */
export async function deliveryCounts(db: Reading, team: TeamId): Promise<Record<DeliveryRow['state'], number>> {
  const counts = { stored: 0, queued: 0, held: 0, submitted: 0, consumed: 0, answered: 0, dead: 0, cancelled: 0 };
  const rows = await db.selectFrom('delivery_counts').select(['state', 'count']).where('team', '=', team).execute();
  for (const row of rows) counts[row.state] = row.count;
  return counts;
}

/** Deliveries of a team that are not at an end, oldest first. */
export function pendingDeliveries(db: Reading, team: TeamId, limit: number): Promise<DeliveryRow[]> {
  return db
    .selectFrom('deliveries')
    .selectAll()
    .where('team', '=', team)
    .where(isOpen)
    .orderBy('seq')
    .limit(limit)
    .execute();
}

/** When the oldest delivery that still waits was stored; undefined when none waits. */
export async function oldestPending(db: Reading, team?: TeamId): Promise<number | undefined> {
  let query = db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.min('stored_at').as('oldest'))
    .where(isOpen);
  if (team) query = query.where('team', '=', team);
  const row = await query.executeTakeFirst();
  return row?.oldest ?? undefined;
}

/** Deliveries with their messages, in team order: of one message, from a point on the first `limit`, else the newest `limit`. */
export async function deliveriesWithMessages(
  db: Reading,
  team: TeamId,
  filter: {
    message?: MessageId | undefined;
    recipient?: AgentId | undefined;
    sinceSeq?: number | undefined;
    sinceTime?: number | undefined;
    limit: number;
  },
): Promise<QueuedRow[]> {
  // Of one message, the team is asked of the message: asked of its deliveries, SQLite would look at all of the team's.
  let query = filter.message
    ? withMessage(db).where('messages.team', '=', team).where('deliveries.message_id', '=', filter.message)
    : withMessage(db).where('deliveries.team', '=', team);
  if (filter.recipient) query = query.where('deliveries.recipient', '=', filter.recipient);
  if (filter.sinceSeq !== undefined) query = query.where('deliveries.seq', '>', filter.sinceSeq);
  if (filter.sinceTime !== undefined) query = query.where('deliveries.stored_at', '>=', filter.sinceTime);
  const onwards = filter.sinceSeq !== undefined || filter.sinceTime !== undefined;
  if (onwards) return query.orderBy('deliveries.seq').limit(filter.limit).execute();
  const rows = await query.orderBy('deliveries.seq', 'desc').limit(filter.limit).execute();
  return rows.reverse();
}

/** Events after a sequence number (or from a time on), in order. */
export function eventsSince(
  db: Reading,
  team: TeamId,
  filter: { afterSeq?: number | undefined; sinceTime?: number | undefined; limit: number },
): Promise<EventRow[]> {
  let query = db.selectFrom('events').selectAll().where('team', '=', team);
  if (filter.afterSeq !== undefined) query = query.where('seq', '>', filter.afterSeq);
  if (filter.sinceTime !== undefined) query = query.where('at', '>=', filter.sinceTime);
  return query.orderBy('seq').limit(filter.limit).execute();
}

/** The newest events of a team, oldest of them first. */
export async function latestEvents(db: Reading, team: TeamId, limit: number): Promise<EventRow[]> {
  const rows = await db
    .selectFrom('events')
    .selectAll()
    .where('team', '=', team)
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute();
  return rows.reverse();
}

const DUMPED = [
  'teams',
  'agents',
  'incarnations',
  'sessions',
  'messages',
  'deliveries',
  'offers',
  'tasks',
  'results',
  'leases',
  'leaders',
  'trusted_folders',
  'sagas',
  'events',
] as const;

/** Every row of the ledger that holds no secret, table by table. */
export async function dumpTables(db: Reading): Promise<Record<string, object[]>> {
  const dump: Record<string, object[]> = {};
  for (const table of DUMPED) {
    const rows: object[] = await db.selectFrom(table).selectAll().execute();
    dump[table] = table === 'incarnations' ? rows.map((row) => ({ ...row, token_hash: '(withheld)' })) : rows;
  }
  return dump;
}
