import type { Answers, TaskAnswer } from '../answers/index.ts';
import type { Look, Paint } from './look.ts';
import { type Cell, type Column, table } from './table.ts';
import { truncate } from './width.ts';

/** Most tasks that a status lists: a long plan would push everything else off the screen. */
const SHOWN = 12;
const CLOSED = new Set(['done', 'cancelled']);

const COLUMNS: readonly Column[] = [
  { head: 'task', least: 10 },
  { head: 'status' },
  { head: 'for', least: 8 },
  { head: 'waits for', least: 12 },
  { head: 'title', least: 12 },
];

/** The tasks that are not at an end, and how many are. */
export function taskLines(tasks: readonly TaskAnswer[], look: Look): string[] {
  const open = tasks.filter(({ status }) => !CLOSED.has(status));
  if (open.length === 0) return [];
  const rows = open
    .slice(0, SHOWN)
    .map((task): Cell[] => [
      task.id,
      { text: task.status.replaceAll('_', ' '), paint: (paint) => paintOf(task.status, paint) },
      task.assignee ?? '-',
      awaited(task),
      task.title,
    ]);
  return ['', ...table(COLUMNS, rows, look), ...rest(open.length - SHOWN, tasks.length - open.length, look)];
}

function rest(hidden: number, closed: number, { paint }: Look): string[] {
  const told = [hidden > 0 ? `${hidden} more` : '', closed > 0 ? `${closed} done or cancelled` : ''].filter(Boolean);
  return told.length === 0 ? [] : [paint.dim(`and ${told.join(', ')}`)];
}

/** What keeps a task from being worked on: other tasks, or a person's yes. */
function awaited({ status, waits_for = [], confirmation }: TaskAnswer): string {
  if (status === 'running') return '-';
  const waits = [...waits_for, ...(confirmation === 'wanted' ? ["a person's yes"] : [])];
  return waits.length === 0 ? '-' : waits.join(', ');
}

function paintOf(status: string, paint: Paint): (text: string) => string {
  if (status === 'running') return paint.green;
  if (status === 'failed') return paint.red;
  return status === 'blocked' || status === 'needs_retry' ? paint.yellow : paint.cyan;
}

/** What a task was and what it is now. */
export function repairedLines({ task_id, before, after }: Answers['repair-state'], look: Look): string[] {
  const told = [
    `status ${before.status} → ${after.status}`,
    `for ${before.assignee ?? '-'} → ${after.assignee ?? '-'}`,
  ];
  return [truncate(`${look.paint.bold(task_id)}  ${told.join(', ')}`, look.columns)];
}
