import type { Kysely, Transaction } from 'kysely';
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

/**
 * The one store. Reads go to `db`; every write goes through `change`, which puts the change and its events into one
 * transaction and tells the listeners after the commit.
 */
export class Ledger {
  readonly db: Kysely<LedgerTables>;
  readonly ownership: Ownership;
  readonly #clock: Clock;
  readonly #listeners: ((events: readonly LedgerEvent[]) => void)[] = [];

  constructor(db: Kysely<LedgerTables>, ownership: Ownership, clock: Clock) {
    this.db = db;
    this.ownership = ownership;
    this.#clock = clock;
  }

  /** Runs `work` in one transaction. Throws `LedgerUnwritable` when the commit failed; then nothing is stored. */
  async change<Answer>(
    team: TeamId,
    actor: AgentId | string,
    work: (change: Change) => Promise<Answer>,
  ): Promise<Answer> {
    let events: readonly LedgerEvent[] = [];
    const answer = await this.db
      .transaction()
      .execute(async (tx) => {
        const change = new Change(tx, team, actor, this.#clock.now(), this.ownership);
        const made = await work(change);
        events = change.events;
        return made;
      })
      .catch((error: unknown) => {
        throw isStorageError(error) ? new LedgerUnwritable(error) : error;
      });
    if (events.length > 0) for (const listener of this.#listeners) listener(events);
    return answer;
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
