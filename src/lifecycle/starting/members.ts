import { type AgentId, isRefusal, type Refusal, type TeamId } from '../../kernel/index.ts';
import { type MemberChangeRow, memberChanges, type TeamRow } from '../../ledger/index.ts';
import { type AgentSpec, type MemberChange, mendedFor, type Team, teamIdAt } from '../../team/index.ts';
import type { Sight } from '../sight.ts';
import {
  commandOf,
  fallbackNameOf,
  type LaunchOrder,
  type LaunchWords,
  readDocuments,
  readDocumentsOf,
} from './plan.ts';

type House = Pick<Sight, 'workspace' | 'ledger'>;

/** A team as it is: its documents as they are written now, with those who were added and without those who were removed. */
export async function readMembers(house: House, row: TeamRow): Promise<Team | Refusal> {
  return readDocumentsOf(house.workspace, row, await changesOf(house, row.team as TeamId));
}

/** The same for documents that are to be started: which team they mean stands in their head. */
export async function readOrdered(house: House, order: LaunchWords): Promise<Team | Refusal> {
  const id = teamIdAt(order.folder, fallbackNameOf(order));
  const changes = id === undefined ? [] : await changesOf(house, id);
  return mendedFor(readDocuments(house.workspace, order, changes), commandOf(order));
}

/** What of an agent says which variables it asks for: its document, and what its CLI finds where it would work. */
export type Asking = Pick<AgentSpec, 'id' | 'provider' | 'model' | 'folder' | 'permission' | 'env' | 'profile'>;

/** Who is asked about, and whether their documents switch on what is deprecated. */
type Askers = Pick<Team, 'autoTrust'> & {
  readonly agents: readonly Asking[];
  /** Who was added to their team or removed from it beside them. */
  readonly changes: readonly MemberChange[];
};

/** Those who would be started if these documents were launched: also who was added beside them, without who was removed. */
export async function whoLaunches(
  house: House,
  order: Pick<LaunchOrder, 'folder' | 'name' | 'team_id'>,
): Promise<Askers | Refusal> {
  const team = await readOrdered(house, order);
  if (isRefusal(team)) return team;
  return { autoTrust: team.autoTrust, agents: askingOf(team.agents), changes: await changesOf(house, team.id) };
}

/** Those who would be started, as the team is; `newcomer`: and somebody who is to be added. */
export async function whoAsks(house: House, row: TeamRow, newcomer?: AgentSpec): Promise<Askers | Refusal> {
  const team = await readMembers(house, row);
  if (isRefusal(team)) return team;
  const agents = askingOf(newcomer ? [...team.agents, newcomer] : team.agents);
  return { autoTrust: team.autoTrust, agents, changes: await changesOf(house, team.id) };
}

function askingOf(agents: readonly AgentSpec[]): readonly Asking[] {
  return agents.map(({ id, provider, model, folder, permission, env, profile }) => ({
    ...{ id, provider, model, folder, permission, env },
    ...(profile ? { profile } : {}),
  }));
}

/** Who was added to a team or removed from it beside its documents. */
export async function changesOf({ ledger }: House, team: TeamId): Promise<readonly MemberChange[]> {
  return (await memberChanges(ledger.db, team)).map(changeOf);
}

function changeOf({ agent_id, kind, document }: MemberChangeRow): MemberChange {
  const id = agent_id as AgentId;
  return kind === 'added' && document !== null ? { kind, id, document } : { kind: 'removed', id };
}
