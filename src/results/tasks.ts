import type { AgentId, MessageId, TaskId } from '../kernel/index.ts';
import {
  type Change,
  findMessage,
  findTask,
  heldDeliveries,
  insertTask,
  isAskedFor,
  type ResultRow,
  type TaskRow,
  updateTask,
} from '../ledger/index.ts';
import { confirmMessage, releaseDependents } from '../messages/index.ts';
import type { TaskSpec } from '../team/index.ts';
import { afterResult, standingOf, type TaskStatus } from './task-rules.ts';

/** Puts the tasks of a team's documents into the ledger; those that nobody has begun are brought up to what they say now. */
export async function defineTasks(change: Change, specs: readonly TaskSpec[]): Promise<void> {
  for (const spec of specs) {
    const before = await findTask(change.tx, change.team, spec.id as TaskId);
    const facts = factsOf(spec, before?.assignee);
    if (!before) await insertTask(change, { ...facts, task_id: spec.id, status: 'pending', accepted_result_id: null });
    else if (isUntouched(before) && differs(before, facts)) await updateTask(change, spec.id as TaskId, facts);
    else continue;
    await change.event('task.defined', { task_id: spec.id, title: spec.title, ...(before ? { changed: true } : {}) });
  }
  await releaseDependents(change);
}

type Facts = ReturnType<typeof factsOf>;

/** Whoever a message gave it to keeps it, when the documents name nobody. */
function factsOf(spec: TaskSpec, given: string | null = null) {
  return {
    title: spec.title,
    description: spec.description ?? null,
    type: spec.type ?? null,
    risk: spec.risk ?? null,
    assignee: spec.assignee ?? given,
    files: JSON.stringify(spec.files),
    requires_tools: JSON.stringify(spec.requiresTools),
    deps: JSON.stringify(spec.deps),
    human_confirmation: spec.humanConfirmation ? 1 : 0,
    retry_limit: spec.retryLimit,
  };
}

function isUntouched({ status }: TaskRow): boolean {
  return status === 'pending' || status === 'ready';
}

function differs(before: TaskRow, facts: Facts): boolean {
  return Object.entries(facts).some(([name, value]) => before[name as keyof Facts] !== value);
}

/** A task takes its result in the very transaction that stores it, and what waited for the task goes. */
export async function takeResult(
  change: Change,
  id: TaskId,
  result: Pick<ResultRow, 'result_id' | 'agent_id' | 'source' | 'status'>,
  asked: boolean,
): Promise<void> {
  const task = await findTask(change.tx, change.team, id);
  const after = task && afterResult(task, result.status, standingOf(task, result, asked));
  if (!after) return;
  await updateTask(change, id, { ...after, accepted_result_id: result.result_id });
  await change.event('task.collected', { task_id: id, ...after, result_id: result.result_id });
  if (after.status === 'done') await releaseDependents(change);
}

/** A person said yes to a task: what asks for it now or later needs no other yes. */
export async function confirmTask(change: Change, id: TaskId, by: string): Promise<void> {
  const task = await findTask(change.tx, change.team, id);
  if (!task?.human_confirmation || task.confirmed_by !== null) return;
  await updateTask(change, id, { confirmed_by: by });
  await change.event('task.confirmed', { task_id: id, by });
  for (const held of await heldDeliveries(change.tx, change.team)) {
    if (held.task_id !== id || held.confirmation !== 'wanted') continue;
    const message = await findMessage(change.tx, held.message_id as MessageId);
    if (message) await confirmMessage(change, message, by);
  }
}

/** A message about a task was taken back: a task that nobody was asked for by another one can be given out again. */
export async function returnTask(change: Change, id: TaskId): Promise<void> {
  const task = await findTask(change.tx, change.team, id);
  if (task?.status !== 'running' || (await isAskedFor(change.tx, change.team, id))) return;
  await updateTask(change, id, { status: 'pending' });
  await change.event('task.returned', { task_id: id });
}

/** What a person or the leader may set right by hand. */
export interface Repair {
  readonly assignee?: AgentId | undefined;
  readonly status?: TaskStatus | undefined;
  /** Why, for the record. */
  readonly summary?: string | undefined;
}

/** What of a task a repair may change. */
export type Repairable = Pick<TaskRow, 'status' | 'assignee'>;

/** Sets a task right by hand, and keeps on record what it was. */
export async function repairTask(
  change: Change,
  task: TaskRow,
  { assignee, status, summary }: Repair,
): Promise<{ readonly before: Repairable; readonly after: Repairable }> {
  const before = { status: task.status, assignee: task.assignee };
  const after = { status: status ?? task.status, assignee: assignee ?? task.assignee };
  await updateTask(change, task.task_id as TaskId, after);
  const said = summary === undefined ? {} : { summary };
  await change.event('repair_state.task', { task_id: task.task_id, before, after, ...said });
  if (after.status === 'done') await releaseDependents(change);
  return { before, after };
}
