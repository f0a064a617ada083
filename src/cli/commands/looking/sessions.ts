import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf } from '../../outcome.ts';
import { sessionLines } from '../../rendering/agents.ts';

/** What each agent would go on with. */
export async function run(context: Context): Promise<Outcome> {
  return outcomeOf(await call(context, 'sessions', {}), sessionLines);
}
