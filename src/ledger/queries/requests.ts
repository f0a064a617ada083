import { type SqlBool, sql } from 'kysely';
import type { AgentId, IncarnationId, TaskId, TeamId } from '../../kernel/index.ts';
import { type DeliveryRow, type MessageRow, type QueuedRow, type Reading, withMessage } from './messages.ts';

/** Still on its way or read, and not answered. */
const isRequest = sql<SqlBool>`deliveries.expects <> 'nothing'
  and deliveries.state in ('stored', 'queued', 'held', 'submitted', 'consumed')`;

/**
 * Can anybody still answer it? Not when its recipient is no member any more, and not when the conversation that read it was
 * given up in every life that had it. What a person or a leader read stays theirs.
 */
const isAnswerable = sql<SqlBool>`not exists (
    select 1 from agents where agents.team = deliveries.team and agents.agent_id = deliveries.recipient
      and agents.generation = deliveries.generation and agents.intent = 'removed')
  and (not exists (select 1 from sessions where sessions.team = deliveries.team and sessions.incarnation = deliveries.consumed_by)
    or exists (select 1 from sessions as reader join sessions as own on own.team = reader.team and own.session_id = reader.session_id
      where reader.team = deliveries.team and reader.incarnation = deliveries.consumed_by and own.discarded_at is null))`;

/** How many requests in a team wait for a result. Not what was asked by an agent, unless `byAgents`. */
export async function owedResults(db: Reading, team: TeamId, { byAgents }: { byAgents: boolean }): Promise<number> {
  let query = db
    .selectFrom('deliveries')
    .innerJoin('messages', 'messages.message_id', 'deliveries.message_id')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('deliveries.team', '=', team)
    .where(isRequest)
    .where(isAnswerable)
    .where('deliveries.expects', '=', 'result');
  if (!byAgents) query = query.where('messages.authority', 'in', ['leader', 'user']);
  return Number((await query.executeTakeFirst())?.count ?? 0);
}

/** Requests for a result that nobody has answered: about a task, to an agent, or both. Of each recipient oldest first. */
export function owedRequests(
  db: Reading,
  team: TeamId,
  about: { readonly task?: TaskId | undefined; readonly agent?: AgentId | undefined },
): Promise<DeliveryRow[]> {
  let query = db
    .selectFrom('deliveries')
    .innerJoin('messages', 'messages.message_id', 'deliveries.message_id')
    .selectAll('deliveries')
    .where('deliveries.team', '=', team)
    .where(isRequest)
    .where(isAnswerable)
    .where('deliveries.expects', '=', 'result');
  if (about.task) query = query.where('messages.task_id', '=', about.task);
  if (about.agent) query = query.where('recipient', '=', about.agent);
  // In the order of the index of open requests: for the team's own order SQLite would look at all deliveries.
  return query.orderBy('deliveries.recipient').orderBy('deliveries.seq').execute();
}

/** Does anybody still have to answer for a task, or get to hear of it? */
export async function isAskedFor(db: Reading, team: TeamId, task: TaskId): Promise<boolean> {
  const row = await db
    .selectFrom('deliveries')
    .innerJoin('messages', 'messages.message_id', 'deliveries.message_id')
    .select('deliveries.delivery_id')
    .where('deliveries.team', '=', team)
    .where(isRequest)
    .where(isAnswerable)
    .where('deliveries.expects', '=', 'result')
    .where('messages.task_id', '=', task)
    .limit(sql.lit(1))
    .executeTakeFirst();
  return row !== undefined;
}

/** Deliveries to a member that expect something, were consumed and are not answered, whoever consumed them. Oldest first. */
export function consumedRequests(
  db: Reading,
  team: TeamId,
  member: AgentId,
  expects: readonly MessageRow['expects'][],
) {
  return withMessage(db)
    .where('deliveries.team', '=', team)
    .where('recipient', '=', member)
    .where('state', '=', 'consumed')
    .where(isRequest)
    .where('deliveries.expects', 'in', expects)
    .orderBy('deliveries.seq');
}

/** Those of them that its recipient, as it is now, can still answer. */
export function answerableRequests(db: Reading, team: TeamId, member: AgentId): Promise<QueuedRow[]> {
  return consumedRequests(db, team, member, ['reply', 'result']).where(isAnswerable).execute();
}

/**
 * Those of them that this conversation of an agent consumed: a request that an earlier conversation consumed is not known
 * to this one.
 */
export function openRequests(
  db: Reading,
  team: TeamId,
  by: { agent: AgentId; incarnation: IncarnationId },
  expects: readonly MessageRow['expects'][],
): Promise<QueuedRow[]> {
  return consumedRequests(db, team, by.agent, expects)
    .where('consumed_by', 'in', (eb) =>
      eb
        .selectFrom('sessions as consumer')
        .innerJoin('sessions as own', 'own.session_id', 'consumer.session_id')
        .select('consumer.incarnation')
        .where('own.incarnation', '=', by.incarnation)
        .where('consumer.team', '=', team),
    )
    .execute();
}

/** Deliveries to a member that expect a reply and have none yet, whether they were read or not. Oldest first. */
export function unansweredQuestions(db: Reading, team: TeamId, member: AgentId, limit: number): Promise<QueuedRow[]> {
  return withMessage(db)
    .where('deliveries.team', '=', team)
    .where('recipient', '=', member)
    .where(isRequest)
    .where('deliveries.expects', '=', 'reply')
    .orderBy('deliveries.seq')
    .limit(sql.lit(limit))
    .execute();
}
