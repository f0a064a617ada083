import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { type AgentState, type FromAgent, Lines, parseFromAgent, type ToAgent } from './protocol.ts';

/** Waits between attempts to connect, in ms: short at first, for a socket that is just being made. */
const FIRST_WAIT = 25;
const LONGEST_WAIT = 2000;
/** An agent that has greeted in its record listens already: after so many attempts something is wrong with its socket. */
const FIRST_ATTEMPTS = 5;
/** So long an answer is awaited, in ms. None means `unknown`, never `no`. */
const ANSWER_DEADLINE = 2000;

export type Greeting = Extract<FromAgent, { type: 'greeting' }>;
type Found = Extract<FromAgent, { type: 'found' }>;

/**
 * The connection to an agent's socket. Modes: `waiting` (for the socket to appear, or for the next attempt), `up` (the
 * agent has greeted), `closed`. A broken connection goes back to `waiting` while the process lives. Nothing is asked
 * on a timer while it is up.
 */
export class Connection {
  readonly #path: string;
  readonly #lives: () => boolean;
  readonly #listens: () => boolean;
  readonly #changed: () => void;
  #socket: net.Socket | undefined;
  #greeting: Greeting | undefined;
  #state: AgentState | undefined;
  #waiters: { readonly wanted: (line: FromAgent) => boolean; readonly settle: (line?: FromAgent) => void }[] = [];
  #wait = FIRST_WAIT;
  /** Attempts left until the first connection is no longer just about to come. */
  #awaited = FIRST_ATTEMPTS;
  #retry: NodeJS.Timeout | undefined;
  #watcher: fs.FSWatcher | undefined;
  #closed = false;

  /**
   * `lives` tells whether the process is there to connect to, `listens` whether its socket should be there by now;
   * `changed` is called when the state is another.
   */
  constructor(socketPath: string, lives: () => boolean, listens: () => boolean, changed: () => void) {
    this.#listens = listens;
    this.#path = socketPath;
    this.#lives = lives;
    this.#changed = changed;
  }

  /** The agent's greeting; undefined when the connection is not up. */
  get greeting(): Greeting | undefined {
    return this.#greeting;
  }

  /** What the agent said last; undefined when the connection is not up. */
  get state(): AgentState | undefined {
    return this.#state;
  }

  /** Is the first connection still to come? */
  get coming(): boolean {
    return this.#awaited > 0;
  }

  open(): void {
    const folder = path.dirname(this.#path);
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#watcher = fs.watch(folder, { persistent: false }, (_event, name) => {
      if (name !== path.basename(this.#path) || this.#socket) return;
      this.#wait = FIRST_WAIT;
      this.#attempt();
    });
    this.#watcher.on('error', () => this.#watcher?.close());
    this.#attempt();
  }

  /**
   * Hands one line over. `none`: not one byte left; `written`: all bytes left; `broken`: who knows. A connection that
   * is lost fails the writes that are under way.
   */
  send(line: ToAgent): Promise<'none' | 'written' | 'broken'> {
    const socket = this.#socket;
    if (!this.#greeting || !socket || socket.destroyed) return Promise.resolve('none');
    return new Promise((resolve) => {
      socket.write(`${JSON.stringify(line)}\n`, (error) => resolve(error ? 'broken' : 'written'));
    });
  }

  /** Asks for the state now; undefined when there was no answer. */
  async look(): Promise<AgentState | undefined> {
    const answer = await this.#ask({ type: 'look' }, (line) => line.type === 'state');
    return answer?.type === 'state' ? answer : undefined;
  }

  /** Asks where a delivery is; undefined when there was no answer. */
  async find(id: string): Promise<Found | undefined> {
    const answer = await this.#ask({ type: 'find', id }, (line) => line.type === 'found' && line.id === id);
    return answer?.type === 'found' ? answer : undefined;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#watcher?.close();
    this.#socket?.destroy();
  }

  async #ask(request: ToAgent, wanted: (line: FromAgent) => boolean): Promise<FromAgent | undefined> {
    let settle: (line?: FromAgent) => void = () => undefined;
    const answer = new Promise<FromAgent | undefined>((resolve) => {
      settle = resolve;
    });
    const waiter = { wanted, settle };
    this.#waiters.push(waiter);
    const deadline = setTimeout(() => settle(), ANSWER_DEADLINE);
    try {
      const sent = await Promise.race([this.send(request), answer.then(() => 'written' as const)]);
      return sent === 'written' ? await answer : undefined;
    } finally {
      clearTimeout(deadline);
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
    }
  }

  #attempt(): void {
    clearTimeout(this.#retry);
    if (this.#closed || this.#socket || !this.#lives()) return;
    const socket = net.connect(this.#path);
    const lines = new Lines();
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.unref();
    socket.on('data', (piece: string) => {
      try {
        for (const line of lines.take(piece)) this.#take(line);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        socket.destroy();
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#lost());
  }

  #take(text: string): void {
    const line = parseFromAgent(text);
    if (!line) return;
    const before = JSON.stringify(this.#state);
    if (line.type === 'greeting') {
      this.#greeting = line;
      this.#awaited = 0;
    }
    if (line.type === 'greeting' || line.type === 'state') {
      this.#state = { turn: line.turn, dialog: line.dialog, draft: line.draft };
      this.#wait = FIRST_WAIT;
    }
    for (const waiter of this.#waiters) if (waiter.wanted(line)) waiter.settle(line);
    // The answer to a question of ours is no news: telling it would make everybody ask again.
    if (line.type === 'greeting' || JSON.stringify(this.#state) !== before) this.#changed();
  }

  #lost(): void {
    const wasUp = this.#greeting !== undefined;
    this.#socket = undefined;
    this.#greeting = undefined;
    this.#state = undefined;
    for (const waiter of this.#waiters) waiter.settle();
    if (this.#closed) return;
    const gaveUp = this.#awaited > 0 && this.#listens() && --this.#awaited === 0;
    if (wasUp || gaveUp) this.#changed();
    this.#retry = setTimeout(() => this.#attempt(), this.#wait);
    this.#retry.unref();
    this.#wait = Math.min(LONGEST_WAIT, this.#wait * 2);
  }
}
