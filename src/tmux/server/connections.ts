import type { Clock } from '../../kernel/index.ts';
import type { Log } from '../shape.ts';
import { attachClient, type ControlAnswer, type ControlClient } from './control-client.ts';
import type { ServerAddress } from './one-shot.ts';

/** A client that keeps being cut off is not started for ever: 5 times in a minute (ms), then the next request starts it. */
const BUDGET = 5;
const BUDGET_WINDOW = 60_000;

export interface ConnectionsOptions {
  readonly server: ServerAddress;
  readonly clock: Clock;
  readonly log: Log;
  /** Panes came or went, or a client was cut off so that we may have missed it. */
  readonly changed: () => void;
}

/** The control clients of one server, one per session. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #clients = new Map<string, ControlClient>();
  readonly #attaching = new Map<string, Promise<ControlClient | undefined>>();
  readonly #lostAt = new Map<string, number[]>();
  #closed = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  get(session: string): ControlClient | undefined {
    return this.#clients.get(session);
  }

  /** Any client that is connected: pane ids and buffers are the server's, not a session's. */
  any(): ControlClient | undefined {
    return this.#clients.values().next().value;
  }

  /** Connects to a session that lives. Undefined when that failed: the session, or the server, has gone meanwhile. */
  connect(session: string): Promise<ControlClient | undefined> {
    const there = this.#clients.get(session);
    if (there) return Promise.resolve(there);
    const attaching = this.#attaching.get(session) ?? this.#attach(session);
    this.#attaching.set(session, attaching);
    return attaching;
  }

  async #attach(session: string): Promise<ControlClient | undefined> {
    const { server, log, changed } = this.#options;
    const client = await attachClient(server, session, {
      panesChanged: changed,
      ended: (gone, evidence) => this.#lost(gone, evidence),
    });
    this.#attaching.delete(session);
    if ('evidence' in client) {
      log.info({ session, evidence: client.evidence }, 'no control client');
      return undefined;
    }
    this.#clients.set(session, client);
    if (this.#closed) await client.end();
    return this.#clients.get(session);
  }

  #lost(client: ControlClient, evidence: string): void {
    this.#clients.delete(client.session);
    if (this.#closed) return;
    this.#options.log.info({ session: client.session, evidence }, 'control client ended');
    const now = this.#options.clock.now();
    const recent = (this.#lostAt.get(client.session) ?? []).filter((at) => now - at < BUDGET_WINDOW);
    this.#lostAt.set(client.session, [...recent, now]);
    this.#options.changed();
  }

  /** Connects to those of the `living` sessions that lost their client, while their budget lasts. */
  async reconnect(living: ReadonlySet<string>): Promise<void> {
    for (const [session, lostAt] of this.#lostAt) {
      if (!living.has(session)) this.#lostAt.delete(session);
      else if (this.#closed || this.#clients.has(session)) continue;
      else if (lostAt.length <= BUDGET) await this.connect(session);
      else this.#options.log.warn({ session, lost: lostAt.length }, 'control client cut off too often');
    }
  }

  /**
   * Resolves once no client of ours is introducing itself: tmux 3.3a ends with all its panes when a window or a mode
   * changes in that moment, so what changes them waits here.
   */
  async introduced(): Promise<void> {
    await Promise.all(this.#attaching.values());
  }

  /** Runs one line of commands on any client. */
  async request(line: string): Promise<ControlAnswer> {
    await this.introduced();
    const client = this.any();
    return client ? client.request(line) : { answered: false, evidence: 'no session of this server is connected' };
  }

  /** Ends one session's client, if there is one. */
  async end(session: string): Promise<void> {
    await this.#clients.get(session)?.end();
  }

  /** Ends all clients and starts none from here on. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#attaching.values());
    await Promise.all([...this.#clients.values()].map((client) => client.end()));
  }
}
