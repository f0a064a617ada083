import type { TaskRow } from '../../ledger/index.ts';
import { isReady, waitsFor } from '../../results/index.ts';

/** Each task of a team: how it stands, who has it, what it waits for. */
export function taskViews(tasks: readonly TaskRow[]) {
  const statusOf = statuses(tasks);
  return tasks.map((task) => ({
    id: task.task_id,
    title: task.title,
    status: task.status,
    assignee: task.assignee,
    ready: isReady(task, statusOf),
    waits_for: waitsFor(task, statusOf),
    confirmation: task.human_confirmation === 0 ? null : task.confirmed_by === null ? 'wanted' : 'given',
    retries: { used: task.retry_count, limit: task.retry_limit },
    accepted_result_id: task.accepted_result_id,
  }));
}

/** What a message waits for that is held until other tasks are done. */
export function awaitedTasks(tasks: readonly TaskRow[], task: string | null): string[] {
  const own = tasks.find(({ task_id }) => task_id === task);
  return own ? waitsFor(own, statuses(tasks)) : [];
}

function statuses(tasks: readonly TaskRow[]): (task: string) => TaskRow['status'] | undefined {
  const known = new Map(tasks.map(({ task_id, status }) => [task_id, status]));
  return (task) => known.get(task);
}
