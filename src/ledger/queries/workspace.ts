import type { Insertable } from 'kysely';
import type { Change } from '../ledger.ts';
import type { TeamsTable } from '../schema.ts';
import type { Reading } from './messages.ts';

/** The loopback port this host chose for the workspace; 0: none yet. */
export async function chosenPort(db: Reading, host: string): Promise<number> {
  const row = await db.selectFrom('workspaces').select('port').where('host', '=', host).executeTakeFirst();
  return row?.port ?? 0;
}

export function keepPort(db: Reading, host: string, port: number): Promise<unknown> {
  return db.updateTable('workspaces').set({ port }).where('host', '=', host).execute();
}

/** Puts a team into the ledger, owned by this boot, or brings a known one up to its documents. First thing in a change. */
export function putTeam(
  change: Change,
  row: Omit<Insertable<TeamsTable>, 'team' | 'home_host' | 'home_epoch' | 'next_seq' | 'created_at'>,
): Promise<unknown> {
  const home = { home_host: change.ownership.host, home_epoch: change.ownership.epoch };
  return change.tx
    .insertInto('teams')
    .values({ ...row, ...home, team: change.team, next_seq: 0, created_at: change.now })
    .onConflict((conflict) => conflict.column('team').doUpdateSet(row))
    .execute();
}

export function setTeamIntent(change: Change, intent: 'running' | 'stopped'): Promise<unknown> {
  return change.tx.updateTable('teams').set({ intent }).where('team', '=', change.team).execute();
}
