import { setTimeout as pause } from 'node:timers/promises';
import { identifyProcess } from '../../../kernel/processes.ts';
import { isRefusal } from '../../../kernel/reasons.ts';
import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf } from '../../outcome.ts';
import { shutdownLines } from '../../rendering/lists.ts';
import { planLines } from '../../rendering/plan.ts';

/** A coordinator with nothing left to do ends within so many ms of its answer. */
const ENDING = 5_000;
const LOOK_EVERY = 10;

/** Ends the agents of a team; with the last team the coordinator ends too, and that is waited for. */
export async function run(context: Context, { dryRun }: { readonly dryRun?: boolean }): Promise<Outcome> {
  if (dryRun) return outcomeOf(await call(context, 'plan', { of: 'shutdown' }), planLines);
  const answer = await call(context, 'shutdown', {});
  const gone = !isRefusal(answer) && answer.coordinator.status === 'ending' && (await hasEnded(answer.coordinator.pid));
  return outcomeOf(answer, (ended, look) => shutdownLines(ended, gone, look));
}

/** Waits until a process is gone; false when it still lives after the deadline. */
export async function hasEnded(pid: number, deadline = ENDING): Promise<boolean> {
  const end = performance.now() + deadline;
  while (identifyProcess(pid)) {
    if (performance.now() > end) return false;
    await pause(LOOK_EVERY);
  }
  return true;
}
