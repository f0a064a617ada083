import fs from 'node:fs';
import { isRefusal, type Refusal, refuse } from '../kernel/index.ts';
import { handleOf, type PaneRow, parseRows, rowsOf } from './rows.ts';
import { LIST_SESSIONS, openPane, ownerOf, serverOptions } from './server/commands.ts';
import type { Connections } from './server/connections.ts';
import type { ControlClient } from './server/control-client.ts';
import { runCommands, runQuestion, type ServerAddress, untilServed } from './server/one-shot.ts';
import type { OpenPane, PaneHandle } from './shape.ts';
import { tmuxFailed, tmuxMissing } from './version.ts';

interface OpeningOptions {
  readonly server: ServerAddress;
  readonly connections: Connections;
  /** The panes of the server; undefined when it did not answer. */
  readonly list: () => Promise<readonly PaneRow[] | undefined>;
  /** Called with each pane before it is handed out. */
  readonly opened: (pane: PaneHandle) => void;
  /** The shell command with which the server revives us. */
  readonly revive: () => string;
}

/** Opens panes: in their team's session, which the first of them creates. */
export class Opening {
  readonly #options: OpeningOptions;
  /** The session that is being created right now: its other agents wait for it. */
  readonly #creating = new Map<string, Promise<unknown>>();

  constructor(options: OpeningOptions) {
    this.#options = options;
  }

  async open(request: OpenPane): Promise<PaneHandle | Refusal> {
    // A session can end between our finding it and our opening a window in it: then it is created again, once.
    for (let attempt = 1; ; attempt++) {
      const opened = await this.#attempt(request);
      if (opened !== 'session_gone') return opened;
      if (attempt > 1) return tmuxFailed(`session ${request.session} ended while a window was being opened in it`);
      await this.#options.connections.end(request.session);
    }
  }

  async #attempt(request: OpenPane): Promise<PaneHandle | Refusal | 'session_gone'> {
    const entered = await this.#enter(request);
    if (entered === 'session_gone' || 'incarnation' in entered || isRefusal(entered)) return entered;
    return this.#openIn(entered, request);
  }

  async #openIn(client: ControlClient, request: OpenPane): Promise<PaneHandle | Refusal | 'session_gone'> {
    await this.#options.connections.introduced();
    const answer = await client.request(openPane(request, 'new_window'));
    if (!answer.answered) return this.#afterFailure(request, answer.evidence);
    const failed = answer.blocks.find((block) => !block.ok);
    if (!failed) return this.#opened(rowsOf(answer)[0]);
    return this.#afterFailure(request, failed.lines.join(' '));
  }

  /** A client of the request's session; or, when this call had to create the session, the pane it was created with. */
  async #enter(request: OpenPane): Promise<ControlClient | PaneHandle | Refusal | 'session_gone'> {
    for (;;) {
      const client = this.#options.connections.get(request.session);
      if (client) return client;
      const creating = this.#creating.get(request.session);
      if (creating) {
        await creating;
        continue;
      }
      const created = this.#create(request).finally(() => this.#creating.delete(request.session));
      this.#creating.set(request.session, created);
      return created;
    }
  }

  async #create(request: OpenPane): Promise<ControlClient | PaneHandle | Refusal | 'session_gone'> {
    const taken = this.#foreignSocket();
    if (taken) return taken;
    await this.#options.connections.introduced();
    const lines = [...serverOptions(this.#options.revive()), openPane(request, 'new_session')];
    const shot = await untilServed(() => runCommands(this.#options.server, lines));
    if (!shot.ran) return shot.missing ? tmuxMissing(this.#options.server.environment.PATH) : tmuxFailed(shot.evidence);
    if (/duplicate session/.test(shot.errors)) return this.#adopt(request.session);
    if (shot.code !== 0) return tmuxFailed(shot.errors.trim() || `code ${shot.code}`);
    const handle = this.#opened(parseRows(shot.output.split('\n'))[0]);
    await this.#options.connections.connect(request.session);
    return handle;
  }

  /** The session was there already: ours from an earlier life of this program, or somebody else's. */
  async #adopt(session: string): Promise<ControlClient | Refusal | 'session_gone'> {
    const sessions = await untilServed(() => runQuestion(this.#options.server, LIST_SESSIONS));
    const owner = ownerOf(session, sessions.ran ? sessions.output.split('\n') : []);
    if (owner === 'foreign') {
      return refuse('session_name_taken', `A tmux session ${session} that is not ours is in the way.`, {
        evidence: { session, socket: this.#options.server.socket },
        next: [`tmux -S '${this.#options.server.socket}' rename-session -t '=${session}:' '${session}-2'`],
      });
    }
    // A session that has ended meanwhile cannot be attached to either.
    return (owner === 'ours' && (await this.#options.connections.connect(session))) || 'session_gone';
  }

  /** tmux takes the place of a file at its socket's path: that must not be a file that it did not make. */
  #foreignSocket(): Refusal | undefined {
    const { socket } = this.#options.server;
    const found = fs.lstatSync(socket, { throwIfNoEntry: false });
    if (!found || (found.isSocket() && found.uid === process.getuid?.())) return undefined;
    return refuse('socket_taken', `${socket} is in the way of the tmux server's socket.`, {
      evidence: { socket, socket_file: found.isSocket(), owner: found.uid },
      next: [`ls -l '${socket}'`],
    });
  }

  #opened(row: PaneRow | undefined): PaneHandle | Refusal {
    if (!row) return tmuxFailed('tmux did not tell the new pane');
    const handle = handleOf(row);
    if (!handle) return tmuxFailed(`process ${row.pid} of the new pane ended at once`);
    this.#options.opened(handle);
    return handle;
  }

  /** tmux refused to open a window, or did not answer: what became of it? */
  async #afterFailure(request: OpenPane, evidence: string): Promise<PaneHandle | Refusal | 'session_gone'> {
    const rows = await this.#options.list();
    if (rows && !rows.some((row) => row.session === request.session)) return 'session_gone';
    const row = rows?.find((candidate) => candidate.incarnation === request.incarnation);
    return row ? this.#opened(row) : tmuxFailed(evidence);
  }
}
