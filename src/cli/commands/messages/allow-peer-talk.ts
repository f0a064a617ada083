import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf } from '../../outcome.ts';
import { peerTalkLines } from '../../rendering/collecting.ts';

/** Changes nothing: agents of a team may write to each other, as its documents say. */
export async function run(context: Context, [a, b]: readonly [string, string]): Promise<Outcome> {
  return outcomeOf(await call(context, 'allow-peer-talk', { a, b }), peerTalkLines);
}
