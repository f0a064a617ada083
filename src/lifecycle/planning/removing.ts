import { type AgentId, type Refusal, refuse, shellWord, type TeamId } from '../../kernel/index.ts';
import {
  type AgentRow,
  agentsOf,
  type IncarnationRow,
  liveIncarnations,
  type MemberChangeRow,
  memberChanges,
  type TeamRow,
} from '../../ledger/index.ts';
import { describesAgent } from '../../team/index.ts';
import type { Sight } from '../sight.ts';
import type { Written } from '../starting/kept-document.ts';
import { unknownMember } from './ending.ts';
import { type AgentPlan, subjectOf } from './plan.ts';

export interface RemoveOrder {
  readonly agent: AgentId;
  /** The team's own documents describe it, and still do afterwards. */
  readonly from_spec: boolean;
  readonly confirm: boolean;
  /** A life that still goes is ended. */
  readonly force: boolean;
  readonly asked_by: string;
  /** The command line that asks for it, to be typed again with more flags. */
  readonly command: string;
}

/** Who is removed, as a journal keeps it. */
export interface Removed {
  readonly agent: AgentId;
  /** Which of those that bore the name. Older journals do not say. */
  readonly generation?: number;
  /** Do the team's own documents describe it? */
  readonly native: boolean;
  /** The document that the team kept for it. */
  readonly kept: Written | null;
}

/** What a removal will do. */
export interface RemovePlan {
  readonly removed: Removed;
  readonly member: AgentRow;
  readonly life: IncarnationRow | undefined;
  readonly agents: readonly AgentPlan[];
}

/** The plan of a removal; all its refusals come from here, before any effect. */
export async function planRemove(
  sight: Sight,
  row: TeamRow,
  { agent, command, ...order }: RemoveOrder,
): Promise<RemovePlan | Refusal> {
  const { db } = sight.ledger;
  const team = row.team as TeamId;
  const members = await agentsOf(db, team);
  const member = members.find(({ agent_id }) => agent_id === agent);
  if (!member) return unknownMember(team, agent, members);
  const change = (await memberChanges(db, team)).find(({ agent_id }) => agent_id === agent);
  // Somebody who was added under the name of a removed one is no word of the documents.
  if (change === undefined && !(order.from_spec && order.confirm)) return needsConfirmation(agent, row, command, order);
  if (members.length === 1) return isLast(agent, row);
  const life = (await liveIncarnations(db, team)).find(({ agent_id }) => agent_id === agent);
  if (life && !order.force) return stillRuns(agent, row, command);
  const removed = {
    agent,
    generation: member.generation,
    native: describesAgent(row.documents, agent),
    kept: keptOf(change),
  };
  return { removed, member, life, agents: [endOf(member, life)] };
}

function endOf(member: AgentRow, life: IncarnationRow | undefined): AgentPlan {
  const reason = 'it is no member any more: its conversation is given up, its mail is dead';
  const spec = subjectOf(member);
  return life ? { action: 'stop', spec, reason, life } : { action: 'keep', spec, reason, intent: 'stopped' };
}

function keptOf(change: MemberChangeRow | undefined): Removed['kept'] {
  return change?.document ? { path: change.document, written: change.document_hash } : null;
}

function needsConfirmation(
  agent: AgentId,
  { documents }: TeamRow,
  command: string,
  { force }: Pick<RemoveOrder, 'force'>,
): Refusal {
  return refuse(
    'from_spec_confirm_required',
    `${agent} is described by the team's own documents in ${documents}. They stay as they are; say --from-spec --confirm that it is to be no member any more. Nothing was changed.`,
    { evidence: { agent, documents }, next: [`${command} --from-spec --confirm${force ? '' : ' --force'}`] },
  );
}

function stillRuns(agent: AgentId, { team }: Pick<TeamRow, 'team'>, command: string): Refusal {
  return refuse('force_required', `${agent} has not ended. Say --force to end it. Nothing was changed.`, {
    evidence: { agent },
    next: [`${command} --force`, `team-agent stop-agent ${shellWord(agent)} --team ${shellWord(team)}`],
  });
}

function isLast(agent: AgentId, { team }: Pick<TeamRow, 'team'>): Refusal {
  return refuse('last_agent', `${agent} is the only agent of the team ${team}. Nothing was changed.`, {
    evidence: { agent, team },
    next: [`team-agent shutdown --team ${shellWord(team)}`],
  });
}
