import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Kysely } from 'kysely';
import { sqliteDialect } from './dialect.ts';
import { isOlder, MIGRATIONS, migrate } from './migrate.ts';
import type { LedgerTables } from './schema.ts';

/** A view of the ledger while no coordinator lives. It changes no byte below `.team/` and leaves nothing anywhere. */
export interface LedgerReader {
  readonly db: Kysely<LedgerTables>;
  close(): Promise<void>;
}

/**
 * Opens the ledger for reading; undefined when there is none, or one that was never finished. Of a ledger of an earlier version
 * a private copy is brought up: the ledger itself stays as it is.
 */
export async function openLedgerReader(file: string): Promise<LedgerReader | undefined> {
  if (!fs.existsSync(file)) return undefined;
  const connection = walSize(file) === 0 ? openImmutable(file) : openCopy(file);
  const made = connection.prepare(`select 1 from sqlite_master where name = 'teams'`).get();
  if (!made) {
    connection.close();
    return undefined;
  }
  const reader = readerOn(connection);
  if (!(await isOlder(reader.db, MIGRATIONS))) return reader;
  await reader.close();
  return broughtUp(readerOn(openCopy(file)));
}

function readerOn(connection: DatabaseSync): LedgerReader {
  const db = new Kysely<LedgerTables>({ dialect: sqliteDialect(connection) });
  return { db, close: () => db.destroy() };
}

async function broughtUp(reader: LedgerReader): Promise<LedgerReader> {
  const refused = await migrate(reader.db, () => undefined, MIGRATIONS);
  if (refused) throw new Error(refused.message);
  return reader;
}

/** The ledger of a project in which nothing was ever started: every table, and nothing in any. */
export function emptyLedger(): Promise<LedgerReader> {
  return broughtUp(readerOn(new DatabaseSync(':memory:')));
}

const walSize = (file: string): number => fs.statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;

/** Without a write-ahead log the file itself is whole: read it as one that nobody writes, with no lock and no side file. */
function openImmutable(file: string): DatabaseSync {
  const url = pathToFileURL(file);
  url.searchParams.set('immutable', '1');
  return new DatabaseSync(url, { readOnly: true });
}

/** A private copy, with the log that a killed coordinator may have left; its names are gone again before this returns. */
function openCopy(file: string): DatabaseSync {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'team-agent-read-'));
  try {
    const copy = path.join(folder, 'team.db');
    fs.copyFileSync(file, copy);
    if (fs.existsSync(`${file}-wal`)) fs.copyFileSync(`${file}-wal`, `${copy}-wal`);
    const connection = new DatabaseSync(copy);
    connection.exec('pragma locking_mode = exclusive; pragma wal_autocheckpoint = 0;');
    connection.prepare('select count(*) from sqlite_master').get();
    return connection;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
