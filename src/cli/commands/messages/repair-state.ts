import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf } from '../../outcome.ts';
import { repairedLines } from '../../rendering/tasks.ts';

interface Flags {
  readonly task: string;
  readonly assignee?: string;
  readonly status?: string;
  readonly summary?: string;
}

/** Sets a task right by hand. */
export async function run(context: Context, { task, assignee, status, summary }: Flags): Promise<Outcome> {
  return outcomeOf(await call(context, 'repair-state', { task, assignee, status, summary }), repairedLines);
}
