import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { agentId, identifyProcess, isRefusal, mint } from '../../src/kernel/index.ts';
import type { ConformanceHarness, LiveAgent } from '../../src/providers/conformance.ts';
import { findProvider, type LaunchRequest, type Provider } from '../../src/providers/index.ts';
import type { PaneHandle, PasteOutcome, Terminals } from '../../src/tmux/index.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';

/** The few sequences that the scripted agent's screen uses, drawn onto lines of text. */
class TinyTerminal {
  #lines: string[] = [''];
  #row = 0;
  #column = 0;

  get lines(): readonly string[] {
    return this.#lines;
  }

  write(text: string): void {
    for (const [piece] of text.matchAll(/\u001b\[[0-9;?]*[A-Za-z]|[\s\S]/gu)) this.#take(piece);
  }

  #take(piece: string): void {
    const count = Number(/\d+/.exec(piece)?.[0] ?? 1);
    if (piece === '\r') this.#column = 0;
    else if (piece === '\n') this.#row++;
    else if (/^\u001b.*A$/.test(piece)) this.#row -= count;
    else if (/^\u001b.*C$/.test(piece)) this.#column += count;
    else if (piece === '\u001b[2J') this.#lines = [];
    else if (piece === '\u001b[H') this.#row = this.#column = 0;
    else if (piece === '\u001b[J')
      this.#lines = [...this.#lines.slice(0, this.#row), this.#line().slice(0, this.#column)];
    else if (!piece.startsWith('\u001b')) {
      const line = this.#line();
      this.#lines[this.#row] = line.padEnd(this.#column).slice(0, this.#column) + piece + line.slice(this.#column + 1);
      this.#column++;
    }
    while (this.#lines.length <= this.#row) this.#lines.push('');
  }

  #line(): string {
    return this.#lines[this.#row] ?? '';
  }
}

/** One agent in a pane that is made of pipes. */
export class PipePane {
  readonly child: ChildProcess;
  readonly terminal = new TinyTerminal();
  readonly handle: PaneHandle;
  inMode = false;
  errors = '';
  ended = false;

  constructor(
    argv: readonly string[],
    environment: Readonly<Record<string, string>>,
    folder: string,
    incarnation: string,
  ) {
    const [command = '', ...rest] = argv;
    this.child = spawn(command, rest, { cwd: folder, env: environment, detached: true, stdio: 'pipe' });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.terminal.write(text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    this.child.stdin?.on('error', () => this.child.stdin?.destroy());
    this.child.once('exit', () => {
      this.ended = true;
    });
    const process = identifyProcess(this.child.pid ?? 0);
    if (!process) throw new Error(`${command} did not start`);
    this.handle = { pane: '%1', incarnation, process };
  }

  type(text: string): void {
    this.child.stdin?.write(text);
  }

  /** Ends wrapper and program at once: they are a process group of their own. */
  kill(): void {
    if (this.child.pid === undefined || this.ended) return;
    process.kill(-this.child.pid, 'SIGKILL');
  }
}

/** A `Terminals` over pipes: what the provider asks of tmux, and nothing else. */
export class PipeTerminals implements Terminals {
  readonly living = new Map<string, PipePane>();
  readonly #gone: ((incarnation: string) => void)[] = [];
  /** What `paste` answers instead of pasting. */
  refuses: PasteOutcome | undefined;
  /** The names of those that were begun. */
  readonly pastes: string[] = [];

  add(pane: PipePane): void {
    this.living.set(pane.handle.incarnation, pane);
    pane.child.once('exit', () => {
      for (const listener of this.#gone) listener(pane.handle.incarnation);
    });
  }

  async facts(handle: PaneHandle): ReturnType<Terminals['facts']> {
    const pane = this.#of(handle);
    if (!pane || pane.ended) return undefined;
    const mode = pane.inMode ? 'copy-mode' : '';
    return { dead: false, inMode: pane.inMode, mode, pid: handle.process.pid, width: 80, height: 24 };
  }

  async screen(handle: PaneHandle): ReturnType<Terminals['screen']> {
    return this.#of(handle)?.terminal.lines;
  }

  async paste(handle: PaneHandle, text: string, name: string): Promise<PasteOutcome> {
    if (this.refuses) return this.refuses;
    this.pastes.push(name);
    this.#of(handle)?.type(`\u001b[200~${text.replaceAll('\n', '\r')}\u001b[201~\r`);
    return { pasted: true };
  }

  async ruleOutPaste(handle: PaneHandle, name: string): ReturnType<Terminals['ruleOutPaste']> {
    if (!this.#of(handle) || this.#of(handle)?.ended) return undefined;
    return this.pastes.includes(name) ? 'begun' : 'ruled_out';
  }

  onGone(listener: (incarnation: string) => void): () => void {
    this.#gone.push(listener);
    return () => {
      this.#gone.splice(this.#gone.indexOf(listener), 1);
    };
  }

  async panes(): ReturnType<Terminals['panes']> {
    return [...this.living.values()].filter((pane) => !pane.ended).map((pane) => pane.handle);
  }

  async keys(): Promise<boolean> {
    return notHere();
  }
  async open(): ReturnType<Terminals['open']> {
    return notHere();
  }
  async close(): Promise<boolean> {
    return notHere();
  }
  async closeSession(): Promise<void> {
    return notHere();
  }
  async attach(): Promise<void> {
    return notHere();
  }
  async reviveWith(): Promise<string> {
    return notHere();
  }
  async detach(): Promise<void> {
    return notHere();
  }

  #of(handle: PaneHandle): PipePane | undefined {
    return this.living.get(handle.incarnation);
  }
}

function notHere(): never {
  throw new Error('a provider does not ask for this');
}

export function scriptedProvider(): Provider {
  const provider = findProvider('scripted');
  if (isRefusal(provider)) throw new Error(provider.message);
  return provider;
}

export interface Launched extends LiveAgent {
  readonly pane: PipePane;
  readonly terminals: PipeTerminals;
}

/** Launches scripted agents over pipes, and ends them all again. */
export class Launcher {
  readonly #launched: Launched[] = [];

