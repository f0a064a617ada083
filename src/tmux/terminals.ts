import fs from 'node:fs';
import { ensurePrivateFolder, probeProcess, type Refusal, systemClock } from '../kernel/index.ts';
import { Opening } from './opening.ts';
import { PaneWatch } from './pane-watch.ts';
import { paste, ruleOutPaste } from './pasting.ts';
import { endGroup } from './process-group.ts';
import { handleOf, type PaneRow, parseRows, rowsOf } from './rows.ts';
import {
  capture,
  deleteBuffer,
  HELD,
  isOurBuffer,
  killPane,
  killSession,
  LIST_PANES,
  listBuffers,
  listPane,
  reviveHook,
  sendKeys,
} from './server/commands.ts';
import { Connections } from './server/connections.ts';
import type { ControlAnswer } from './server/control-client.ts';
import { command } from './server/control-protocol.ts';
import {
  runQuestion,
  type ServerAddress,
  serverAbsent,
  serverEmpty,
  serverEnvironment,
  untilServed,
} from './server/one-shot.ts';
import type { OpenPane, PaneFacts, PaneHandle, PasteOutcome, Terminals, TerminalsOptions } from './shape.ts';

/** The terminals of one workspace, on the private tmux server at `socket`. Nothing is started before the first pane. */
export function openTerminals(options: TerminalsOptions): Terminals {
  return new TmuxTerminals(options);
}

class TmuxTerminals implements Terminals {
  readonly #options: TerminalsOptions;
  readonly #server: ServerAddress;
  readonly #connections: Connections;
  readonly #watch: PaneWatch;
  readonly #opening: Opening;
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
    this.#opening = new Opening({
      server: this.#server,
      connections: this.#connections,
      list: () => this.#list(),
      opened: (handle) => this.#watch.know(handle.incarnation),
      revive: () => this.#revive,
    });
  }

  open(request: OpenPane): Promise<PaneHandle | Refusal> {
    return this.#opening.open(request);
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

  /** For what may be said twice: a client that was cut off under the first answers nothing. */
  async #ask(line: string): Promise<ControlAnswer> {
    const client = this.#connections.any();
    const answer = await this.#request(line);
    return answer.answered || client?.connected ? answer : this.#request(line);
  }

  async facts(pane: PaneHandle): Promise<PaneFacts | undefined> {
    const row = rowsOf(await this.#ask(listPane(pane.pane)))[0];
    if (row?.incarnation !== pane.incarnation || row.pid !== pane.process.pid) return undefined;
    const { dead, inMode, mode, pid, width, height } = row;
    return { dead, inMode, mode, pid, width, height };
  }

  async screen(pane: PaneHandle, { history = 0 } = {}): Promise<readonly string[] | undefined> {
    const answer = await this.#ask(capture(pane, history));
    if (!answer.answered) return undefined;
    const held = answer.blocks.findIndex((block) => block.lines[0] === HELD);
    const shown = answer.blocks[held + 1];
    return held >= 0 && shown?.ok ? shown.lines : undefined;
  }

  paste(pane: PaneHandle, text: string, name: string): Promise<PasteOutcome> {
    const folder = this.#options.folder;
    const unsafe = ensurePrivateFolder(folder);
    if (unsafe) return Promise.resolve({ pasted: false, why: 'tmux_unreachable', evidence: unsafe.message });
    return paste({ folder, request: (line) => this.#request(line), ask: (line) => this.#ask(line) }, pane, text, name);
  }

  ruleOutPaste(pane: PaneHandle, name: string): ReturnType<Terminals['ruleOutPaste']> {
    return ruleOutPaste((line) => this.#ask(line), pane, name);
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
