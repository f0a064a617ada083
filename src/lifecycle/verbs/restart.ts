import { isRefusal, type Refusal, type TeamId } from '../../kernel/index.ts';
import type { TeamRow } from '../../ledger/index.ts';
import type { Team } from '../../team/index.ts';
import type { Effects } from '../effects.ts';
import { recordEnd } from '../ending.ts';
import { enrol } from '../enrolling.ts';
import { startingOf } from '../planning/plan.ts';
import { planRestart, type RestartOrder } from '../planning/restarting.ts';
import type { Started } from '../starting/agent.ts';
import { startLives } from '../starting/lives.ts';
import type { PlannedAgent } from '../starting/plan.ts';
import { dropUndescribed, failed, grant, grantedBy, putRunning, undoLaunch } from './launch.ts';

export interface Restarted {
  readonly ok: true;
  readonly team: Team;
  readonly agents: readonly (Started & { readonly restart_mode: 'resumed' | 'fresh' })[];
}

/**
 * Starts a team that was shut down, or whose agents are all gone, each agent on the conversation that it had. The documents
 * are read anew. When one conversation cannot be resumed, nothing is started at all; when one agent does not get ready,
 * everything that was started is ended again. Conversations that do not come up are given up only for somebody who says so:
 * then their agents begin anew, in one more try.
 */
export function restartTeam(effects: Effects, row: TeamRow, order: RestartOrder): Promise<Restarted | Refusal> {
  return effects.queue.run({ team: row.team as TeamId }, (cut) => startAgain(effects, row, order, cut));
}

async function startAgain(
  effects: Effects,
  row: TeamRow,
  order: RestartOrder,
  cut: AbortSignal,
): Promise<Restarted | Refusal> {
  const plan = await planRestart(effects, row, order);
  if (isRefusal(plan)) return plan;
  const { team } = plan;
  const agents = startingOf(plan.agents);
  for (const life of plan.gone) await recordEnd(effects, life, { why: 'it was found gone', asked: false });
  const done = await startLives(effects, {
    verb: 'restart',
    team,
    agents,
    journal: grantedBy(agents, order),
    cut,
    asked: async (change) => {
      await putRunning(change, plan);
      await change.event('team.restarting', { agents: agents.map(decisionOf) });
      await grant(change, agents, order);
    },
    enrol: () => enrol(effects, team.id),
    ready: async (change) => {
      await dropUndescribed(change, effects.mint, team);
      await change.event('team.restarted', { agents: agents.map(decisionOf) });
    },
  });
  if (!done.ok) {
    const incarnations = agents.map(({ incarnation }) => incarnation);
    const left = await undoLaunch(effects, done.saga, incarnations, team.sessionName);
    const failures = new Set(done.failures.map(({ agent_id }) => agent_id));
    const lost = agents.filter(({ spec, action }) => action === 'resume' && failures.has(spec.id));
    if (left.length === 0 && lost.length > 0 && order.allow_fresh && !order.lost && !cut.aborted) {
      return startAgain(effects, row, { ...order, lost: new Set(lost.map(({ spec }) => spec.id)) }, cut);
    }
    const anew = lost.length > 0 && !order.allow_fresh ? [`${order.command} --allow-fresh`] : [];
    return failed({ failures: done.failures, left }, 'The team was not started', [order.command, ...anew]);
  }
  const started = done.started.map((one) => ({ ...one, restart_mode: decisionOf(one.agent).restart_mode }));
  return { ok: true, team, agents: started };
}

const decisionOf = ({ spec, request }: PlannedAgent) => ({
  agent_id: spec.id,
  restart_mode: request.continues ? ('resumed' as const) : ('fresh' as const),
  session_id: request.session,
});
