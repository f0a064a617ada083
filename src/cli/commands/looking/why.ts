import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf } from '../../outcome.ts';
import { whyLines } from '../../rendering/lists.ts';

/** The facts behind the state of an agent. */
export async function run(context: Context, [agent]: readonly string[]): Promise<Outcome> {
  return outcomeOf(await call(context, 'why', { agent }), whyLines);
}
