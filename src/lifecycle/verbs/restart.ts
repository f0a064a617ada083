import {
  type AgentId,
  type IncarnationId,
  isRefusal,
  type Refusal,
  refuse,
  shellWord,
  type TeamId,
} from '../../kernel/index.ts';
import { agentsOf, liveIncarnations, type TeamRow } from '../../ledger/index.ts';
import type { AgentSpec, Team } from '../../team/index.ts';
import type { Effects } from '../effects.ts';
import { recordEnd } from '../ending.ts';
import { enrol } from '../enrolling.ts';
import type { Started } from '../starting/agent.ts';
import { type Consent, conversationFor } from '../starting/conversation.ts';
import { startLives } from '../starting/lives.ts';
import {
  type PlannedAgent,
  planAgent,
  readDocuments,
  type StartOrder,
  sessionTaken,
  withoutYes,
} from '../starting/plan.ts';
import { failed, grant, putRunning, undoLaunch } from './launch.ts';

export interface RestartOrder extends StartOrder, Consent {
  readonly yes?: boolean | undefined;
}

export interface Restarted {
  readonly ok: true;
  readonly team: Team;
  readonly agents: readonly (Started & { readonly restart_mode: 'resumed' | 'fresh' })[];
}

/**
 * Starts a team that was shut down, or whose agents are all gone, each agent on the conversation that it had. The documents
 * are read anew. When one conversation cannot be resumed, nothing is started at all; when one agent does not get ready,
 * everything that was started is ended again.
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
  const id = row.team as TeamId;
  const running = await stillRunning(effects, id);
  if (running) return running;
  const team = readDocuments(effects.workspace, { folder: row.documents, name: row.name });
  if (isRefusal(team)) return team;
  const taken = await sessionTaken(effects, team);
  if (taken) return taken;
  const starting = team.agents.filter((agent) => !agent.paused);
  const dangerous = withoutYes(starting, { folder: team.folder, ...order });
  if (dangerous) return { ...dangerous, next: [`${order.command} --yes`] };
  const asked = new Map();
  const plans = await Promise.all(starting.map((spec) => planOne(effects, team, spec, { ...order, asked })));
  const refused = plans.flatMap((plan) => (isRefusal(plan) ? [plan] : []));
  if (refused.length > 0) return together(refused, order);
  const agents = plans.flatMap((plan) => (isRefusal(plan) ? [] : [plan]));
  const done = await startLives(effects, {
    verb: 'restart',
    team,
    agents,
    cut,
    asked: async (change) => {
      await putRunning(change, team);
      await change.event('team.restarting', { agents: agents.map(decisionOf) });
      await grant(change, { agents }, order);
    },
    enrol: () => enrol(effects, team.id),
    ready: async (change) => {
      await change.event('team.restarted', { agents: agents.map(decisionOf) });
    },
  });
  if (!done.ok) {
    const incarnations = agents.map(({ incarnation }) => incarnation);
    await undoLaunch(effects, done.saga, incarnations, team.sessionName);
    return failed(done.failures, 'The team was not started; what was started is ended again.', [order.command]);
  }
  const started = done.started.map((one) => ({ ...one, restart_mode: decisionOf(one.agent).restart_mode }));
  return { ok: true, team, agents: started };
}

const decisionOf = ({ spec, request }: PlannedAgent) => ({
  agent_id: spec.id,
  restart_mode: request.continues ? ('resumed' as const) : ('fresh' as const),
  session_id: request.session,
});

/** A team with an agent that may live is running; lives that are proved gone are written down as ended. */
async function stillRunning(effects: Effects, team: TeamId): Promise<Refusal | undefined> {
  const alive: string[] = [];
  for (const life of await liveIncarnations(effects.ledger.db, team)) {
    const member = effects.roster.member(team, life.agent_id as AgentId);
    if (member?.processLiveness() !== 'dead') alive.push(life.agent_id);
    else await recordEnd(effects, life.incarnation as IncarnationId, { why: 'it was found gone', asked: false });
  }
  if (alive.length === 0) return undefined;
  return refuse('team_already_running', `The team ${team} is running, with ${alive.join(', ')}. Nothing was changed.`, {
    evidence: { team, agents: alive },
    next: [`team-agent shutdown --team ${shellWord(team)}`, `team-agent start-agent AGENT --team ${shellWord(team)}`],
  });
}

async function planOne(
  effects: Effects,
  team: Team,
  spec: AgentSpec,
  order: RestartOrder,
): Promise<PlannedAgent | Refusal> {
  const { db } = effects.ledger;
  const member = (await agentsOf(db, team.id)).find(({ agent_id }) => agent_id === spec.id);
  return planAgent(effects, team, spec, order, async (installation) =>
    member ? conversationFor(db, member, spec, installation, order) : undefined,
  );
}

/** Every agent that stands in the way, in one refusal: it comes before anything was started. */
function together(refused: readonly Refusal[], order: RestartOrder): Refusal {
  const lost = refused.filter(({ reason }) => reason === 'resume_unavailable');
  const [other] = refused.filter(({ reason }) => reason !== 'resume_unavailable');
  if (other) return other;
  return refuse('resume_atomicity', `${lost.map(({ message }) => message).join(' ')} Nothing was started.`, {
    evidence: { unresumable: lost.map(({ evidence }) => evidence) },
    next: [`${order.command} --allow-fresh`],
  });
}
