import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';
import type { Product } from '../support/product.ts';
import type { Answer } from './journey.ts';

const PROGRAM = path.join(import.meta.dirname, 'conversation-program.ts');
export const BIN = path.resolve(import.meta.dirname, '../../bin/team-agent');

export interface ConversationAnswer extends Answer {
  readonly status?: string;
  readonly owner_epoch?: number;
}

/** A conversation that could lead, in a process of its own: whatever it runs is its child. */
export class StandIn {
  readonly session: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, session: string, lines: AsyncIterator<string>) {
    this.#child = child;
    this.session = session;
    this.#lines = lines;
  }

  /** `folder`: where it works, as it would be typed; `session`: one that another process has or had. */
  static async begin(
    product: Product,
    config: string,
    { folder = product.workspace, session = randomUUID() as string } = {},
  ): Promise<StandIn> {
    const child = spawn(process.execPath, [PROGRAM, config, session], {
      cwd: folder,
      env: { ...product.environment, CLAUDE_CONFIG_DIR: config, TMUX: undefined, TMUX_PANE: undefined },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const ready = await lines.next();
    if (ready.value !== 'ready') throw new Error(`the stand-in said ${ready.value}`);
    return new StandIn(child, session, lines);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Runs a program as a child of this conversation; resolves with all that it printed. */
  async runs(...words: readonly string[]): Promise<string> {
    this.#child.stdin?.write(`${JSON.stringify(words)}\n`);
    const { value } = await this.#lines.next();
    return (JSON.parse(String(value)) as { output: string }).output;
  }

  /** Runs our command as a child of this conversation. */
  async asks(...words: readonly string[]): Promise<ConversationAnswer> {
    return JSON.parse(await this.runs(BIN, '--json', ...words)) as ConversationAnswer;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** A conversation in a pane of a person's own tmux server. */
export interface InPane {
  readonly pid: number;
  readonly pane: string;
  /** What a shell in that server knows it by. */
  readonly environment: { readonly TMUX: string };
  end(): void;
}

/** Begins one there; resolves once its CLI's registry has it. */
export async function conversationInPane(product: Product, config: string): Promise<InPane> {
  const socket = path.join(freshFolder('person'), 'tmux');
  const words = ['new-session', '-d', '-P', '-F', '#{pane_id} #{pane_pid}', process.execPath, PROGRAM, config];
  const said = execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...words, randomUUID()], {
    encoding: 'utf8',
    cwd: product.workspace,
    env: { ...product.environment, CLAUDE_CONFIG_DIR: config, TMUX: undefined, TMUX_PANE: undefined },
  });
  const [pane = '', pid = ''] = said.trim().split(' ');
  const entry = path.join(config, 'sessions', `${pid}.json`);
  await eventually('it to be in the registry', () => fs.existsSync(entry));
  const end = () => void spawnSync('tmux', ['-S', socket, 'kill-server']);
  return { pid: Number(pid), pane, environment: { TMUX: `${socket},1,0` }, end };
}
