import { type AgentId, isRefusal, type Refusal, refuse, shellWord, type TeamId } from '../../kernel/index.ts';
import {
  type AgentRow,
  agentsOf,
  findTeam,
  liveIncarnations,
  type TeamRow,
  updateAgent,
  upsertAgent,
} from '../../ledger/index.ts';
import type { AgentSpec, Team } from '../../team/index.ts';
import type { Effects } from '../effects.ts';
import { enrol } from '../enrolling.ts';
import type { Started } from '../starting/agent.ts';
import { conversationFor } from '../starting/conversation.ts';
import { recordDeprecated } from '../starting/deprecated.ts';
import { type FailedLives, startLives, undoLives } from '../starting/lives.ts';
import {
  type Choose,
  type PlannedAgent,
  planAgent,
  readDocuments,
  type StartOrder,
  withoutYes,
} from '../starting/plan.ts';
import { agentRow, failed, grant } from './launch.ts';
import { stopNow } from './stop.ts';

export interface StartAgentOrder extends StartOrder {
  readonly agent: AgentId;
  /** A life that still goes is ended first. */
  readonly force: boolean;
  /** A conversation that cannot be resumed is given up. */
  readonly allow_fresh: boolean;
  /** A person says yes to an agent that never asks. */
  readonly yes?: boolean | undefined;
}

export type StartMode = 'noop' | 'resumed' | 'fresh';

export interface AgentStarted {
  readonly ok: true;
  readonly start_mode: StartMode;
  /** Undefined when it ran already. */
  readonly started?: Started;
}

/** Starts one agent of a team that runs, on the conversation that it had. Nobody else is touched. */
export function startOne(effects: Effects, row: TeamRow, order: StartAgentOrder): Promise<AgentStarted | Refusal> {
  const touched = { team: row.team as TeamId, agent: order.agent };
  return effects.queue.run(touched, (cut) => startNow(effects, row, order, cut));
}

async function startNow(
  effects: Effects,
  row: TeamRow,
  order: StartAgentOrder,
  cut: AbortSignal,
): Promise<AgentStarted | Refusal> {
  const found = await startable(effects, row, order.agent);
  if (isRefusal(found)) return found;
  const { team, spec, member } = found;
  const runs = effects.roster.member(team.id, spec.id)?.processLiveness();
  if (runs === 'alive' && !order.force) return { ok: true, start_mode: 'noop' };
  if (runs === 'unknown' && !order.force) return perhapsAlive(spec, order);
  const planned = await planStart(effects, found, order, (installation) =>
    conversationFor(effects.ledger.db, member, spec, installation, order),
  );
  if (isRefusal(planned)) return planned;
  if (await lives(effects, team.id, spec.id)) {
    const stopped = await stopNow(effects, row, spec.id, 'it is started anew');
    if (isRefusal(stopped)) return stopped;
  }
  return startPlanned(effects, team, planned, order, cut);
}

/** Unknown never destroys: only somebody who says so ends a life that may still go. */
function perhapsAlive(spec: AgentSpec, { command }: StartAgentOrder): Refusal {
  return refuse('agent_may_live', `Nobody can tell whether ${spec.id} still runs. Say --force to end it first.`, {
    evidence: { agent: spec.id },
    next: [`${command} --force`, `team-agent why ${spec.id}`],
  });
}

export interface Startable {
  readonly team: Team;
  readonly spec: AgentSpec;
  readonly member: AgentRow;
}

/** A member that may be started now, of a team that runs. Looked at again by each verb: others may have come first. */
export async function startable(effects: Effects, row: TeamRow, agent: AgentId): Promise<Startable | Refusal> {
  const now = await findTeam(effects.ledger.db, row.team as TeamId);
  if (now?.intent !== 'running') return teamNotRunning(row);
  const found = await memberOf(effects, now, agent);
  if (isRefusal(found) || !found.spec.paused) return found;
  const { team, spec } = found;
  return refuse('agent_paused', `${spec.id} is paused by its document ${spec.file}.`, {
    evidence: { agent: spec.id, file: spec.file },
    next: [`team-agent status --team ${shellWord(team.id)}`],
  });
}

