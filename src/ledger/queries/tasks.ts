import { type Insertable, type Selectable, type SqlBool, sql } from 'kysely';
import type { AgentId, TaskId, TeamId } from '../../kernel/index.ts';
import type { Change } from '../ledger.ts';
import type { TasksTable } from '../schema.ts';
import type { Reading } from './messages.ts';

export type TaskRow = Selectable<TasksTable>;

const hasEnded = sql<SqlBool>`tasks.status in ('done', 'cancelled')`;

export function findTask(db: Reading, team: TeamId, task: TaskId): Promise<TaskRow | undefined> {
  return db.selectFrom('tasks').selectAll().where('team', '=', team).where('task_id', '=', task).executeTakeFirst();
}

export function tasksOf(db: Reading, team: TeamId): Promise<TaskRow[]> {
  return db.selectFrom('tasks').selectAll().where('team', '=', team).orderBy('created_at').orderBy('task_id').execute();
}

export function insertTask(
  change: Change,
  row: Omit<Insertable<TasksTable>, 'team' | 'created_at' | 'updated_at'>,
): Promise<unknown> {
  const times = { created_at: change.now, updated_at: change.now };
  return change.tx
    .insertInto('tasks')
    .values({ ...row, ...times, team: change.team })
    .execute();
}

export function updateTask(
  change: Change,
  task: TaskId,
  facts: Partial<Omit<TaskRow, 'team' | 'task_id' | 'created_at' | 'updated_at'>>,
): Promise<unknown> {
  return change.tx
    .updateTable('tasks')
    .set({ ...facts, updated_at: change.now })
    .where('team', '=', change.team)
    .where('task_id', '=', task)
    .execute();
}

/** Says who gets a task; creates it when it is named first. It is not begun yet. */
export function assignTask(change: Change, task: TaskId, title: string, assignee: AgentId | null): Promise<unknown> {
  return change.tx
    .insertInto('tasks')
    .values({
      team: change.team,
      task_id: task,
      title,
      status: 'pending',
      assignee,
      accepted_result_id: null,
      created_at: change.now,
      updated_at: change.now,
    })
    .onConflict((conflict) => conflict.columns(['team', 'task_id']).doUpdateSet({ assignee, updated_at: change.now }))
    .execute();
}

/** The work on a task begins; one that was cancelled stays so. */
export function beginTask(change: Change, task: TaskId): Promise<unknown> {
  return change.tx
    .updateTable('tasks')
    .set({ status: 'running', updated_at: change.now })
    .where('team', '=', change.team)
    .where('task_id', '=', task)
    .where('status', '<>', 'cancelled')
    .execute();
}

/**
 * The `limit` tasks of a team that matter most, each with what its last result says: those that go on in the order they were
 * made, then those that ended, the latest first. And how many there are in all.
 */
export async function foremostTasks(
  db: Reading,
  team: TeamId,
  limit: number,
): Promise<{ readonly tasks: readonly (TaskRow & { readonly result: string | null })[]; readonly total: number }> {
  const tasks = await db
    .selectFrom('tasks')
    .leftJoin('results', 'results.result_id', 'tasks.accepted_result_id')
    .selectAll('tasks')
    .select('results.summary as result')
    .where('tasks.team', '=', team)
    .orderBy(hasEnded)
    .orderBy(sql`case when ${hasEnded} then -tasks.updated_at else tasks.created_at end`)
    .orderBy('tasks.task_id')
    .limit(limit)
    .execute();
  const all = db.selectFrom('tasks').select((eb) => eb.fn.countAll<number>().as('count'));
  const counted = await all.where('team', '=', team).executeTakeFirst();
  return { tasks, total: Number(counted?.count ?? 0) };
}
