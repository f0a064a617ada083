import { type Kysely, sql, type Transaction } from 'kysely';
import { type AgentId, type Clock, type Refusal, refuse, type TeamId } from '../kernel/index.ts';
import type { LedgerTables } from './schema.ts';

export interface LedgerEvent {
  readonly team: TeamId;
  readonly seq: number;
  /** UTC ms. */
  readonly at: number;
  readonly type: string;
  readonly actor: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Which boot of which host writes: each commit checks that it still is the one. */
export interface Ownership {
  readonly host: string;
  readonly epoch: number;
}

/** A commit that could not be made. Nothing of the change is stored; nobody may be told that it is. */
export class LedgerUnwritable extends Error {
  readonly refusal: Refusal;
  constructor(cause: unknown) {
    super(`the ledger could not be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'LedgerUnwritable';
    this.refusal = refuse('ledger_unwritable', `${this.message}. Nothing was changed.`, {
      next: ['df -h .team', 'team-agent status'],
    });
  }
}

/** One transaction of a team: its reads and writes, its numbers and its events. Nothing but the ledger is awaited inside. */
export class Change {
  readonly tx: Transaction<LedgerTables>;
  readonly team: TeamId;
  readonly actor: string;
  readonly now: number;
  readonly ownership: Ownership;
  readonly events: LedgerEvent[] = [];

  constructor(tx: Transaction<LedgerTables>, team: TeamId, actor: string, now: number, ownership: Ownership) {
    this.tx = tx;
    this.team = team;
    this.actor = actor;
    this.now = now;
    this.ownership = ownership;
  }

  /** The next number of this team: commit order is number order. Throws when another boot owns the team by now. */
  async next(): Promise<number> {
    const row = await this.tx
      .updateTable('teams')
      .set((eb) => ({ next_seq: eb('next_seq', '+', 1) }))
      .where('team', '=', this.team)
      .where('home_host', '=', this.ownership.host)
      .where('home_epoch', '=', this.ownership.epoch)
      .returning('next_seq')
      .executeTakeFirst();
    if (!row) throw new Error(`team ${this.team} is owned by another coordinator`);
    return row.next_seq;
  }

  /** Records what this change was: `type` is `<thing>.<what happened>`, data holds no text of messages and no secret. */
  async event(type: string, data: Readonly<Record<string, unknown>> = {}): Promise<LedgerEvent> {
    const event: LedgerEvent = { team: this.team, seq: await this.next(), at: this.now, type, actor: this.actor, data };
    await this.tx
      .insertInto('events')
      .values({ ...event, data: JSON.stringify(data) })
      .execute();
    this.events.push(event);
    return event;
  }
}

/** One change that waits for its transaction. */
interface Waiting {
  readonly team: TeamId;
  readonly actor: string;
  readonly work: (change: Change) => Promise<unknown>;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** What became of a change inside its group. */
type Done = { readonly answer: unknown; readonly events: readonly LedgerEvent[] } | { readonly error: unknown };

/** Changes that may share one commit: as many as wait, but not so many that the first waits long. */
const LARGEST_GROUP = 32;

/**
 * The one store. Reads go to `db`; every write goes through `change`, which puts the change and its events into one
 * transaction and tells the listeners after the commit. Changes that are asked for while others are being written share the
 * next commit, each behind a savepoint of its own: one wait for the disk serves all of them, and each stays whole or
 * nothing.
 */
export class Ledger {
  readonly db: Kysely<LedgerTables>;
  readonly ownership: Ownership;
  readonly #clock: Clock;
  readonly #listeners: ((events: readonly LedgerEvent[]) => void)[] = [];
  readonly #waiting: Waiting[] = [];
  #writing = false;

  constructor(db: Kysely<LedgerTables>, ownership: Ownership, clock: Clock) {
    this.db = db;
    this.ownership = ownership;
    this.#clock = clock;
  }

  /** Runs `work` in a transaction. Throws `LedgerUnwritable` when the commit failed; then nothing of it is stored. */
  change<Answer>(team: TeamId, actor: AgentId | string, work: (change: Change) => Promise<Answer>): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      this.#waiting.push({ team, actor, work, resolve: (answer) => resolve(answer as Answer), reject });
      if (!this.#writing) void this.#write();
    });
  }

  async #write(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, LARGEST_GROUP);
      const written = await this.db
        .transaction()
        .execute((tx) => this.#runGroup(tx, group))
        .catch((error: unknown) => {
          const cause = isStorageError(error) ? new LedgerUnwritable(error) : error;
          return group.map((): Done => ({ error: cause }));
        });
      this.#tell(group, written);
      // Whoever asked while the disk was awaited comes in with the next group.
      if (this.#waiting.length === 0) await this.#clock.turn();
    }
    this.#writing = false;
  }

  async #runGroup(tx: Transaction<LedgerTables>, group: readonly Waiting[]): Promise<Done[]> {
    const done: Done[] = [];
    for (const waiting of group)
      done.push(group.length === 1 ? await this.#run(tx, waiting) : await this.#runApart(tx, waiting));
    return done;
  }

  async #run(tx: Transaction<LedgerTables>, { team, actor, work }: Waiting): Promise<Done> {
    const change = new Change(tx, team, actor, this.#clock.now(), this.ownership);
    return { answer: await work(change), events: change.events };
  }

  /** One change among several: what it did is taken back when it fails, and the others go on. */
  async #runApart(tx: Transaction<LedgerTables>, waiting: Waiting): Promise<Done> {
    await sql`savepoint one_change`.execute(tx);
    try {
      const done = await this.#run(tx, waiting);
      await sql`release one_change`.execute(tx);
      return done;
    } catch (error) {
      if (isStorageError(error)) throw error;
      await sql`rollback to one_change`.execute(tx);
      await sql`release one_change`.execute(tx);
      return { error };
    }
  }

  #tell(group: readonly Waiting[], done: readonly Done[]): void {
    for (const [index, outcome] of done.entries()) {
      if ('error' in outcome) group[index]?.reject(outcome.error);
      else {
        if (outcome.events.length > 0) for (const listener of this.#listeners) listener(outcome.events);
        group[index]?.resolve(outcome.answer);
      }
    }
  }

  /** Called with the events of each change once it is committed, in commit order. */
  onCommit(listener: (events: readonly LedgerEvent[]) => void): void {
    this.#listeners.push(listener);
  }

  close(): Promise<void> {
    return this.db.destroy();
  }
}

/** SQLite's codes for a full or broken disk, a read-only file, a lost lock: 8, 10, 11, 13, 14, 26. */
const STORAGE_CODES = new Set([5, 6, 8, 10, 11, 13, 14, 26]);

function isStorageError(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error)) return false;
  return typeof error.errcode === 'number' && STORAGE_CODES.has(error.errcode & 0xff);
}
