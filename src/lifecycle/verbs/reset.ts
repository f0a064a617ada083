import { isRefusal, type Refusal, type TeamId } from '../../kernel/index.ts';
import type { TeamRow } from '../../ledger/index.ts';
import type { Effects } from '../effects.ts';
import { planReset, type ResetOrder } from '../planning/starting.ts';
import { type AgentStarted, startPlanned } from './start.ts';
import { discardConversation, stopNow } from './stop.ts';

export interface AgentReset extends AgentStarted {
  /** False when it did not run. */
  readonly stopped: boolean;
  /** How many sessions were given up. */
  readonly discarded: number;
}

/**
 * Ends an agent, gives up its conversation and starts it with none. A start that is refused leaves it as it was. Cut off
 * in between it is stopped, before or after its conversation was given up; each of the two is a state to go on from.
 */
export function resetAgent(effects: Effects, row: TeamRow, asked: ResetOrder): Promise<AgentReset | Refusal> {
  const order = { ...asked, asked: asked.asked ?? new Map() };
  return effects.queue.runAtOnceUnlessRefused(
    { team: row.team as TeamId, agent: order.agent },
    () => planReset(effects, row, order),
    (cut) => resetNow(effects, row, order, cut),
  );
}

async function resetNow(
  effects: Effects,
  row: TeamRow,
  order: ResetOrder,
  cut: AbortSignal,
): Promise<AgentReset | Refusal> {
  const plan = await planReset(effects, row, order);
  if (isRefusal(plan)) return plan;
  const { team, agent } = plan;
  const stopped = await stopNow(effects, row, order.agent, 'it is reset');
  if (isRefusal(stopped)) return stopped;
  await effects.reach('reset.stopped');
  const discarded = await discardConversation(effects, row, order.agent, order.asked_by);
  await effects.reach('reset.discarded');
  const started = await startPlanned(effects, team, agent, order, cut);
  if (isRefusal(started)) return started;
  return { ...started, stopped: stopped.stopped, discarded, goes_on: stopped.goes_on };
}
