import fs from 'node:fs';
import {
  ensurePrivateFolder,
  identifyProcess,
  isRefusal,
  probeProcess,
  type Refusal,
  refuse,
  systemClock,
} from '../kernel/index.ts';
import {
  capture,
  deleteBuffer,
  HELD,
  isOurBuffer,
  killPane,
  killSession,
  LIST_PANES,
  LIST_SESSIONS,
  listBuffers,
  listPane,
  openPane,
  ownerOf,
  type PaneRow,
  parseRow,
  reviveHook,
  sendKeys,
  serverOptions,
} from './commands.ts';
import { Connections } from './connections.ts';
import type { ControlAnswer, ControlClient } from './control-client.ts';
import { command } from './control-protocol.ts';
import {
  runCommands,
  runQuestion,
  type ServerAddress,
  serverAbsent,
  serverEmpty,
  serverEnvironment,
  untilServed,
} from './one-shot.ts';
import { PaneWatch } from './pane-watch.ts';
import { paste, ruleOutPaste } from './pasting.ts';
import { endGroup } from './process-group.ts';
import type { OpenPane, PaneFacts, PaneHandle, PasteOutcome, Terminals, TerminalsOptions } from './shape.ts';
import { tmuxFailed, tmuxMissing } from './version.ts';

/** The terminals of one workspace, on the private tmux server at `socket`. Nothing is started before the first pane. */
export function openTerminals(options: TerminalsOptions): Terminals {
  return new TmuxTerminals(options);
}

class TmuxTerminals implements Terminals {
  readonly #options: TerminalsOptions;
  readonly #server: ServerAddress;
  readonly #connections: Connections;
  readonly #watch: PaneWatch;
  /** The session that is being created right now: its other agents wait for it. */
  readonly #creating = new Map<string, Promise<unknown>>();
  /** The closing that was asked for last: the next one waits for its answer. */
  #closing: Promise<unknown> = Promise.resolve();
  #revive = '';

