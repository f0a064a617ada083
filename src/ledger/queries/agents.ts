import type { Insertable, Selectable } from 'kysely';
import { type AgentId, type IncarnationId, LEADER, type TeamId } from '../../kernel/index.ts';
import type { Change } from '../ledger.ts';
import type { AgentsTable, IncarnationsTable, SagasTable, SessionsTable, TeamsTable } from '../schema.ts';
import type { Reading } from './messages.ts';

export type TeamRow = Selectable<TeamsTable>;
export type AgentRow = Selectable<AgentsTable>;
export type IncarnationRow = Selectable<IncarnationsTable>;
export type SessionRow = Selectable<SessionsTable>;
export type SagaRow = Selectable<SagasTable>;

export function teams(db: Reading): Promise<TeamRow[]> {
  return db.selectFrom('teams').selectAll().orderBy('created_at').orderBy('team').execute();
}

export function findTeam(db: Reading, team: TeamId): Promise<TeamRow | undefined> {
  return db.selectFrom('teams').selectAll().where('team', '=', team).executeTakeFirst();
}

/** The members of a team as they were asked for, in start order; removed ones left out. */
export function agentsOf(db: Reading, team: TeamId): Promise<AgentRow[]> {
  return db
    .selectFrom('agents')
    .selectAll()
    .where('team', '=', team)
    .where('intent', '<>', 'removed')
    .orderBy('position')
    .execute();
}

/** Which of those that bore its name a member is now, the leader always the first; undefined when it was removed. */
export async function generationOf(db: Reading, team: TeamId, agent: AgentId): Promise<number | undefined> {
  if (agent === LEADER) return 1;
  const row = await db
    .selectFrom('agents')
    .select('generation')
    .where('team', '=', team)
    .where('agent_id', '=', agent)
    .where('intent', '<>', 'removed')
    .executeTakeFirst();
  return row?.generation;
}

/** Puts an agent in, or brings a stopped one of the same generation up to what its documents say now. */
export function upsertAgent(change: Change, row: Insertable<AgentsTable>): Promise<unknown> {
  const { interacted_at: _, ...wanted } = row;
  return change.tx
    .insertInto('agents')
    .values(row)
    .onConflict((conflict) => conflict.columns(['team', 'agent_id', 'generation']).doUpdateSet(wanted))
    .execute();
}

export function updateAgent(change: Change, agent: AgentId, facts: Pick<AgentRow, 'intent'>): Promise<unknown> {
  return change.tx
    .updateTable('agents')
    .set(facts)
    .where('team', '=', change.team)
    .where('agent_id', '=', agent)
    .where('intent', '<>', 'removed')
    .execute();
}

/** Lives of agents that are not known to have ended. */
export function liveIncarnations(db: Reading, team?: TeamId): Promise<IncarnationRow[]> {
  const live = db.selectFrom('incarnations').selectAll().where('ended_at', 'is', null);
  return (team ? live.where('team', '=', team) : live).orderBy('launched_at').execute();
}

export function findIncarnation(db: Reading, incarnation: IncarnationId): Promise<IncarnationRow | undefined> {
  return db.selectFrom('incarnations').selectAll().where('incarnation', '=', incarnation).executeTakeFirst();
}

export function insertIncarnation(change: Change, row: Insertable<IncarnationsTable>): Promise<unknown> {
  return change.tx.insertInto('incarnations').values(row).execute();
}

export function updateIncarnation(
  change: Change,
  incarnation: IncarnationId,
  facts: Partial<Pick<IncarnationRow, 'handle' | 'calls_read' | 'ready_at'>>,
): Promise<unknown> {
  return change.tx.updateTable('incarnations').set(facts).where('incarnation', '=', incarnation).execute();
}

