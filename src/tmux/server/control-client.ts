import { type ChildProcess, spawn } from 'node:child_process';
import { Writable } from 'node:stream';
import { type ControlBlock, type ControlEvent, ControlParser, command } from './control-protocol.ts';
import { ANSWER_DEADLINE, type ServerAddress } from './one-shot.ts';

/** What came back for a line of commands. No answer says nothing about whether they ran. */
export type ControlAnswer =
  | { readonly answered: true; readonly blocks: readonly ControlBlock[] }
  | { readonly answered: false; readonly evidence: string };

/** One control-mode client: a child process attached to one session, which answers any command for the whole server. */
export interface ControlClient {
  readonly session: string;
  readonly pid: number;
  /** False from the moment that the client's end is known. */
  readonly connected: boolean;
  /** Runs one line of commands. Requests may overlap: the server runs them in the order of the calls. */
  request(line: string): Promise<ControlAnswer>;
  /** Lets the session go; resolves when the client's process has ended. */
  end(): Promise<void>;
}

/** Why a client could not attach. */
export interface NotAttached {
  readonly evidence: string;
}

export interface ControlListener {
  /** A window or a pane came or went: what is known of the server's panes is out of date. */
  panesChanged(): void;
  /** The client has ended, asked or not. All its requests have been answered by then. */
  ended(client: ControlClient, evidence: string): void;
}

interface Request {
  /** Printed by a command of our own after the request's line: a line has no fixed number of answers. */
  readonly mark: string;
  readonly blocks: ControlBlock[];
  readonly resolve: (answer: ControlAnswer) => void;
  readonly stopWaiting: () => void;
}

/** How long a client may take to end by itself once its stdin is closed. ms. */
const END_DEADLINE = 2_000;

/**
 * Becomes tmux, and leaves a watcher behind that ends the client by force when the other end of descriptor 3 is closed
 * without a word: when this process was killed. tmux alone does not always notice that: with 3.3a, about one kill in thirty
 * while windows were being opened left the client attached for good, and the hook that revives this process never ran.
 */
const WATCHED_TMUX = '{ read -r _ || kill -9 $$; } <&3 >/dev/null 2>&1 3<&- & exec tmux "$@" 3<&-';

/** Starts a client and waits until it is attached. Without the session, or without a server, it says why it is not. */
export function attachClient(
  server: ServerAddress,
  session: string,
  listener: ControlListener,
): Promise<ControlClient | NotAttached> {
  return new Promise((resolve) => {
    const client = new ProcessClient(server, session, listener, (evidence) => {
      resolve(evidence === undefined ? client : { evidence });
    });
  });
}

/**
 * starting -> attached -> ended, or starting -> ended. The first block that tmux prints is the answer to the attach
 * command itself; after it, blocks belong to the oldest open request until the one that repeats its mark.
 */
class ProcessClient implements ControlClient {
  readonly session: string;
  readonly #child: ChildProcess;
  readonly #stdin: Writable;
  readonly #listener: ControlListener;
  readonly #parser = new ControlParser();
  readonly #requests: Request[] = [];
  readonly #settled: (failure: string | undefined) => void;
  readonly #gone: Promise<void>;
  #state: 'starting' | 'attached' | 'ended' = 'starting';
  #count = 0;
  #evidence = '';

  constructor(
    server: ServerAddress,
    session: string,
    listener: ControlListener,
    settled: (failure: string | undefined) => void,
  ) {
    this.session = session;
    this.#listener = listener;
    this.#settled = settled;
    const flags = ['-f', 'no-output,ignore-size', '-t', `=${session}`];
    const argv = ['-u', '-S', server.socket, '-f', '/dev/null', '-C', 'attach-session', ...flags];
    this.#child = spawn('sh', ['-c', WATCHED_TMUX, 'tmux', ...argv], {
      env: server.environment,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    const [stdin, stdout, stderr, watcher] = this.#child.stdio;
    if (!(stdin && stdout && stderr && watcher instanceof Writable)) throw new Error('a child without its pipes');
    this.#stdin = stdin;
    stdout.setEncoding('utf8');
    stdout.on('data', (chunk: string) => {
      for (const event of this.#parser.feed(chunk)) this.#take(event);
    });
    for (const stream of [stderr, stdin]) stream.on('error', (error) => this.#note(error.message));
    stderr.on('data', (chunk: Buffer) => this.#note(chunk.toString()));
    watcher.on('error', () => watcher.destroy());
    this.#child.once('exit', () => watcher.end('ended\n', () => watcher.destroy()));
    this.#gone = new Promise((resolve) => {
      this.#child.once('error', (error) => this.#end(error.message, resolve));
      this.#child.once('close', (code, signal) => this.#end(signal ? `ended by ${signal}` : `code ${code}`, resolve));
    });
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), ANSWER_DEADLINE);
    this.#stopStarting = () => clearTimeout(deadline);
  }

  readonly #stopStarting: () => void;

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get connected(): boolean {
    return this.#state === 'attached';
  }

  request(line: string): Promise<ControlAnswer> {
    if (this.#state !== 'attached') return Promise.resolve({ answered: false, evidence: this.#evidence });
    return new Promise((resolve) => {
      const evidence = `no answer from tmux in ${ANSWER_DEADLINE} ms`;
      const deadline = setTimeout(() => resolve({ answered: false, evidence }), ANSWER_DEADLINE);
      const mark = `answered-${process.pid}-${++this.#count}`;
      this.#requests.push({ mark, blocks: [], resolve, stopWaiting: () => clearTimeout(deadline) });
      this.#stdin.write(`${line}\n${command('display-message', '-p', mark)}\n`);
    });
  }

  async end(): Promise<void> {
    if (this.#state === 'ended') return;
    this.#stdin.end();
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), END_DEADLINE);
    await this.#gone;
    clearTimeout(deadline);
  }

  #take(event: ControlEvent): void {
    switch (event.kind) {
      case 'block':
        this.#takeBlock(event);
        return;
      case 'window_closed':
      case 'layout_changed':
      case 'sessions_changed':
        this.#listener.panesChanged();
        return;
      case 'exit':
        this.#note(`exit ${event.why}`);
        return;
      case 'other':
        return;
      default:
        event satisfies never;
    }
  }

  #takeBlock(block: ControlBlock): void {
    if (!block.requested) {
      if (this.#state === 'starting') this.#attached(block);
      return;
    }
    const request = this.#requests[0];
    if (!request) return;
    if (block.ok && block.lines.length === 1 && block.lines[0] === request.mark) {
      this.#requests.shift();
      request.stopWaiting();
      request.resolve({ answered: true, blocks: request.blocks });
    } else {
      request.blocks.push(block);
    }
  }

  #attached(block: ControlBlock): void {
    this.#stopStarting();
    if (!block.ok) {
      this.#note(block.lines.join(' '));
      return;
    }
    this.#state = 'attached';
    this.#settled(undefined);
  }

  #note(evidence: string): void {
    this.#evidence = `${this.#evidence} ${evidence.trim()}`.trim();
  }

  #end(evidence: string, done: () => void): void {
    if (this.#state === 'ended') return;
    const wasAttached = this.#state === 'attached';
    this.#state = 'ended';
    this.#stopStarting();
    this.#note(evidence);
    const why = `the control client of ${this.session} has ended: ${this.#evidence}`;
    for (const request of this.#requests.splice(0)) {
      request.stopWaiting();
      request.resolve({ answered: false, evidence: why });
    }
    done();
    if (wasAttached) this.#listener.ended(this, why);
    else this.#settled(why);
  }
}
