import {
  type AgentId,
  agentId,
  isRefusal,
  type Refusal,
  readIfThere,
  refuse,
  shellWord,
  type TeamId,
} from '../../kernel/index.ts';
import { agentsOf, findTeam, type MemberChangeRow, memberChanges, type TeamRow } from '../../ledger/index.ts';
import { type AgentSpec, adoptRole, mendedFor, type Team } from '../../team/index.ts';
import type { Sight } from '../sight.ts';
import { forkOf, NOTHING_TO_GO_ON_WITH } from '../starting/conversation.ts';
import { type KeptDocument, keptDocument } from '../starting/kept-document.ts';
import { changesOf } from '../starting/members.ts';
import { type PlannedAgent, readDocumentsOf, type StartOrder } from '../starting/plan.ts';
import { agentPaused, memberOf, planOne, type StartPlan, teamNotRunning } from './starting.ts';

interface JoinOrder extends StartOrder {
  /** The id of the new agent. */
  readonly agent: string;
  /** A person says yes to an agent that never asks. */
  readonly yes?: boolean | undefined;
}

export interface AddOrder extends JoinOrder {
  /** Absolute path of its role document. */
  readonly role_file: string;
}

export interface ForkOrder extends JoinOrder {
  readonly source: AgentId;
  /** What the new agent is, when it is not what its source is. */
  readonly label?: string | undefined;
}

/** Somebody who is to become a member, with the role document that the team keeps for it. */
export interface Newcomer {
  readonly team: Team;
  readonly spec: AgentSpec;
  readonly document: KeptDocument;
  /** What held of this id before: it holds again when nothing comes of this. */
  readonly before: MemberChangeRow | null;
}

/** What an addition or a fork will do. */
export interface JoinPlan extends StartPlan<PlannedAgent> {
  readonly newcomer: Newcomer;
  /** Of a fork: who is forked, and since when that one has something to lose. */
  readonly source?: { readonly id: AgentId; readonly interacted_at: number | null };
}

/** The plan of an addition; all its refusals come from here, before any effect. */
export async function planAdd(sight: Sight, row: TeamRow, order: AddOrder): Promise<JoinPlan | Refusal> {
  const team = await running(sight, row);
  if (isRefusal(team)) return team;
  const newcomer = mendedFor(await addedNewcomer(sight, team, order), order.command);
  if (isRefusal(newcomer)) return newcomer;
  const plan = await planOne(sight, newcomer, order, async () => NOTHING_TO_GO_ON_WITH);
  return isRefusal(plan) ? plan : { ...plan, newcomer };
}

/** The plan of a fork: the same with a conversation to begin with. */
export async function planFork(sight: Sight, row: TeamRow, order: ForkOrder): Promise<JoinPlan | Refusal> {
  const team = await running(sight, row);
  const found = isRefusal(team) ? team : await memberOf(sight, team, order.source, order.command);
  if (isRefusal(found)) return found;
  const { spec, member } = found;
  const text = readIfThere(spec.file);
  if (text === undefined) throw new Error(`${spec.file} was read a moment ago`);
  const wanted = { id: order.agent, source: spec.file, text, role: order.label };
  const newcomer = mendedFor(await newcomerOf(sight, row, wanted), order.command);
  if (isRefusal(newcomer)) return newcomer;
  const runs = sight.roster.member(newcomer.team.id, spec.id)?.processLiveness() === 'alive';
  const plan = await planOne(sight, newcomer, order, (installation) =>
    forkOf(sight.ledger.db, member, spec, installation, runs),
  );
  if (isRefusal(plan)) return plan;
  return { ...plan, newcomer, source: { id: spec.id, interacted_at: member.interacted_at } };
}

async function running({ ledger }: Sight, row: TeamRow): Promise<TeamRow | Refusal> {
  const now = await findTeam(ledger.db, row.team as TeamId);
  return now?.intent === 'running' ? now : teamNotRunning(row);
}

/** What a team would be with the agent of a role document in it. */
export async function addedNewcomer(
  sight: Sight,
  row: TeamRow,
  { agent, role_file }: Pick<AddOrder, 'agent' | 'role_file'>,
): Promise<Newcomer | Refusal> {
  const text = readIfThere(role_file);
  if (text !== undefined) return newcomerOf(sight, row, { id: agent, source: role_file, text });
  return refuse('role_file_missing', `There is no file ${role_file}: a role document describes the new agent.`, {
    evidence: { role_file },
    next: [`ls ${shellWord(row.documents)}`],
  });
}

/** Whose role document somebody new gets: `text` stands in `source`. */
interface Wanted {
  readonly id: string;
  readonly source: string;
  readonly text: string;
  readonly role?: string | undefined;
}

async function newcomerOf(sight: Sight, row: TeamRow, wanted: Wanted): Promise<Newcomer | Refusal> {
  const id = agentId(wanted.id);
  if (id === undefined) return notAnId(wanted.id);
  const team = row.team as TeamId;
  const taken = await nameTaken(sight, row, id);
  if (taken) return taken;
  const text = adoptRole(wanted.source, wanted.text, { id, role: wanted.role });
  if (typeof text !== 'string') return text;
  const others = (await changesOf(sight, team)).filter((change) => change.id !== id);
  // What is wrong is told of the file that its author knows.
  const added = { kind: 'added', id, document: wanted.source, text } as const;
  const read = readDocumentsOf(sight.workspace, row, [...others, added]);
  if (isRefusal(read)) return read;
  const spec = read.agents.find((agent) => agent.id === id);
  if (!spec) throw new Error(`${id} was compiled away`);
  if (spec.paused) return agentPaused(team, spec);
  const before = (await memberChanges(sight.ledger.db, team)).find(({ agent_id }) => agent_id === id);
  const document = keptDocument(row, id, text);
  if (isRefusal(document)) return document;
  return { team: read, spec: { ...spec, file: document.path }, document, before: before ?? null };
}

function notAnId(id: string): Refusal {
  return refuse(
    'agent_id_invalid',
    `${JSON.stringify(id)} cannot be an agent: 1 to 64 of the characters A-Z a-z 0-9 _ -, beginning with a letter or digit, and not leader.`,
    { evidence: { agent: id }, next: ['team-agent status'] },
  );
}

async function nameTaken({ ledger }: Sight, { team }: TeamRow, id: AgentId): Promise<Refusal | undefined> {
  const member = (await agentsOf(ledger.db, team as TeamId)).find(({ agent_id }) => agent_id === id);
  if (!member) return undefined;
  const words = `${shellWord(id)} --team ${shellWord(team)}`;
  return refuse('agent_exists', `The team ${team} has an agent ${id} already. Nothing was changed.`, {
    evidence: { agent: id, provider: member.provider, intent: member.intent },
    next: [`team-agent status --team ${shellWord(team)}`, `team-agent start-agent ${words}`],
  });
}
