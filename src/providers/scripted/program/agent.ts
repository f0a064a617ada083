import { randomUUID } from 'node:crypto';
import { identifyProcess, printable } from '../../../kernel/index.ts';
import type { AgentState } from '../protocol.ts';
import { Inbox } from './inbox.ts';
import { PERSON, parseMessage } from './message.ts';
import { Player, type Stage } from './player.ts';
import { type NewLine, RecordWriter } from './record-writer.ts';
import type { Script } from './script.ts';
import { Shell } from './shell.ts';
import { TeamTools } from './team-tools.ts';
import { Composer } from './terminal/composer.ts';
import type { Key } from './terminal/keys.ts';
import { Screen } from './terminal/screen.ts';
import { Turns } from './turns.ts';

/** Who the agent is and where it lives, as its launch put it into the environment. */
export interface Identity {
  readonly agent: string;
  readonly incarnation: string;
  readonly session: string;
  readonly record: string;
  readonly socket: string | undefined;
  readonly mcpUrl: string | undefined;
  readonly token: string;
  readonly workspace: string;
  readonly folder: string;
  /** The session that this life goes on with: its own one, or the one that it was forked from. */
  readonly resumes: string | undefined;
  readonly forks: string | undefined;
}

/** So many lines of a flood are written before the program looks at its keys again. */
const FLOOD_PIECE = 200;

/** The scripted agent: its parts, and how a change of one reaches the others. */
export class Agent implements Stage {
  readonly #identity: Identity;
  readonly #record: RecordWriter;
  readonly #tools: TeamTools;
  readonly #turns: Turns;
  readonly #composer = new Composer();
  readonly #shell: Shell;
  readonly #screen: Screen;
  readonly #inbox: Inbox | undefined;
  readonly #leave: () => void;
  #player: Player | undefined;
  #columns: number | undefined;
  #deafUntil = 0;
  #pushed = '';

