import { type AgentId, isRefusal, type Refusal, type TeamId } from '../../kernel/index.ts';
import { type MemberChangeRow, memberChanges, type TeamRow } from '../../ledger/index.ts';
import type { AgentSpec, MemberChange, Team } from '../../team/index.ts';
import type { Effects } from '../effects.ts';
import { type LaunchOrder, readDocuments } from './plan.ts';

type House = Pick<Effects, 'workspace' | 'ledger'>;

/** A team as it is: its documents as they are written now, with those who were added and without those who were removed. */
export async function readMembers(effects: House, { team, documents, name }: TeamRow): Promise<Team | Refusal> {
  const changes = await changesOf(effects, team as TeamId);
  return readDocuments(effects.workspace, { folder: documents, name }, changes);
}

/** The same for documents that are to be started: which team they mean stands in them. */
export async function readOrdered(
  effects: House,
  order: Pick<LaunchOrder, 'folder' | 'name' | 'team_id'>,
): Promise<Team | Refusal> {
  const team = readDocuments(effects.workspace, order);
  if (isRefusal(team)) return team;
  const changes = await changesOf(effects, team.id);
  return changes.length === 0 ? team : readDocuments(effects.workspace, order, changes);
}

/** What of an agent says which variables it asks for: its document, and what its CLI finds where it would work. */
export type Asking = Pick<AgentSpec, 'id' | 'provider' | 'folder' | 'permission' | 'env'>;

/** Those who would be started, by a team's documents. */
export async function whoAsks(
  effects: Pick<Effects, 'workspace' | 'ledger'>,
  row: TeamRow,
  newcomer?: AgentSpec,
): Promise<readonly Asking[] | Refusal> {
  const team = await readMembers(effects, row);
  if (isRefusal(team)) return team;
  const agents = newcomer ? [...team.agents, newcomer] : team.agents;
  return agents.map(({ id, provider, folder, permission, env }) => ({ id, provider, folder, permission, env }));
}

/** Who was added to a team or removed from it beside its documents. */
export async function changesOf({ ledger }: House, team: TeamId): Promise<readonly MemberChange[]> {
  return (await memberChanges(ledger.db, team)).map(changeOf);
}

function changeOf({ agent_id, kind, document }: MemberChangeRow): MemberChange {
  const id = agent_id as AgentId;
  return kind === 'added' && document !== null ? { kind, id, document } : { kind: 'removed', id };
}
