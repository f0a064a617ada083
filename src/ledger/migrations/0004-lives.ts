import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Sessions that were given up on purpose: nobody resumes them, whatever still lies about. */
export const lives: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql.raw(`alter table sessions add column discarded_at bigint`).execute(db);
  },
};