  request(over: Partial<LaunchRequest> = {}): LaunchRequest {
    const workspace = over.workspace ?? freshFolder('w');
    const incarnation = over.incarnation ?? mint.incarnation();
    const runFolder = path.join(workspace, '.team', 'run', incarnation);
    const socketFolder = path.join(workspace, 's');
    for (const folder of [runFolder, socketFolder]) fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const agent = agentId('writer');
    if (!agent) throw new Error('not an id');
    return {
      agent,
      team: 'demo',
      incarnation,
      session: mint.session(),
      role: 'Writer',
      prompt: '',
      workspace,
      folder: workspace,
      tools: [],
      permission: 'manual',
      trusted: false,
      mcp: 'inherit',
      runFolder,
      socketFolder,
      mcpUrl: 'http://127.0.0.1:9/mcp',
      hooksUrl: 'http://127.0.0.1:9/hooks',
      environment: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' },
      ...over,
    };
  }

  /** A launch with a script; `undefined`: without one. */
  async launch(script?: string, over: Partial<LaunchRequest> = {}): Promise<Launched> {
    const base = this.request(over);
    const file = path.join(base.workspace, 'script.yaml');
    if (script !== undefined) fs.writeFileSync(file, script);
    const request = script === undefined ? base : { ...base, script: file };
    const provider = scriptedProvider();
    const installation = await provider.inspect(request);
    if (isRefusal(installation)) throw new Error(installation.message);
    const plan = provider.plan(request, installation);
    if (isRefusal(plan)) throw new Error(plan.message);
    fs.writeFileSync(path.join(request.runFolder, 'token'), 'secret-token', { mode: 0o600 });
    const terminals = new PipeTerminals();
    const environment = { ...plan.environment, TEAM_AGENT_INCARNATION: request.incarnation };
    const pane = new PipePane(plan.argv, environment, request.folder, request.incarnation);
    terminals.add(pane);
    const { signal } = new AbortController();
    const told = await provider.introduce({ request, installation, plan, pane: pane.handle, terminals, signal });
    if (isRefusal(told)) throw new Error(told.message);
    const handle = {
      process: pane.handle.process,
      pane: pane.handle,
      session: told.session,
      record: told.record,
      details: told.details,
      ...(plan.socket === undefined ? {} : { socket: plan.socket }),
      exitFile: path.join(request.runFolder, 'exit'),
    };
    const attachment = provider.attach(handle, request.incarnation, terminals);
    const launched = { handle, attachment, request, terminals, pane, kill: () => pane.kill() };
    this.#launched.push(launched);
    return launched;
  }

  /** Launches and waits for the greeting. */
  async ready(script?: string, over: Partial<LaunchRequest> = {}): Promise<Launched> {
    const launched = await this.launch(script, over);
    await eventually('the agent greets', () => launched.attachment.greeted());
    return launched;
  }

  async endAll(): Promise<void> {
    for (const { attachment, pane } of this.#launched.splice(0)) {
      attachment.close();
      pane.kill();
      await eventually('the agent has ended', () => pane.ended);
    }
  }
}

const SITUATIONS = {
  plain: undefined,
  dialog: 'on_start:\n  - show_dialog: May I?\n',
  draft: 'on_start:\n  - draft: half a sentence\n',
};

export function scriptedHarness(launcher: Launcher): ConformanceHarness {
  return {
    provider: scriptedProvider(),
    request: () => launcher.request(),
    impossible: () => launcher.request({ script: '/nowhere/script.yaml' }),
    launch: (situation, more) => launcher.launch(SITUATIONS[situation], more),
    render,
    until: async (what, condition) => {
      await eventually(what, condition);
    },
  };
}

/** A message as the runtime renders it. */
export function render(delivery: string, body: string, attributes = ''): string {
  return `[team message ${delivery} from leader (leader)${attributes}]\n--- 0badcafe\n${body}\n--- 0badcafe end`;
}
