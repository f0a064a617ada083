import { type Kysely, type Selectable, type SqlBool, sql, type Transaction } from 'kysely';
import type { AgentId, DeliveryId, MessageId, TeamId } from '../../kernel/index.ts';
import type { Change } from '../ledger.ts';
import type { DeliveriesTable, LedgerTables, MessagesTable } from '../schema.ts';

/** The ledger itself or a transaction of it. */
export type Reading = Kysely<LedgerTables> | Transaction<LedgerTables>;

export type MessageRow = Selectable<MessagesTable>;
export type DeliveryRow = Selectable<DeliveriesTable>;

/** A delivery together with what is to be delivered. */
export type QueuedRow = DeliveryRow & Omit<MessageRow, 'seq' | 'team' | 'message_id'>;

/**
 * Not at an end. The lines ask this at every look, so the values are written out (and so is their `limit`): with bound ones
 * SQLite does not use the index of what still waits, and compiles the statement afresh each time.
 */
export const isOpen = sql<SqlBool>`deliveries.state in ('stored', 'queued', 'held', 'submitted')`;
/** Ended without a proof; a late receipt still counts. */
export const isUnproved = sql<SqlBool>`deliveries.state = 'dead' and deliveries.reason = 'unproved'`;
const isWaiting = sql<SqlBool>`deliveries.state in ('queued', 'held') and ${isOpen}`;
const isHeld = sql<SqlBool>`deliveries.state = 'held'`;
const isQueued = sql<SqlBool>`deliveries.state = 'queued' and ${isOpen}`;

const MESSAGE_COLUMNS = [
  'messages.sender',
  'messages.authority',
  'messages.body',
  'messages.task_id',
  'messages.reply_to',
  'messages.dedupe_key',
  'messages.expires_at',
  'messages.hops',
  'messages.due_at',
  'messages.confirmation',
  'messages.confirmed_by',
  'messages.batched',
  'messages.created_at',
] as const;

/** Deliveries, each with what is to be delivered. */
export function withMessage(db: Reading) {
  return db
    .selectFrom('deliveries')
    .innerJoin('messages', 'messages.message_id', 'deliveries.message_id')
    .selectAll('deliveries')
    .select(MESSAGE_COLUMNS);
}

export function findMessage(db: Reading, message: MessageId): Promise<MessageRow | undefined> {
  return db.selectFrom('messages').selectAll().where('message_id', '=', message).executeTakeFirst();
}

/** The one message of a team with this dedupe key. */
export function findNotice(db: Reading, team: TeamId, key: string): Promise<MessageRow | undefined> {
  return db
    .selectFrom('messages')
    .selectAll()
    .where('team', '=', team)
    .where('dedupe_key', '=', key)
    .executeTakeFirst();
}

/** Notices to somebody that still wait, in the line or held, of one kind: their keys begin with `kind:`. */
export function waitingNotices(db: Reading, team: TeamId, recipient: AgentId, kind: string): Promise<QueuedRow[]> {
  return withMessage(db)
    .where('deliveries.team', '=', team)
    .where('recipient', '=', recipient)
    .where(isWaiting)
    .where('messages.dedupe_key', 'like', `${kind}:%`)
    .execute();
}

export function insertMessage(change: Change, row: Omit<MessageRow, 'team' | 'created_at'>): Promise<unknown> {
  return change.tx
    .insertInto('messages')
    .values({ ...row, team: change.team, created_at: change.now })
    .execute();
}