export function teamNotRunning({ team, documents }: TeamRow): Refusal {
  return refuse('team_not_running', `The team ${team} is shut down.`, {
    next: [`team-agent restart --team ${shellWord(team)}`, `team-agent quick-start ${shellWord(documents)}`],
  });
}

/** All that a start would do; its refusals come from here, before any effect. */
export async function planStart(
  effects: Effects,
  { team, spec }: Startable,
  order: Omit<StartAgentOrder, 'agent' | 'force' | 'allow_fresh'>,
  choose?: Choose,
): Promise<PlannedAgent | Refusal> {
  const dangerous = withoutYes([spec], { folder: team.folder, ...order });
  if (dangerous) return { ...dangerous, next: [`${order.command} --yes`] };
  return planAgent(effects, team, spec, order, choose);
}

/** An agent as its documents tell it now: an edited role takes effect with the next start. */
async function memberOf(effects: Effects, row: TeamRow, agent: AgentId): Promise<Startable | Refusal> {
  const id = row.team as TeamId;
  const members = await agentsOf(effects.ledger.db, id);
  const member = members.find(({ agent_id }) => agent_id === agent);
  if (!member) {
    return refuse('agent_not_found', `Nobody in the team ${id} is called ${agent}.`, {
      evidence: { agent, members: members.map(({ agent_id }) => agent_id) },
      next: [`team-agent status --team ${shellWord(id)}`],
    });
  }
  const team = readDocuments(effects.workspace, { folder: row.documents, name: row.name });
  if (isRefusal(team)) return team;
  const spec = team.agents.find((one) => one.id === agent);
  if (spec) return { team, spec, member };
  return refuse('team_document_invalid', `No document of ${row.documents} describes ${agent} any more.`, {
    evidence: { agent, folder: row.documents },
    next: [`ls ${shellWord(row.documents)}`],
  });
}

async function lives({ ledger }: Effects, team: TeamId, agent: AgentId): Promise<boolean> {
  return (await liveIncarnations(ledger.db, team)).some(({ agent_id }) => agent_id === agent);
}

/** The start itself, of an agent that does not run. */
export async function startPlanned(
  effects: Effects,
  team: Team,
  planned: PlannedAgent,
  order: Pick<StartAgentOrder, 'trust' | 'yes' | 'asked_by' | 'command'>,
  cut: AbortSignal,
): Promise<AgentStarted | Refusal> {
  const { spec } = planned;
  const position = team.agents.findIndex(({ id }) => id === spec.id);
  const start_mode: StartMode = planned.request.continues ? 'resumed' : 'fresh';
  const done = await startLives(effects, {
    verb: 'start',
    team,
    agents: [planned],
    cut,
    asked: async (change) => {
      await upsertAgent(change, agentRow(team, spec, position));
      await recordDeprecated(change, team);
      await change.event('agent.starting', { agent_id: spec.id, start_mode, asked_by: order.asked_by });
      await grant(change, { agents: [planned] }, order);
    },
    enrol: () => enrol(effects, team.id, spec.id),
    ready: async (change) => {
      await change.event('agent.started', { agent_id: spec.id, start_mode, session_id: planned.request.session });
    },
  });
  if (!done.ok) return undo(effects, planned, done, order.command);
  const [started] = done.started;
  return { ok: true, start_mode, ...(started ? { started } : {}) };
}

async function undo(
  effects: Effects,
  { spec, incarnation }: PlannedAgent,
  { saga, failures }: FailedLives,
  command: string,
): Promise<Refusal> {
  await undoStart(effects, saga, [incarnation]);
  const next = [command, `team-agent why ${shellWord(spec.id)}`];
  return failed(failures, `${spec.id} was not started; the others go on.`, next);
}

/** Ends what a start of single agents began, and those agents alone; boot comes here after a crash. */
export async function undoStart(
  effects: Effects,
  saga: FailedLives['saga'],
  incarnations: readonly string[],
): Promise<void> {
  await undoLives(effects, saga, incarnations, {
    undone: async (change, agents) => {
      for (const agent of agents) await updateAgent(change, agent, { intent: 'stopped' });
      await change.event('agent.start_undone', { agents });
    },
  });
  await enrol(effects, saga.team);
}
