import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { SqliteDialect, type SqliteStatement } from 'kysely';

/** What a connection must be able to do. The simulator passes one that can die in the middle of a transaction. */
export type Connection = Pick<DatabaseSync, 'prepare' | 'close'>;

/**
 * Kysely over node:sqlite. Kysely's dialect expects the shape of better-sqlite3, and its `begin` becomes `begin immediate`:
 * a transaction of ours always means to write. Statements are prepared once.
 */
export function sqliteDialect(connection: Connection): SqliteDialect {
  const prepared = new Map<string, SqliteStatement>();
  const prepare = (text: string): SqliteStatement => {
    const known = prepared.get(text);
    if (known) return known;
    const made = statementOf(connection.prepare(text === 'begin' ? 'begin immediate' : text));
    if (prepared.size < 500) prepared.set(text, made);
    return made;
  };
  return new SqliteDialect({ database: { prepare, close: () => connection.close() } });
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
