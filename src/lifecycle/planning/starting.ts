import { type AgentId, isRefusal, type Refusal, refuse, shellWord, type TeamId } from '../../kernel/index.ts';
import { type AgentRow, agentsOf, findTeam, lastSession, type TeamRow } from '../../ledger/index.ts';
import { type AgentSpec, mendedFor, type Team } from '../../team/index.ts';
import type { Sight } from '../sight.ts';
import { conversationFor, NOTHING_TO_GO_ON_WITH } from '../starting/conversation.ts';
import { readMembers } from '../starting/members.ts';
import { type Beginning, type Choose, type PlannedAgent, planAgent, type StartOrder } from '../starting/plan.ts';
import { unknownMember } from './ending.ts';
import { type Grant, grantsOf, withoutYes } from './grants.ts';
import { overLimit } from './limit.ts';
import type { Kept } from './plan.ts';

export interface StartAgentOrder extends StartOrder {
  readonly agent: AgentId;
  /** A life that still goes is ended first. */
  readonly force: boolean;
  /** A conversation that cannot be resumed is given up. */
  readonly allow_fresh: boolean;
  /** See `Consent`. */
  readonly lost?: ReadonlySet<string>;
  /** A person says yes to an agent that never asks. */
  readonly yes?: boolean | undefined;
}

export type ResetOrder = Omit<StartAgentOrder, 'force' | 'allow_fresh' | 'lost'>;

/** What a start or a reset of one agent will do. */
export interface StartPlan<Agent = PlannedAgent | Kept> {
  readonly team: Team;
  readonly agent: Agent;
  readonly granted: readonly Grant[];
}

/** The plan of a start; all its refusals come from here, before any effect. */
export async function planStart(sight: Sight, row: TeamRow, order: StartAgentOrder): Promise<StartPlan | Refusal> {
  const found = await startable(sight, row, order);
  if (isRefusal(found)) return found;
  const { team, spec, member } = found;
  const runs = sight.roster.member(team.id, spec.id)?.processLiveness();
  if (runs === 'alive' && !order.force) {
    const agent: Kept = { action: 'keep', spec, intent: 'running', reason: 'it runs already' };
    return { team, agent, granted: await grantsOf(sight.ledger.db, team.id) };
  }
  if (runs === 'unknown' && !order.force) return perhapsAlive(team.id, spec, order);
  return planOne(sight, found, order, (installation) =>
    conversationFor(sight.ledger.db, member, spec, installation, order),
  );
}

/** The plan of a reset: its conversation is given up, whatever it is. */
export async function planReset(
  sight: Sight,
  row: TeamRow,
  order: ResetOrder,
): Promise<StartPlan<PlannedAgent> | Refusal> {
  const found = await startable(sight, row, order);
  if (isRefusal(found)) return found;
  return planOne(sight, found, order, () => givenUp(sight, found));
}

async function givenUp({ ledger }: Sight, { team, spec }: Startable): Promise<Beginning> {
  const left = await lastSession(ledger.db, team.id, spec.id);
  if (!left) return NOTHING_TO_GO_ON_WITH;
  return { action: 'fresh', reason: 'its conversation is given up (--discard-session)' };
}

/** The start of one agent as a member of its team: the limit, a person's yes, then all that its CLI needs. */
export async function planOne(
  sight: Sight,
  { team, spec }: Pick<Startable, 'team' | 'spec'>,
  order: Omit<ResetOrder, 'agent'>,
  choose: Choose,
): Promise<StartPlan<PlannedAgent> | Refusal> {
  const { db } = sight.ledger;
  const granted = await grantsOf(db, team.id);
  const refused = (await overLimit(sight, db, team, spec.id)) ?? withoutYes([spec], order, granted);
  if (refused) return refused;
  const agent = await planAgent(sight, team, spec, order, choose);
  return isRefusal(agent) ? agent : { team, agent, granted };
}

/** Unknown never destroys: only somebody who says so ends a life that may still go. */
function perhapsAlive(team: TeamId, spec: AgentSpec, { command }: StartAgentOrder): Refusal {
  return refuse('agent_may_live', `Nobody can tell whether ${spec.id} still runs. Say --force to end it first.`, {
    evidence: { agent: spec.id },
    next: [`${command} --force`, `team-agent why ${shellWord(spec.id)} --team ${shellWord(team)}`],
  });
}

interface Startable {
  readonly team: Team;
  readonly spec: AgentSpec;
  readonly member: AgentRow;
}

/** A member that may be started now, of a team that runs. Looked at again by each verb: others may have come first. */
async function startable(
  sight: Sight,
  row: TeamRow,
  { agent, command }: Pick<ResetOrder, 'agent' | 'command'>,
): Promise<Startable | Refusal> {
  const now = await findTeam(sight.ledger.db, row.team as TeamId);
  if (now?.intent !== 'running') return teamNotRunning(row);
  const found = await memberOf(sight, now, agent, command);
  if (isRefusal(found) || !found.spec.paused) return found;
  return agentPaused(found.team.id, found.spec);
}

export function agentPaused(team: TeamId, { id, file }: Pick<AgentSpec, 'id' | 'file'>): Refusal {
  return refuse('agent_paused', `${id} is paused by its document ${file}.`, {
    evidence: { agent: id, file },
    next: [`team-agent status --team ${shellWord(team)}`],
  });
}

export function teamNotRunning({ team, documents }: TeamRow): Refusal {
  return refuse('team_not_running', `The team ${team} is shut down.`, {
    next: [`team-agent restart --team ${shellWord(team)}`, `team-agent quick-start ${shellWord(documents)}`],
  });
}

/** An agent as its documents tell it now: an edited role takes effect with the next start. `command` is what was typed. */
export async function memberOf(
  sight: Sight,
  row: TeamRow,
  agent: AgentId,
  command: string,
): Promise<Startable | Refusal> {
  const id = row.team as TeamId;
  const members = await agentsOf(sight.ledger.db, id);
  const member = members.find(({ agent_id }) => agent_id === agent);
  if (!member) return unknownMember(id, agent, members);
  const team = mendedFor(await readMembers(sight, row), command);
  if (isRefusal(team)) return team;
  const spec = team.agents.find((one) => one.id === agent);
  if (spec) return { team, spec, member };
  return refuse('team_document_invalid', `No document of ${row.documents} describes ${agent} any more.`, {
    evidence: { agent, folder: row.documents },
    next: [`ls ${shellWord(row.documents)}`],
  });
}