export async function insertDelivery(
  change: Change,
  row: Pick<
    DeliveryRow,
    'delivery_id' | 'message_id' | 'recipient' | 'generation' | 'urgent' | 'expects' | 'state' | 'reason'
  >,
): Promise<DeliveryRow> {
  return change.tx
    .insertInto('deliveries')
    .values({
      ...row,
      team: change.team,
      seq: await change.next(),
      attempts: 0,
      channel: null,
      stored_at: change.now,
      submitted_at: null,
      consumed_at: null,
      consumed_by: null,
      receipt: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The next deliveries in a recipient's line, `most` of them, in strict order among those that may go: urgent ones first. */
export function headOfLine(db: Reading, team: TeamId, recipient: AgentId, most: number): Promise<QueuedRow[]> {
  return withMessage(db)
    .where('deliveries.team', '=', team)
    .where('recipient', '=', recipient)
    .where(isQueued)
    .orderBy('deliveries.urgent', 'desc')
    .orderBy('deliveries.seq')
    .limit(sql.lit(most))
    .execute();
}

/** How many deliveries stand in a recipient's line. */
export async function queuedCount(db: Reading, team: TeamId, recipient: AgentId): Promise<number> {
  const row = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('deliveries.team', '=', team)
    .where('recipient', '=', recipient)
    .where(isQueued)
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}

/** The same, but only which they are. */
export async function firstInLine(db: Reading, team: TeamId, recipient: string, most: number): Promise<string[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select('delivery_id')
    .where('team', '=', team)
    .where('recipient', '=', recipient)
    .where(isQueued)
    .orderBy('urgent', 'desc')
    .orderBy('seq')
    .limit(sql.lit(most))
    .execute();
  return rows.map(({ delivery_id }) => delivery_id);
}

/** Deliveries of a team that wait for something of their own, oldest first. */
export function heldDeliveries(db: Reading, team: TeamId): Promise<QueuedRow[]> {
  return withMessage(db).where('deliveries.team', '=', team).where(isHeld).orderBy('deliveries.seq').execute();
}

/** When the next held delivery of a team that waits for its time is due, UTC ms; undefined when none is. */
export async function nextDue(db: Reading, team: TeamId): Promise<number | undefined> {
  const row = await db
    .selectFrom('deliveries')
    .innerJoin('messages', 'messages.message_id', 'deliveries.message_id')
    .select((eb) => eb.fn.min('messages.due_at').as('due'))
    .where('deliveries.team', '=', team)
    .where(isHeld)
    .where('deliveries.reason', 'in', ['scheduled', 'batched'])
    .executeTakeFirst();
  return row?.due ?? undefined;
}

/** Says what a held delivery waits for now. */
export function updateHold(change: Change, delivery: DeliveryId, reason: string): Promise<unknown> {
  return change.tx
    .updateTable('deliveries')
    .set({ reason })
    .where('delivery_id', '=', delivery)
    .where('state', '=', 'held')
    .execute();
}

export function updateMessage(
  change: Change,
  message: MessageId,
  facts: Partial<Pick<MessageRow, 'confirmation' | 'confirmed_by' | 'batched' | 'due_at'>>,
): Promise<unknown> {
  return change.tx.updateTable('messages').set(facts).where('message_id', '=', message).execute();
}

/** The delivery to a recipient whose time is up first, in its line or held; undefined when none of them has a time. */
export function nextToExpire(db: Reading, team: TeamId, recipient: AgentId): Promise<QueuedRow | undefined> {
  return withMessage(db)
    .where('deliveries.team', '=', team)
    .where('recipient', '=', recipient)
    .where(isWaiting)
    .where('messages.expires_at', 'is not', null)
    .orderBy('messages.expires_at')
    .limit(sql.lit(1))
    .executeTakeFirst();
}

/** What waits for one who bears or bore this name, in its line or held, oldest first. */
export function waitingFor(db: Reading, team: TeamId, recipient: AgentId, generation: number): Promise<QueuedRow[]> {
  return withMessage(db)
    .where('deliveries.team', '=', team)
    .where('recipient', '=', recipient)
    .where('generation', '=', generation)
    .where(isWaiting)
    .orderBy('deliveries.seq')
    .execute();
}

/** What a person may take out of a mailbox, oldest first: what stands in the line, and what waits to go along with it. */
export function mailFor(
  db: Reading,
  team: TeamId,
  recipient: AgentId,
  filter: { readonly sinceSeq?: number; readonly sinceTime?: number; readonly limit: number },
): Promise<QueuedRow[]> {
  let query = withMessage(db)
    .where('deliveries.team', '=', team)
    .where('recipient', '=', recipient)
    .where(isWaiting)
    .where((eb) => eb.or([eb('state', '=', 'queued'), eb('deliveries.reason', '=', 'batched')]));
  if (filter.sinceSeq !== undefined) query = query.where('deliveries.seq', '>', filter.sinceSeq);
  if (filter.sinceTime !== undefined) query = query.where('deliveries.stored_at', '>=', filter.sinceTime);
  return query.orderBy('deliveries.seq').limit(filter.limit).execute();
}

export function findDelivery(db: Reading, delivery: DeliveryId): Promise<QueuedRow | undefined> {
  return withMessage(db).where('delivery_id', '=', delivery).executeTakeFirst();
}

export function deliveriesOf(db: Reading, message: MessageId): Promise<DeliveryRow[]> {
  return db.selectFrom('deliveries').selectAll().where('message_id', '=', message).orderBy('seq').execute();
}

/**
 * The recipients in a team that something still waits for, or that a late receipt may come from. Made distinct here: for a
 * `distinct` SQLite walks the index of all recipients, past every delivery that ever was.
 */
export async function recipientsWithOpenDeliveries(db: Reading, team: TeamId): Promise<AgentId[]> {
  const recipients = db.selectFrom('deliveries').select('recipient').where('team', '=', team);
  const open = await recipients.where(isOpen).execute();
  const unproved = await recipients.where(isUnproved).execute();
  return [...new Set([...open, ...unproved].map((row) => row.recipient as AgentId))];
}

/**
 * Moves a delivery from one of the states `from` and tells whose it is; undefined when it is in another by now. This is the
 * only statement that changes a delivery's state.
 */
export function updateDelivery(
  change: Change,
  delivery: DeliveryId,
  from: readonly DeliveryRow['state'][],
  facts: Partial<Omit<DeliveryRow, 'delivery_id' | 'message_id' | 'team' | 'seq'>>,
): Promise<Pick<DeliveryRow, 'message_id' | 'recipient'> | undefined> {
  return change.tx
    .updateTable('deliveries')
    .set(facts)
    .where('delivery_id', '=', delivery)
    .where('state', 'in', from)
    .returning(['message_id', 'recipient'])
    .executeTakeFirst();
}

/** What an agent took in last that somebody said to it; the runtime's own notices are left out, but for the ball that they pass on. */
export function lastHeard(db: Reading, team: TeamId, agent: AgentId): Promise<QueuedRow | undefined> {
  return withMessage(db)
    .where('deliveries.team', '=', team)
    .where('recipient', '=', agent)
    .where('state', 'in', ['consumed', 'answered'])
    .where((eb) => eb.or([eb('messages.authority', '<>', 'system'), eb('messages.hops', '>', 0)]))
    .orderBy('deliveries.seq', 'desc')
    .limit(sql.lit(1))
    .executeTakeFirst();
}
