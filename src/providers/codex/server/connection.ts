import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { type RawData, WebSocket } from 'ws';
import { packageVersion } from '../../../kernel/index.ts';

/** Waits between attempts to connect, in ms: short at first, for a socket that is just being made. */
const FIRST_WAIT = 15;
const LONGEST_WAIT = 2000;
/** So long an answer is awaited, in ms. None means `unknown`, never `no`. */
const ANSWER_DEADLINE = 15_000;
/** After so long without a first connection, ms, it is no longer just about to come: a server is ready after 0.15 s. */
const FIRST_CONNECTION = 10_000;

export type Parameters = Readonly<Record<string, unknown>>;

/** How a call ended. */
export type Answer =
  | { readonly answered: 'result'; readonly result: unknown }
  /** The server refused it. */
  | { readonly answered: 'error'; readonly code: number; readonly message: string }
  /** Not one byte left. */
  | { readonly answered: 'none' }
  /** The connection broke, or nothing came in time: it may be carried out all the same. */
  | { readonly answered: 'lost' };

/** A word of the server that answers nothing. With an `id` it is a question, and wants an answer. */
export interface Word {
  readonly method: string;
  readonly params: Parameters;
  readonly id?: string | number;
}

export type Call = (method: string, params: Parameters, deadline?: number) => Promise<Answer>;

export interface Listener {
  /** Is there a process to connect to? */
  readonly lives: () => boolean;
  /** Each time the server has greeted; the connection counts as up when this says so. */
  readonly greeted: (call: Call) => Promise<boolean>;
  readonly heard: (word: Word) => void;
  /** The connection is up, has been lost, or is given up for now. */
  readonly changed: () => void;
}

/**
 * The connection to an app-server: JSON-RPC in a WebSocket on a unix socket. Modes: `waiting` (for the socket to appear, or
 * for the next attempt), `greeting`, `up`, `closed`. A broken connection goes back to `waiting` while the process lives.
 * Nothing is asked on a timer while it is up.
 */
export class Connection {
  readonly #path: string;
  readonly #listener: Listener;
  /** False for who waits for it with nothing else to do: then it keeps the process alive. */
  readonly #background: boolean;
  #socket: WebSocket | undefined;
  #up = false;
  #everUp = false;
  #calls = new Map<number, (answer: Answer) => void>();
  #next = 1;
  #wait = FIRST_WAIT;
  readonly #since = performance.now();
  #gaveUp = false;
  #retry: NodeJS.Timeout | undefined;
  #watcher: fs.FSWatcher | undefined;
  #closed = false;

  constructor(socketPath: string, listener: Listener, background = true) {
    this.#path = socketPath;
    this.#listener = listener;
    this.#background = background;
  }

  get up(): boolean {
    return this.#up;
  }

  /** Is the first connection still to come? */
  get coming(): boolean {
    return !this.#everUp && !this.#gaveUp;
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

  /** Asks the server. While it is not up nothing leaves. */
  call(method: string, params: Parameters, deadline = ANSWER_DEADLINE): Promise<Answer> {
    return this.#up ? this.#call(method, params, deadline) : Promise.resolve({ answered: 'none' });
  }

  /** Answers a question of the server; false when not one byte left. */
  reply(id: string | number, result: Parameters): Promise<boolean> {
    const socket = this.#socket;
    if (!this.#up || socket?.readyState !== WebSocket.OPEN) return Promise.resolve(false);
    return new Promise((resolve) => socket.send(JSON.stringify({ id, result }), (error) => resolve(!error)));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#watcher?.close();
    this.#socket?.terminate();
    this.#settleAll();
  }

  #attempt(): void {
    clearTimeout(this.#retry);
    if (this.#closed || this.#socket) return;
    if (!this.#listener.lives()) return;
    const socket = new WebSocket('ws://localhost/', {
      perMessageDeflate: false,
      // Whoever waits for an answer goes on before the next frame is taken: what it says is newer than the answer.
      allowSynchronousEvents: false,
      maxPayload: 0,
      createConnection: () => {
        const stream = net.connect(this.#path);
        if (this.#background) stream.unref();
        return stream;
      },
    });
    this.#socket = socket;
    socket.on('open', () => void this.#greet(socket));
    socket.on('message', (data) => this.#take(data));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#lost(socket));
  }

  async #greet(socket: WebSocket): Promise<void> {
    const call: Call = (method, params, deadline = ANSWER_DEADLINE) => this.#call(method, params, deadline);
    const hello = await call('initialize', {
      clientInfo: { name: 'team-agent', title: 'Team Agent', version: packageVersion() },
      capabilities: { experimentalApi: true },
    });
    if (hello.answered !== 'result') return socket.terminate();
    socket.send(JSON.stringify({ method: 'initialized' }));
    const welcome = await this.#listener.greeted(call);
    if (this.#socket !== socket || socket.readyState !== WebSocket.OPEN) return;
    if (!welcome) return socket.terminate();
    this.#up = true;
    this.#everUp = true;
    this.#wait = FIRST_WAIT;
    this.#listener.changed();
  }

  #call(method: string, params: Parameters, deadline: number): Promise<Answer> {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.resolve({ answered: 'none' });
    const id = this.#next++;
    return new Promise((resolve) => {
      const settle = (answer: Answer): void => {
        if (!this.#calls.delete(id)) return;
        clearTimeout(timer);
        resolve(answer);
      };
      const timer = setTimeout(() => settle({ answered: 'lost' }), deadline);
      if (this.#background) timer.unref();
      this.#calls.set(id, settle);
      socket.send(JSON.stringify({ id, method, params }), (error) => error && settle({ answered: 'lost' }));
    });
  }

  #take(data: RawData): void {
    const message = parseMessage(String(data));
    if (!message) return;
    if ('method' in message) this.#listener.heard(message);
    else this.#calls.get(message.id)?.(message.answer);
  }

  #lost(socket: WebSocket): void {
    if (this.#socket !== socket) return;
    const wasUp = this.#up;
    this.#socket = undefined;
    this.#up = false;
    this.#settleAll();
    if (this.#closed) return;
    const late = !this.#everUp && performance.now() - this.#since > FIRST_CONNECTION;
    const givesUp = late && !this.#gaveUp;
    this.#gaveUp ||= late;
    this.#retry = setTimeout(() => this.#attempt(), this.#wait);
    if (this.#background) this.#retry.unref();
    this.#wait = Math.min(LONGEST_WAIT, this.#wait * 2);
    if (wasUp || givesUp) this.#listener.changed();
  }

  #settleAll(): void {
    for (const settle of [...this.#calls.values()]) settle({ answered: 'lost' });
  }
}

type Message = Word | { readonly id: number; readonly answer: Answer };

/** A frame of the server; undefined when it is none of the protocol's. */
export function parseMessage(text: string): Message | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { id, method, params, error } = value;
  if (typeof method === 'string') {
    const word = { method, params: isObject(params) ? params : {} };
    return typeof id === 'string' || typeof id === 'number' ? { ...word, id } : word;
  }
  if (typeof id !== 'number') return undefined;
  if (!isObject(error)) return { id, answer: { answered: 'result', result: value.result } };
  return { id, answer: { answered: 'error', code: Number(error.code ?? 0), message: String(error.message ?? '') } };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
