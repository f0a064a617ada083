import { isRefusal, type Refusal, shellWord, type TeamId } from '../../kernel/index.ts';
import { liveIncarnations, type TeamRow, updateAgent } from '../../ledger/index.ts';
import type { Team } from '../../team/index.ts';
import type { Effects } from '../effects.ts';
import type { Ended } from '../ending.ts';
import { enrol } from '../enrolling.ts';
import { overLimit, TooMany } from '../planning/limit.ts';
import { planStart, type StartAgentOrder } from '../planning/starting.ts';
import type { Started } from '../starting/agent.ts';
import { recordDeprecated } from '../starting/deprecated.ts';
import { type FailedLives, type Start, type StartedLives, startLives, undoLives } from '../starting/lives.ts';
import type { PlannedAgent } from '../starting/plan.ts';
import { failed, grant, grantedBy, putAgent } from './launch.ts';
import { stopNow } from './stop.ts';

export type StartMode = 'noop' | 'resumed' | 'fresh';

export interface AgentStarted {
  readonly ok: true;
  readonly start_mode: StartMode;
  /** Undefined when it ran already. */
  readonly started?: Started;
  /** What the life before started and that goes on without it. */
  readonly goes_on: Ended['goes_on'];
}

/** Starts one agent of a team that runs, on the conversation that it had. Nobody else is touched. */
export function startOne(effects: Effects, row: TeamRow, order: StartAgentOrder): Promise<AgentStarted | Refusal> {
  const touched = { team: row.team as TeamId, agent: order.agent };
  return effects.queue.run(touched, (cut) => startNow(effects, row, order, cut));
}

/** A conversation that does not come up is given up only for somebody who says so: then the agent begins anew, once. */
async function startNow(
  effects: Effects,
  row: TeamRow,
  order: StartAgentOrder,
  cut: AbortSignal,
): Promise<AgentStarted | Refusal> {
  const plan = await planStart(effects, row, order);
  if (isRefusal(plan)) return plan;
  const { team, agent } = plan;
  if (agent.action === 'keep') return { ok: true, start_mode: 'noop', goes_on: [] };
  const lives = await liveIncarnations(effects.ledger.db, team.id);
  const runs = lives.some(({ agent_id }) => agent_id === agent.spec.id);
  const stopped = runs ? await stopNow(effects, row, agent.spec.id, 'it is started anew') : undefined;
  if (stopped && isRefusal(stopped)) return stopped;
  const goes_on = stopped?.goes_on ?? [];
  const started = await startPlanned(effects, team, agent, order, cut);
  if (!isRefusal(started)) return { ...started, goes_on };
  if (agent.action !== 'resume' || order.lost || cut.aborted) return started;
  if (!order.allow_fresh) return { ...started, next: [...started.next, `${order.command} --allow-fresh`] };
  const anew = await startNow(effects, row, { ...order, lost: new Set([agent.spec.id]) }, cut);
  return isRefusal(anew) ? anew : { ...anew, goes_on };
}

/** The start itself, of an agent that does not run. */
export async function startPlanned(
  effects: Effects,
  team: Team,
  planned: PlannedAgent,
  order: Pick<StartAgentOrder, 'trust' | 'yes' | 'asked_by' | 'command'>,
  cut: AbortSignal,
): Promise<Omit<AgentStarted, 'goes_on'> | Refusal> {
  const { spec } = planned;
  const position = team.agents.findIndex(({ id }) => id === spec.id);
  const start_mode: StartMode = planned.request.continues ? 'resumed' : 'fresh';
  const done = await startOrTooMany(effects, {
    verb: 'start',
    team,
    agents: [planned],
    journal: grantedBy([planned], order),
    cut,
    asked: async (change) => {
      const over = await overLimit(effects, change.tx, team, spec.id);
      if (over) throw new TooMany(over);
      await putAgent(change, spec, { position, intent: 'running' });
      await recordDeprecated(change, team);
      await change.event('agent.starting', { agent_id: spec.id, start_mode, asked_by: order.asked_by });
      await grant(change, [planned], order);
    },
    enrol: () => enrol(effects, team.id, spec.id),
    ready: async (change) => {
      await change.event('agent.started', { agent_id: spec.id, start_mode, session_id: planned.request.session });
    },
  });
  if (isRefusal(done)) return done;
  if (!done.ok) return undo(effects, planned, done, order.command);
  const [started] = done.started;
  return { ok: true, start_mode, ...(started ? { started } : {}) };
}

/** Two that start at once may both have seen the last free place: the commit gives it to one of them. */
export async function startOrTooMany(effects: Effects, start: Start): Promise<StartedLives | Refusal> {
  try {
    return await startLives(effects, start);
  } catch (error) {
    if (error instanceof TooMany) return error.refusal;
    throw error;
  }
}

async function undo(
  effects: Effects,
  { spec, incarnation }: PlannedAgent,
  { saga, failures }: FailedLives,
  command: string,
): Promise<Refusal> {
  const left = await undoStart(effects, saga, [incarnation]);
  const next = [command, `team-agent why ${shellWord(spec.id)} --team ${shellWord(saga.team)}`];
  return failed({ failures, left }, `${spec.id} was not started, the others go on`, next);
}

/** Ends what a start of single agents began, and those agents alone; boot comes here after a crash. */
export async function undoStart(
  effects: Effects,
  saga: FailedLives['saga'],
  incarnations: readonly string[],
): Promise<readonly Ended[]> {
  const left = await undoLives(effects, saga, incarnations, {
    undone: async (change, { agents }) => {
      for (const agent of agents) await updateAgent(change, agent, { intent: 'stopped' });
      await change.event('agent.start_undone', { agents });
    },
  });
  await enrol(effects, saga.team);
  return left;
}
