import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Sessions and journals get their place in the team's one order: a clock that was set back says nothing of which came last.
 * Those of before keep the order in which they were written down, ahead of every number that a team gives.
 */
export const order: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};

const STATEMENTS = [
  `alter table sessions add column seq bigint not null default 0`,
  `update sessions set seq = - (select count(*) from sessions later where later.team = sessions.team
    and (later.opened_at, later.rowid) > (sessions.opened_at, sessions.rowid))`,
  `alter table sagas add column seq bigint not null default 0`,
  `update sagas set seq = - (select count(*) from sagas later where later.team = sagas.team
    and (later.started_at, later.rowid) > (sagas.started_at, sagas.rowid))`,
  // The results of a task are read in their order, without a look at those of every other one.
  `create index results_by_task on results (team, task_id, seq)`,
];
