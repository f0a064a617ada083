import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { type Refusal, refuse } from '../kernel/index.ts';
import { spine } from './migrations/0001-spine.ts';
import { realAgents } from './migrations/0002-real-agents.ts';
import { provedMessages } from './migrations/0003-proved-messages.ts';
import { lives } from './migrations/0004-lives.ts';
import { members } from './migrations/0005-members.ts';
import { order } from './migrations/0006-order.ts';
import type { LedgerTables } from './schema.ts';

/** All migrations, oldest first. A shipped one never changes. */
export const MIGRATIONS: Migrations = {
  '0001-spine': spine,
  '0002-real-agents': realAgents,
  '0003-proved-messages': provedMessages,
  '0004-lives': lives,
  '0005-members': members,
  '0006-order': order,
};

export type Migrations = Readonly<Record<string, Migration>>;

/** Brings the ledger up to this version, calling `before` ahead of each step on a ledger that holds something. */
export async function migrate(
  db: Kysely<LedgerTables>,
  before: (name: string) => void,
  migrations: Migrations,
): Promise<Refusal | undefined> {
  const done = await appliedMigrations(db);
  const unknown = done.filter((name) => !(name in migrations));
  if (unknown.length > 0) {
    return refuse(
      'ledger_newer',
      `The ledger was written by a newer version of team-agent (it has ${unknown.join(', ')}).`,
      {
        evidence: { unknown },
        next: ['npm install -g team-agent@latest'],
      },
    );
  }
  for (const name of Object.keys(migrations).filter((name) => !done.includes(name))) {
    if (done.length > 0) before(name);
    const { error } = await migratorOf(db, migrations).migrateTo(name);
    if (error) throw error;
  }
  return undefined;
}

function migratorOf(db: Kysely<LedgerTables>, migrations: Migrations): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
}

/** Was it written by an earlier version, and not brought up since? */
export async function isOlder(db: Kysely<LedgerTables>, migrations: Migrations): Promise<boolean> {
  const done = await appliedMigrations(db);
  return Object.keys(migrations).some((name) => !done.includes(name));
}

async function appliedMigrations(db: Kysely<LedgerTables>): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === 'kysely_migration')) return [];
  const rows = await db
    .withTables<{ kysely_migration: { name: string } }>()
    .selectFrom('kysely_migration')
    .select('name')
    .execute();
  return rows.map((row) => row.name);
}