  constructor(options: TerminalsOptions) {
    const { log, clock = systemClock } = options;
    this.#options = options;
    this.#server = { socket: options.socket, environment: serverEnvironment(options.environment) };
    this.#watch = new PaneWatch({
      clock,
      log,
      list: () => this.#list(),
      looked: (rows) => this.#connections.reconnect(new Set(rows.map((row) => row.session))),
    });
    this.#connections = new Connections({
      server: this.#server,
      clock,
      log,
      changed: () => void this.#watch.look(),
    });
  }

  async open(request: OpenPane): Promise<PaneHandle | Refusal> {
    // A session can end between our finding it and our opening a window in it: then it is created again, once.
    for (let attempt = 1; ; attempt++) {
      const opened = await this.#attempt(request);
      if (opened !== 'session_gone') return opened;
      if (attempt > 1) return tmuxFailed(`session ${request.session} ended while a window was being opened in it`);
      await this.#connections.end(request.session);
    }
  }

  async #attempt(request: OpenPane): Promise<PaneHandle | Refusal | 'session_gone'> {
    const entered = await this.#enter(request);
    if (entered === 'session_gone' || 'incarnation' in entered || isRefusal(entered)) return entered;
    return this.#openIn(entered, request);
  }

  async #openIn(client: ControlClient, request: OpenPane): Promise<PaneHandle | Refusal | 'session_gone'> {
    await this.#connections.introduced();
    const answer = await client.request(openPane(request, 'new_window'));
    if (!answer.answered) return this.#afterFailure(request, answer.evidence);
    const failed = answer.blocks.find((block) => !block.ok);
    if (!failed) return this.#opened(rowsOf(answer)[0]);
    return this.#afterFailure(request, failed.lines.join(' '));
  }

  /** A client of the request's session; or, when this call had to create the session, the pane it was created with. */
  async #enter(request: OpenPane): Promise<ControlClient | PaneHandle | Refusal | 'session_gone'> {
    for (;;) {
      const client = this.#connections.get(request.session);
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
    await this.#connections.introduced();
    const lines = [...serverOptions(this.#revive), openPane(request, 'new_session')];
    const shot = await untilServed(() => runCommands(this.#server, lines));
    if (!shot.ran) return shot.missing ? tmuxMissing(this.#server.environment.PATH) : tmuxFailed(shot.evidence);
    if (/duplicate session/.test(shot.errors)) return this.#adopt(request.session);
    if (shot.code !== 0) return tmuxFailed(shot.errors.trim() || `code ${shot.code}`);
    const handle = this.#opened(parseRows(shot.output.split('\n'))[0]);
    await this.#connections.connect(request.session);
    return handle;
  }

  /** The session was there already: ours from an earlier life of this program, or somebody else's. */
  async #adopt(session: string): Promise<ControlClient | Refusal | 'session_gone'> {
    const sessions = await untilServed(() => runQuestion(this.#server, LIST_SESSIONS));
    const owner = ownerOf(session, sessions.ran ? sessions.output.split('\n') : []);
    if (owner === 'foreign') {
      return refuse('session_name_taken', `A tmux session ${session} that is not ours is in the way.`, {
        evidence: { session, socket: this.#server.socket },
        next: [`tmux -S '${this.#server.socket}' rename-session -t '=${session}:' '${session}-2'`],
      });
    }
    // A session that has ended meanwhile cannot be attached to either.
    return (owner === 'ours' && (await this.#connections.connect(session))) || 'session_gone';
  }

  /** tmux takes the place of a file at its socket's path: that must not be a file that it did not make. */
  #foreignSocket(): Refusal | undefined {
    const { socket } = this.#server;
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
    this.#watch.know(handle.incarnation);
    return handle;
  }

  /** tmux refused to open a window, or did not answer: what became of it? */
  async #afterFailure(request: OpenPane, evidence: string): Promise<PaneHandle | Refusal | 'session_gone'> {
    const rows = await this.#list();
    if (rows && !rows.some((row) => row.session === request.session)) return 'session_gone';
    const row = rows?.find((candidate) => candidate.incarnation === request.incarnation);
    return row ? this.#opened(row) : tmuxFailed(evidence);
  }

  async #list(): Promise<readonly PaneRow[] | undefined> {
    const answer = await this.#connections.request(command(...LIST_PANES));
    if (answer.answered && answer.blocks.every((block) => block.ok)) return rowsOf(answer);
    if (!fs.existsSync(this.#server.socket)) return [];
    const shot = await untilServed(() => runQuestion(this.#server, LIST_PANES));
    if (serverAbsent(shot) || serverEmpty(shot)) return [];
    if (shot.ran && shot.code === 0) return parseRows(shot.output.split('\n'));
    this.#options.log.warn({ tmux: shot.ran ? shot.errors : shot.evidence }, 'tmux did not list its panes');
    return undefined;
  }

  async panes(): Promise<readonly PaneHandle[] | undefined> {
    const rows = await this.#list();
    return rows
      ?.filter((row) => row.incarnation !== '' && !row.dead)
      .map(handleOf)
      .filter((handle) => handle !== undefined);
  }

  /** Asks over a client; when all were cut off, over a new one. */
  async #request(line: string): Promise<ControlAnswer> {
    if (!this.#connections.any()) await this.#connectAll();
    return this.#connections.request(line);
  }

  async facts(pane: PaneHandle): Promise<PaneFacts | undefined> {
    const row = rowsOf(await this.#request(listPane(pane.pane)))[0];
    if (row?.incarnation !== pane.incarnation || row.pid !== pane.process.pid) return undefined;
    const { dead, inMode, mode, pid, width, height } = row;
    return { dead, inMode, mode, pid, width, height };
  }

  async screen(pane: PaneHandle, { history = 0 } = {}): Promise<readonly string[] | undefined> {
    const answer = await this.#request(capture(pane, history));
    if (!answer.answered) return undefined;
    const held = answer.blocks.findIndex((block) => block.lines[0] === HELD);
    const shown = answer.blocks[held + 1];
    return held >= 0 && shown?.ok ? shown.lines : undefined;
  }

  paste(pane: PaneHandle, text: string, name: string): Promise<PasteOutcome> {
    const folder = this.#options.folder;
    const unsafe = ensurePrivateFolder(folder);
    if (unsafe) return Promise.resolve({ pasted: false, why: 'tmux_unreachable', evidence: unsafe.message });
    return paste({ folder, request: (line) => this.#request(line) }, pane, text, name);
  }

  ruleOutPaste(pane: PaneHandle, name: string): ReturnType<Terminals['ruleOutPaste']> {
    return ruleOutPaste((line) => this.#request(line), pane, name);
  }

  async keys(pane: PaneHandle, keys: readonly string[]): Promise<boolean> {
    if (probeProcess(pane.process) === 'dead') return false;
    const answer = await this.#request(sendKeys(pane, keys));
    return answer.answered && answer.blocks.some((block) => block.lines[0] === HELD);
  }

  async close(pane: PaneHandle): Promise<boolean> {
    await endGroup(pane.process, async () => {
      const answer = await this.#inTurn(killPane(pane));
      if (!answer.answered) this.#options.log.warn({ pane, evidence: answer.evidence }, 'tmux did not close a pane');
    });
    await this.#watch.look();
    const left = await this.panes();
    return left !== undefined && !left.some((other) => other.incarnation === pane.incarnation);
  }

  async closeSession(session: string): Promise<void> {
    const rows = (await this.#list())?.filter((row) => row.session === session);
    if (!rows || rows.some((row) => !row.dead)) return;
    // A session that nothing but its keeper is left of has perhaps no client.
    if (rows.length > 0 && (await this.#connections.connect(session))) await this.#inTurn(killSession(session));
    await this.#connections.end(session);
  }

  /** Closes one thing at a time: a session that closes in the moment of one of its windows can end the whole server. */
  #inTurn(line: string): Promise<ControlAnswer> {
    const answer = this.#closing.then(() => this.#request(line));
    // Its failure is its caller's, not the next one's.
    this.#closing = answer.catch(() => undefined);
    return answer;
  }

  onGone(listener: (incarnation: string) => void): () => void {
    return this.#watch.onGone(listener);
  }

  async attach(): Promise<void> {
    await this.#connectAll();
    const buffers = await this.#connections.request(listBuffers);
    if (!buffers.answered) return;
    const left = buffers.blocks.flatMap((block) => block.lines).filter(isOurBuffer);
    await Promise.all(left.map((buffer) => this.#connections.request(deleteBuffer(buffer))));
  }

  async #connectAll(): Promise<void> {
    const ours = ((await this.#list()) ?? []).filter((row) => row.incarnation !== '');
    for (const row of ours) if (!row.dead) this.#watch.know(row.incarnation);
    await Promise.all(
      [...new Set(ours.map((row) => row.session))].map((session) => this.#connections.connect(session)),
    );
  }

  async reviveWith(shellCommand: string): Promise<string> {
    const before = this.#revive;
    this.#revive = shellCommand;
    const answer = await this.#request(reviveHook(shellCommand));
    // Without a server it is told to the next one, with its first session.
    if (!answer.answered) this.#options.log.info({ evidence: answer.evidence }, 'no server to hook the revival to');
    return before;
  }

  detach(): Promise<void> {
    return this.#connections.close();
  }
}

function rowsOf(answer: ControlAnswer): PaneRow[] {
  return answer.answered ? parseRows(answer.blocks.flatMap((block) => block.lines)) : [];
}

function parseRows(lines: readonly string[]): PaneRow[] {
  return lines.map(parseRow).filter((row) => row !== undefined);
}

/** Undefined when the process has ended meanwhile. */
function handleOf(row: PaneRow): PaneHandle | undefined {
  const found = identifyProcess(row.pid);
  return found && { pane: row.pane, incarnation: row.incarnation, process: found };
}