  /** `leave` gives the terminal back before the program ends. */
  constructor(identity: Identity, output: NodeJS.WriteStream, leave: () => void) {
    this.#identity = identity;
    this.#leave = leave;
    this.#record = new RecordWriter(identity.record);
    this.#tools = new TeamTools(identity.mcpUrl, identity.token);
    this.#shell = new Shell(identity.folder);
    this.#turns = new Turns(
      (line) => this.#write(line),
      async (message, signal) => message && this.#player?.playMessage(message, signal),
      () => this.#changed(),
    );
    this.#screen = new Screen(
      output,
      () => ({
        agent: identity.agent,
        state: this.#turns.state,
        queued: this.#turns.queued,
        composer: printable(this.#composer.text),
        dialog: this.#turns.dialog,
      }),
      () => this.#columns,
    );
    this.#inbox = identity.socket === undefined ? undefined : this.#openInbox(identity.socket);
  }

  /** Opens its ways in, greets, and takes input from then on. The tools are asked for meanwhile. */
  async start(script: Script): Promise<void> {
    const { session, incarnation, folder, workspace, resumes, forks } = this.#identity;
    this.#columns = script.columns;
    const player = new Player(script, this, { node: process.execPath, workspace, folder });
    this.#player = player;
    this.#write({
      type: 'session',
      session,
      incarnation,
      pid: process.pid,
      start: identifyProcess(process.pid)?.start ?? '',
      ...(resumes === session ? { resumed: true } : {}),
      ...(forks === undefined ? {} : { forked_from: forks }),
    });
    await this.#inbox?.listen();
    this.#screen.draw();
    this.#tools.connect();
    await this.#turns.start(
      (_message, signal) => player.playStart(script.beforeGreeting, signal),
      script.onStart.length > 0 ? (_message, signal) => player.playStart(script.onStart, signal) : undefined,
    );
  }

  press(key: Key): void {
    if (Date.now() < this.#deafUntil) return;
    const typed = this.#composer.press(key, this.#turns.dialog);
    switch (typed?.typed) {
      case 'submit':
        this.#turns.submit({ id: null, source: 'composer', text: typed.text });
        break;
      case 'answer':
        this.#turns.answer(typed.decision);
        break;
      case 'interrupt':
        this.#turns.interrupt();
        break;
      case 'quit':
        this.exit(0);
        break;
      case undefined:
        break;
      default:
        typed satisfies never;
    }
    this.#changed();
  }

  resized(): void {
    this.#screen.redraw();
  }

  say(text: string): void {
    this.#write({ type: 'assistant', text });
  }

  async call(
    tool: 'send_message' | 'report_result',
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): ReturnType<Stage['call']> {
    const call = randomUUID();
    const outcome = await this.#tools.call(tool, args, call, signal);
    this.#write({
      type: 'tool',
      call,
      name: tool,
      arguments: args,
      ok: outcome.ok,
      ...(outcome.ok ? {} : { error: outcome.error, ...(outcome.unreached ? { unreached: true } : {}) }),
    });
    return outcome;
  }

  ask(...question: Parameters<Stage['ask']>): ReturnType<Stage['ask']> {
    return this.#turns.ask(...question);
  }

  draft(text: string): void {
    this.#composer.put(text);
    this.#changed();
  }

  ignoreKeys(ms: number): void {
    this.#deafUntil = Date.now() + ms;
  }

  async flood(lines: number, signal: AbortSignal): Promise<void> {
    for (let line = 1; line <= lines; line += FLOOD_PIECE) {
      signal.throwIfAborted();
      const count = Math.min(FLOOD_PIECE, lines - line + 1);
      for (let step = 0; step < count; step++) this.#screen.print(`line ${line + step} of ${lines}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  run(...command: Parameters<Stage['run']>): ReturnType<Stage['run']> {
    return this.#shell.run(...command);
  }

  crash(signal: NodeJS.Signals): void {
    process.kill(process.pid, signal);
  }

  exit(code: number): never {
    this.#write({ type: 'exit', code });
    this.#shell.end();
    this.#inbox?.remove();
    this.#screen.leave();
    this.#leave();
    process.exit(code);
  }

  #openInbox(socket: string): Inbox {
    const { session, incarnation, record } = this.#identity;
    return new Inbox(socket, {
      greeting: () => ({
        type: 'greeting',
        version: 1,
        session,
        incarnation,
        record,
        ...this.#state(),
      }),
      state: () => this.#state(),
      submit: ({ id, text }) => this.#turns.submit({ id, source: 'protocol', text }),
      find: (id) => {
        const offset = this.#record.find(id);
        if (this.#turns.isQueued(id)) return { type: 'found', id, where: 'queue' };
        if (offset === undefined) return { type: 'found', id, where: 'absent' };
        return { type: 'found', id, where: 'record', offset };
      },
      answer: (decision) => this.#turns.dialog?.kind === 'approval' && this.#turns.answer(decision),
    });
  }

  #state(): AgentState {
    return {
      turn: { state: this.#turns.state, since: this.#turns.since },
      dialog: this.#turns.dialog ?? null,
      draft: this.#composer.text !== '',
    };
  }

  /** Draws, and tells the connections when what they were told last is no longer true. */
  #changed(): void {
    this.#screen.schedule();
    const state = JSON.stringify(this.#state());
    if (state === this.#pushed) return;
    this.#pushed = state;
    this.#inbox?.push();
  }

  #write(line: NewLine): void {
    this.#record.write(line);
    const shown = narrate(line);
    if (shown !== undefined) this.#screen.print(printable(shown));
  }
}

/** What a person sees of a line of the record; undefined for what the status line shows. */
function narrate(line: NewLine): string | undefined {
  switch (line.type) {
    case 'user': {
      const message = parseMessage(line.text);
      const from = message.from === PERSON && message.delivery === undefined ? 'typed' : message.from;
      return `* ${from}: ${message.body}`;
    }
    case 'assistant':
      return line.text;
    case 'tool':
      return line.ok ? `+ ${line.name}` : `! ${line.name}: ${line.error ?? 'failed'}`;
    case 'dialog':
      return line.state === 'closed' ? `  answered: ${line.text}` : undefined;
    case 'session':
    case 'greeting':
    case 'turn':
    case 'exit':
      return undefined;
    default:
      return line satisfies never;
  }
}
