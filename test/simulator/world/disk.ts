import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Histogram } from './faults.ts';
import type { Random } from './random.ts';

/** What a dead coordinator's statements are answered with: nothing it does from here on reaches the disk. */
export class Died extends Error {}

/** Asked before and after each statement; says whether the coordinator dies there. */
export interface Witness {
  readonly alive: boolean;
  statement(when: 'before' | 'after'): void;
}

/** Finds something only when the newest tables and columns are there. */
const NEWEST = `select 1 from pragma_table_info('messages') where name = 'batched'`;

/** The disk of a run: what was committed outlives every coordinator. */
export class Disk {
  readonly database = new DatabaseSync(':memory:', { enableForeignKeyConstraints: true });
  /** While true, commits and writes fail as on a full disk. */
  full = false;
  readonly #faults: Histogram;
  #made = false;
  readonly #prepared = new Map<string, StatementSync>();
  readonly #random: Random;

  constructor(faults: Histogram, random: Random) {
    this.#faults = faults;
    this.#random = random;
  }

  rows(query: string, ...values: (string | number)[]): Record<string, unknown>[] {
    return this.#isMade() ? this.#prepare(query).all(...values) : [];
  }

  /** Before the first coordinator has made all tables there is nothing to see. */
  #isMade(): boolean {
    this.#made ||= this.database.prepare(NEWEST).all().length > 0;
    return this.#made;
  }

  /** Statements cost more to prepare than to run; they are the same for every coordinator. */
  #prepare(text: string): StatementSync {
    const known = this.#prepared.get(text);
    if (known) return known;
    const statement = this.database.prepare(text);
    this.#prepared.set(text, statement);
    return statement;
  }

  /** Rows that were ever inserted, changed or deleted. */
  changes(): number {
    return Number(this.rows('select total_changes() as changes')[0]?.changes);
  }

  /** What a death leaves: a transaction that was not committed never was. */
  rollBack(): void {
    if (this.database.isTransaction) this.database.exec('rollback');
  }

  /** The connection of one coordinator's life. */
  connect(witness: Witness) {
    const { database } = this;
    return {
      prepare: (text: string): StatementSync => {
        if (!witness.alive) throw new Died();
        return this.#mortal(text, this.#prepare(text), witness);
      },
      get isTransaction() {
        return database.isTransaction;
      },
      close: () => undefined,
    };
  }

  #mortal(text: string, statement: StatementSync, witness: Witness): StatementSync {
    const around = <Answer>(execute: () => Answer): Answer => {
      if (!witness.alive) throw new Died();
      witness.statement('before');
      this.#mayFail(text);
      const answer = execute();
      witness.statement('after');
      return answer;
    };
    const methods: Partial<Record<string | symbol, (...values: never[]) => unknown>> = {
      columns: () => statement.columns(),
      all: (...values) => around(() => statement.all(...values)),
      run: (...values) => around(() => statement.run(...values)),
    };
    return new Proxy(statement, { get: (_, name) => methods[name] });
  }

  /** A full disk takes no commit and, sometimes, no write; SQLite may have rolled back by itself when it says so. */
  #mayFail(text: string): void {
    if (!this.full) return;
    const commit = text === 'commit';
    if (!commit && !(/^(insert|update)/.test(text) && this.#random.chance(0.1))) return;
    if (this.#random.chance(0.5)) this.rollBack();
    this.#faults.count(commit ? 'commit failed' : 'write failed');
    throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 });
  }
}