/** Writes down the end of a life; false when it was written down before. */
export async function endIncarnation(
  change: Change,
  incarnation: IncarnationId,
  exit: string | null,
): Promise<boolean> {
  const { numUpdatedRows } = await change.tx
    .updateTable('incarnations')
    .set({ ended_at: change.now, exit })
    .where('incarnation', '=', incarnation)
    .where('ended_at', 'is', null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** A life works on a session from now on, for the first time or again. */
export async function insertSession(change: Change, row: Omit<Insertable<SessionsTable>, 'seq'>): Promise<void> {
  const { opened_at, closed_at, record } = row;
  const seq = await change.next();
  await change.tx
    .insertInto('sessions')
    .values({ ...row, seq })
    .onConflict((conflict) =>
      conflict.columns(['team', 'session_id', 'incarnation']).doUpdateSet({ seq, opened_at, closed_at, record }),
    )
    .execute();
}

export function closeSessionsOf(change: Change, incarnation: IncarnationId): Promise<unknown> {
  return change.tx
    .updateTable('sessions')
    .set({ closed_at: change.now })
    .where('incarnation', '=', incarnation)
    .where('closed_at', 'is', null)
    .execute();
}

export function sessionOf(db: Reading, incarnation: IncarnationId): Promise<SessionRow | undefined> {
  return db
    .selectFrom('sessions')
    .selectAll()
    .where('incarnation', '=', incarnation)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** The session that an agent worked on last and that nobody gave up. */
export function lastSession(db: Reading, team: TeamId, agent: AgentId): Promise<SessionRow | undefined> {
  return db
    .selectFrom('sessions')
    .selectAll()
    .where('team', '=', team)
    .where('agent_id', '=', agent)
    .where('discarded_at', 'is', null)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Gives up the session of one life that came to nothing; an earlier life on the same one keeps it. */
export function discardSessionOf(change: Change, incarnation: IncarnationId): Promise<unknown> {
  return change.tx
    .updateTable('sessions')
    .set({ discarded_at: change.now })
    .where('incarnation', '=', incarnation)
    .where('discarded_at', 'is', null)
    .execute();
}

/** Nobody has spoken in the conversation that an agent has now. */
export function forgetInteraction(change: Change, agent: AgentId): Promise<unknown> {
  return change.tx
    .updateTable('agents')
    .set({ interacted_at: null })
    .where('team', '=', change.team)
    .where('agent_id', '=', agent)
    .execute();
}

/**
 * Gives up every session of an agent, but for one life's that has just begun; what it was told in them is gone, so it has
 * nothing to lose. Returns their ids.
 */
export async function discardSessions(change: Change, agent: AgentId, but?: IncarnationId): Promise<string[]> {
  let query = change.tx
    .updateTable('sessions')
    .set({ discarded_at: change.now })
    .where('team', '=', change.team)
    .where('agent_id', '=', agent)
    .where('discarded_at', 'is', null);
  if (but) query = query.where('incarnation', '<>', but);
  const rows = await query.returning('session_id').execute();
  await forgetInteraction(change, agent);
  return [...new Set(rows.map(({ session_id }) => session_id))];
}

export function openSagas(db: Reading): Promise<SagaRow[]> {
  return db.selectFrom('sagas').selectAll().where('ended_at', 'is', null).orderBy('team').orderBy('seq').execute();
}

/** Journals of a team in which somebody said yes to what an agent may do, the last one first. */
export function grantedPlans(db: Reading, team: TeamId): Promise<Pick<SagaRow, 'plan' | 'started_at'>[]> {
  return db
    .selectFrom('sagas')
    .select(['plan', 'started_at'])
    .where('team', '=', team)
    .where('plan', 'like', '%"granted":%')
    .orderBy('seq', 'desc')
    .execute();
}

export async function insertSaga(
  change: Change,
  row: Pick<SagaRow, 'saga_id' | 'verb' | 'step' | 'plan'>,
): Promise<void> {
  const seq = await change.next();
  await change.tx
    .insertInto('sagas')
    .values({ ...row, team: change.team, seq, started_at: change.now, ended_at: null, outcome: null })
    .execute();
}

export function updateSaga(
  change: Change,
  saga: string,
  facts: Partial<Pick<SagaRow, 'step' | 'ended_at' | 'outcome'>>,
): Promise<unknown> {
  return change.tx.updateTable('sagas').set(facts).where('saga_id', '=', saga).execute();
}

/** An agent whose leader (or a person) got through to it has something to lose: noted with the first such receipt. */
export function markInteracted(change: Change, offer: { delivery_id: string; recipient: string }): Promise<unknown> {
  return change.tx
    .updateTable('agents')
    .set({ interacted_at: change.now })
    .where('team', '=', change.team)
    .where('agent_id', '=', offer.recipient)
    .where('interacted_at', 'is', null)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('deliveries')
          .innerJoin('messages', 'messages.message_id', 'deliveries.message_id')
          .select('messages.message_id')
          .where('deliveries.delivery_id', '=', offer.delivery_id)
          .where('messages.authority', 'in', ['leader', 'user']),
      ),
    )
    .execute();
}
