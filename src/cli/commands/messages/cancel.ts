import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf } from '../../outcome.ts';
import { cancelledLines } from '../../rendering/deliveries.ts';

/** Takes a message back from all, or some, who have not been offered it yet. */
export async function run(context: Context, message_id: string, flags: { readonly to?: string }): Promise<Outcome> {
  const to = flags.to?.split(',').map((word) => word.trim());
  return outcomeOf(await call(context, 'cancel', { message_id, ...(to ? { to } : {}) }), cancelledLines);
}
