import { isRefusal } from '../../../kernel/reasons.ts';
import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { since as readSince } from '../../flags.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { resultsLines } from '../../rendering/deliveries.ts';

interface Flags {
  readonly agent?: string;
  readonly task?: string;
  readonly since?: string;
}

/** What agents reported. */
export async function run(context: Context, _words: readonly string[], flags: Flags): Promise<Outcome> {
  const since = readSince(flags.since);
  if (isRefusal(since)) return refused(since);
  const answer = await call(context, 'results', { agent: flags.agent, task: flags.task, since });
  return outcomeOf(answer, ({ results }, look) => resultsLines(results, look));
}
