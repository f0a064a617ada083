import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { SqliteAdapter, SqliteDialect, type SqliteStatement } from 'kysely';

/** What a connection must be able to do. The simulator passes one that can die in the middle of a transaction. */
export type Connection = Pick<DatabaseSync, 'prepare' | 'close' | 'isTransaction'>;

/**
 * Kysely over node:sqlite. Kysely's dialect expects the shape of better-sqlite3, and its `begin` becomes `begin immediate`:
 * a transaction of ours always means to write. Statements are prepared once. After a full disk SQLite has rolled back by
 * itself: then `rollback` does nothing, lest its own failure hide the cause.
 */
export function sqliteDialect(connection: Connection): SqliteDialect {
  const prepared = new Map<string, SqliteStatement>();
  const prepare = (text: string): SqliteStatement => {
    const known = prepared.get(text);
    if (known) return known;
    const statement = statementOf(connection.prepare(text === 'begin' ? 'begin immediate' : text));
    const made = text === 'rollback' ? onlyInTransaction(statement, connection) : statement;
    if (prepared.size < 500) prepared.set(text, made);
    return made;
  };
  return new LedgerDialect({ database: { prepare, close: () => connection.close() } });
}

class LedgerDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new LedgerAdapter();
  }
}

/** SQLite's tables are made in transactions like all else, so that a crash in a migration leaves nothing half made. */
class LedgerAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

function statementOf(statement: StatementSync): SqliteStatement {
  const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...values(parameters)),
    run: (parameters) => statement.run(...values(parameters)),
    iterate: (parameters) => statement.iterate(...values(parameters)),
  };
}

function onlyInTransaction(rollback: SqliteStatement, connection: Connection): SqliteStatement {
  const nothing = { changes: 0, lastInsertRowid: 0 };
  return { ...rollback, run: (parameters) => (connection.isTransaction ? rollback.run(parameters) : nothing) };
}
