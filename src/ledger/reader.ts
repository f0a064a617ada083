import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Kysely } from 'kysely';
import { sqliteDialect } from './dialect.ts';
import { MIGRATIONS, migrate } from './migrate.ts';
import type { LedgerTables } from './schema.ts';

/** A view of the ledger while no coordinator lives. It changes no byte below `.team/` and leaves nothing anywhere. */
export interface LedgerReader {
  readonly db: Kysely<LedgerTables>;
  close(): Promise<void>;
}

/** Opens the ledger for reading; undefined when there is none, or one that was never finished. */
export function openLedgerReader(file: string): LedgerReader | undefined {
  if (!fs.existsSync(file)) return undefined;
  const connection = walSize(file) === 0 ? openImmutable(file) : openCopy(file);
  const made = connection.prepare(`select 1 from sqlite_master where name = 'teams'`).get();
  if (!made) {
    connection.close();
    return undefined;
  }
  const db = new Kysely<LedgerTables>({ dialect: sqliteDialect(connection) });
  return { db, close: () => db.destroy() };
}

/** The ledger of a project in which nothing was ever started: every table, and nothing in any. */
export async function emptyLedger(): Promise<LedgerReader> {
  const db = new Kysely<LedgerTables>({ dialect: sqliteDialect(new DatabaseSync(':memory:')) });
  const refused = await migrate(db, () => undefined, MIGRATIONS);
  if (refused) throw new Error(refused.message);
  return { db, close: () => db.destroy() };
}

const walSize = (file: string): number => fs.statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;

/** Without a write-ahead log the file itself is whole: read it as one that nobody writes, with no lock and no side file. */
function openImmutable(file: string): DatabaseSync {
  const url = pathToFileURL(file);
  url.searchParams.set('immutable', '1');
  return new DatabaseSync(url, { readOnly: true });
}

/** With a log left by a killed coordinator: a private copy of both, whose names are gone again before this returns. */
function openCopy(file: string): DatabaseSync {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'team-agent-read-'));
  try {
    const copy = path.join(folder, 'team.db');
    fs.copyFileSync(file, copy);
    fs.copyFileSync(`${file}-wal`, `${copy}-wal`);
    const connection = new DatabaseSync(copy);
    connection.exec('pragma locking_mode = exclusive; pragma wal_autocheckpoint = 0;');
    connection.prepare('select count(*) from sqlite_master').get();
    return connection;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
