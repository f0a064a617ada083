import { isRefusal } from '../../../kernel/reasons.ts';
import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { count } from '../../flags.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { deliveriesLines } from '../../rendering/deliveries.ts';

/** What became of each message, with its receipt. */
export async function run(
  context: Context,
  [message_id]: readonly string[],
  flags: { readonly limit?: string },
): Promise<Outcome> {
  const limit = count('--limit', flags.limit, 1_000);
  if (isRefusal(limit)) return refused(limit);
  return outcomeOf(await call(context, 'deliveries', { message_id, limit }), deliveriesLines);
}
