import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { Kysely } from 'kysely';
import { type Clock, isRefusal, type Refusal, refuse } from '../kernel/index.ts';
import { type Connection, sqliteDialect } from './dialect.ts';
import { Ledger } from './ledger.ts';
import { MIGRATIONS, type Migrations, migrate } from './migrate.ts';
import type { LedgerTables } from './schema.ts';

/**
 * How long an opener tries again, ms. Two that open a new file in one moment can each hold what the other one waits for:
 * then both have to let go, and come back at different times.
 */
const PATIENCE = 500;
/** The longest pause before a try, ms; each is drawn. A try on a new file takes some 5 ms. */
const LONGEST_PAUSE = 40;

/**
 * Opens the ledger as its only opener. WAL with an exclusive lock that the kernel frees when this process dies, so that no
 * second writer is possible and no `-shm` file ever exists; FULL, because what is acknowledged must survive a power cut.
 * Refuses `ledger_in_use` while another process has it, `ledger_newer` when a later version wrote it.
 */
export async function openLedger(
  file: string,
  clock: Clock,
  migrations: Migrations = MIGRATIONS,
): Promise<Ledger | Refusal> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    const opened = await openOnce(file, clock, migrations);
    if (!isRefusal(opened) || opened.reason !== 'ledger_in_use' || performance.now() > deadline) return opened;
    await pause(Math.random() * LONGEST_PAUSE);
  }
}

async function openOnce(file: string, clock: Clock, migrations: Migrations): Promise<Ledger | Refusal> {
  const fresh = !fs.existsSync(file);
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(file, { timeout: 0, enableForeignKeyConstraints: true });
    if (fresh) fs.chmodSync(file, 0o600);
    connection.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full;');
    connection.exec('begin immediate; commit;');
    return await ledgerOn(connection, clock, backupsOf(connection, file), migrations);
  } catch (error) {
    connection?.close();
    return cannotOpen(file, error);
  }
}

/** The ledger on a connection that is open and exclusive already. The simulator enters here with one in memory. */
export async function ledgerOn(
  connection: Connection,
  clock: Clock,
  beforeMigration: (name: string) => void = () => undefined,
  migrations: Migrations = MIGRATIONS,
): Promise<Ledger | Refusal> {
  const db = new Kysely<LedgerTables>({ dialect: sqliteDialect(connection) });
  const refused = await migrate(db, beforeMigration, migrations);
  if (isRefusal(refused)) {
    await db.destroy();
    return refused;
  }
  return new Ledger(db, { host: os.hostname(), epoch: await newEpoch(db, os.hostname()) }, clock);
}

/** Every boot takes a higher epoch and the teams of its host, in one transaction: what an earlier boot still wants to write fails. */
function newEpoch(db: Kysely<LedgerTables>, host: string): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const { epoch } = await tx
      .insertInto('workspaces')
      .values({ host, epoch: 1, port: 0 })
      .onConflict((conflict) =>
        conflict.column('host').doUpdateSet((eb) => ({ epoch: eb('workspaces.epoch', '+', 1) })),
      )
      .returning('epoch')
      .executeTakeFirstOrThrow();
    await tx.updateTable('teams').set({ home_epoch: epoch }).where('home_host', '=', host).execute();
    return epoch;
  });
}

/** A whole copy of the ledger beside it, before a migration changes it. */
function backupsOf(connection: DatabaseSync, file: string): (name: string) => void {
  return (name) => {
    const folder = path.join(path.dirname(file), 'run', 'backups');
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const copy = path.join(folder, `team-before-${name}.db`);
    fs.rmSync(copy, { force: true });
    connection.prepare('vacuum into ?').run(copy);
    fs.chmodSync(copy, 0o600);
  };
}

function cannotOpen(file: string, error: unknown): Refusal {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  if (code === 5 || code === 6) {
    return refuse('ledger_in_use', `${file} is held by another process: only one coordinator opens it.`, {
      next: ['team-agent coordinator status'],
    });
  }
  return refuse(
    'ledger_unwritable',
    `${file} cannot be opened: ${error instanceof Error ? error.message : String(error)}.`,
    {
      next: [`ls -ld ${path.dirname(file)} ${file}`],
    },
  );
}
