import { isRefusal } from '../../../kernel/reasons.ts';
import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { seconds } from '../../flags.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { readinessLines } from '../../rendering/plan.ts';

/** Without `--timeout`, s. */
const TIMEOUT = 120;

/** Waits until every agent of the team is ready. */
export async function run(context: Context, flags: { readonly timeout?: string }): Promise<Outcome> {
  const timeout = seconds('--timeout', flags.timeout);
  if (isRefusal(timeout)) return refused(timeout);
  return outcomeOf(await call(context, 'wait-ready', { timeout_s: timeout ?? TIMEOUT }), readinessLines);
}
