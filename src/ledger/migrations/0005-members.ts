import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Who was added to a team or removed from it beside what its documents say. */
export const members: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql
      .raw(
        `create table member_changes (
          team text not null references teams (team), agent_id text not null, kind text not null, document text,
          document_hash text, forked_from text, made_at bigint not null, made_by text not null,
          primary key (team, agent_id))`,
      )
      .execute(db);
  },
};
