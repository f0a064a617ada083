import { type Selectable, type SqlBool, sql } from 'kysely';
import type { AgentId, MessageId, ResultId, TaskId, TeamId } from '../../kernel/index.ts';
import type { Change } from '../ledger.ts';
import type { ResultCountsTable, ResultsTable } from '../schema.ts';
import type { Reading } from './messages.ts';

export type ResultRow = Selectable<ResultsTable>;

export async function insertResult(
  change: Change,
  row: Omit<ResultRow, 'team' | 'seq' | 'created_at'>,
): Promise<unknown> {
  return change.tx
    .insertInto('results')
    .values({ ...row, team: change.team, seq: await change.next(), created_at: change.now })
    .execute();
}

export function findResult(db: Reading, result: ResultId): Promise<ResultRow | undefined> {
  return db.selectFrom('results').selectAll().where('result_id', '=', result).executeTakeFirst();
}

export interface ResultFilter {
  readonly agent?: AgentId | undefined;
  readonly task?: TaskId | undefined;
  /** Results after this sequence number. */
  readonly sinceSeq?: number | undefined;
  /** Results made at or after this time, UTC ms. */
  readonly sinceTime?: number | undefined;
}

/** What is kept though it is no result: its `error` says why. */
const isResult = sql<SqlBool>`results.error is null`;

function chosen(db: Reading, team: TeamId, filter: ResultFilter) {
  let query = db.selectFrom('results').selectAll().where('team', '=', team).where(isResult);
  if (filter.agent) query = query.where('agent_id', '=', filter.agent);
  if (filter.task) query = query.where('task_id', '=', filter.task);
  if (filter.sinceSeq !== undefined) query = query.where('seq', '>', filter.sinceSeq);
  if (filter.sinceTime !== undefined) query = query.where('created_at', '>=', filter.sinceTime);
  return query;
}

/** A team's results in the order they were taken in. */
export function resultsOf(db: Reading, team: TeamId, filter: ResultFilter = {}): Promise<ResultRow[]> {
  return chosen(db, team, filter).orderBy('seq').execute();
}

/** How many results a team has by status, how many that are none, and how many answer no request. */
export async function resultCounts(db: Reading, team: TeamId): Promise<Record<ResultCountsTable['kind'], number>> {
  const counts = { success: 0, blocked: 0, failed: 0, partial: 0, invalid: 0, unattributed: 0 };
  const rows = await db.selectFrom('result_counts').select(['kind', 'count']).where('team', '=', team).execute();
  for (const row of rows) counts[row.kind] = row.count;
  return counts;
}

/** The results that answer a message, in order. Not asked of the team: SQLite would look at all that it ever had. */
export function resultsTo(db: Reading, message: MessageId): Promise<ResultRow[]> {
  return db
    .selectFrom('results')
    .selectAll()
    .where('message_id', '=', message)
    .where(isResult)
    .orderBy('seq')
    .execute();
}

/** A team's newest results, oldest first. */
export async function latestResults(
  db: Reading,
  team: TeamId,
  limit: number,
  filter: ResultFilter = {},
): Promise<ResultRow[]> {
  const rows = await chosen(db, team, filter).orderBy('seq', 'desc').limit(limit).execute();
  return rows.reverse();
}

/** What a team was given as a result and is none, in the order it came. */
export function invalidResultsOf(db: Reading, team: TeamId): Promise<ResultRow[]> {
  return db
    .selectFrom('results')
    .selectAll()
    .where('team', '=', team)
    .where('error', 'is not', null)
    .orderBy('seq')
    .execute();
}
