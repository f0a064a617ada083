import type { Selectable } from 'kysely';
import type { AgentId, TeamId } from '../../kernel/index.ts';
import type { Change } from '../ledger.ts';
import type { MemberChangesTable } from '../schema.ts';
import type { AgentRow } from './agents.ts';
import type { Reading } from './messages.ts';

export type MemberChangeRow = Selectable<MemberChangesTable>;

/** Who was added to a team or removed from it beside its documents, in the order in which that was asked for. */
export function memberChanges(db: Reading, team: TeamId): Promise<MemberChangeRow[]> {
  return db
    .selectFrom('member_changes')
    .selectAll()
    .where('team', '=', team)
    .orderBy('made_at')
    .orderBy('agent_id')
    .execute();
}

/** Writes down what holds of an id from now on; what held before is forgotten. */
export function putMemberChange(change: Change, row: Omit<MemberChangeRow, 'team' | 'made_at'>): Promise<unknown> {
  const whole = { ...row, team: change.team, made_at: change.now };
  return change.tx
    .insertInto('member_changes')
    .values(whole)
    .onConflict((conflict) => conflict.columns(['team', 'agent_id']).doUpdateSet(whole))
    .execute();
}

/** From now on only the documents say whether an id is a member. */
export function deleteMemberChange(change: Change, agent: AgentId): Promise<unknown> {
  return change.tx.deleteFrom('member_changes').where('team', '=', change.team).where('agent_id', '=', agent).execute();
}

/** Of each id that was ever in a team the last one that bore it, also when that one was removed. */
export async function everybodyOf(db: Reading, team: TeamId): Promise<AgentRow[]> {
  const rows = await db
    .selectFrom('agents')
    .selectAll()
    .where('team', '=', team)
    .orderBy('position')
    .orderBy('generation')
    .execute();
  return [...new Map(rows.map((row) => [row.agent_id, row])).values()];
}

/** The last one that bore an id, also when it was removed; undefined when nobody ever did. */
export function lastBearer(db: Reading, team: TeamId, agent: AgentId): Promise<AgentRow | undefined> {
  return db
    .selectFrom('agents')
    .selectAll()
    .where('team', '=', team)
    .where('agent_id', '=', agent)
    .orderBy('generation', 'desc')
    .limit(1)
    .executeTakeFirst();
}
