import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf } from '../../outcome.ts';
import { approvalLines, decidedLines } from '../../rendering/approvals.ts';

/** What agents' CLIs ask now. */
export async function list(context: Context, agent?: string): Promise<Outcome> {
  return outcomeOf(await call(context, 'approvals', agent === undefined ? {} : { agent }), approvalLines);
}

export async function approve(context: Context, id: string, flags: { readonly session?: boolean }): Promise<Outcome> {
  return outcomeOf(await call(context, 'approve', { id, session: flags.session ?? false }), decidedLines);
}

export async function deny(context: Context, id: string, flags: { readonly message?: string }): Promise<Outcome> {
  return outcomeOf(await call(context, 'deny', { id, ...flags }), decidedLines);
}
