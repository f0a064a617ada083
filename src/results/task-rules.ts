import type { ResultRow, TaskRow } from '../ledger/index.ts';

/*
 * A task's way: `pending` (nobody works on it), `running` (a message that asks for its result went to an agent), then what
 * its result says. `done`, `failed` and `cancelled` are ends: only a person, the leader, or another message that asks for its result
 * opens them again. `ready` is set by a person or the leader and means what `pending` does once nothing is waited for.
 */
export const TASK_STATUSES = [
  'pending',
  'ready',
  'running',
  'blocked',
  'needs_retry',
  'done',
  'failed',
  'cancelled',
] as const satisfies readonly TaskRow['status'][];
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** What of a task its next status depends on. */
type Counted = Pick<TaskRow, 'status' | 'retry_limit' | 'retry_count'>;

/**
 * What a result has to do with its task: it answers an open request for it (`asked`), it comes unasked from whoever has the
 * task or from a file that a person gave (`volunteered`), or from an agent that does not have it (`foreign`).
 */
export type Standing = 'asked' | 'volunteered' | 'foreign';

export function standingOf(
  { assignee }: Pick<TaskRow, 'assignee'>,
  { agent_id, source }: Pick<ResultRow, 'agent_id' | 'source'>,
  asked: boolean,
): Standing {
  if (asked) return 'asked';
  return source === 'file' || assignee === null || assignee === agent_id ? 'volunteered' : 'foreign';
}

/**
 * What becomes of a task when a result is taken in; undefined when it stays as it is. A task that is done takes only what
 * was asked for again, one that was cancelled takes nothing, and none takes what an agent says of another's work.
 */
export function afterResult(
  task: Counted,
  result: ResultRow['status'],
  standing: Standing,
): Pick<TaskRow, 'status' | 'retry_count'> | undefined {
  if (standing === 'foreign' || task.status === 'cancelled') return undefined;
  if (task.status === 'done' && standing !== 'asked') return undefined;
  const { retry_count } = task;
  switch (result) {
    case 'success':
      return { status: 'done', retry_count };
    case 'blocked':
      return { status: 'blocked', retry_count };
    case 'failed':
    case 'partial':
      return retry_count < task.retry_limit
        ? { status: 'needs_retry', retry_count: retry_count + 1 }
        : { status: 'failed', retry_count };
    default:
      return result satisfies never;
  }
}

/** Tasks that a task builds on and that are not done. */
export function waitsFor(
  { deps }: Pick<TaskRow, 'deps'>,
  statusOf: (task: string) => TaskStatus | undefined,
): string[] {
  return (JSON.parse(deps) as readonly string[]).filter((dep) => statusOf(dep) !== 'done');
}

const STARTABLE: ReadonlySet<TaskStatus> = new Set(['pending', 'ready', 'needs_retry']);

/** May the work on it begin now? */
export function isReady(task: Pick<TaskRow, 'status' | 'deps'>, statusOf: Parameters<typeof waitsFor>[1]): boolean {
  return STARTABLE.has(task.status) && waitsFor(task, statusOf).length === 0;
}
