import fs from 'node:fs';
import path from 'node:path';
import { identifyProcess, type ProcessIdentity, probeProcess } from '../../src/kernel/index.ts';
import type { Ground, Ran } from '../ground.ts';
import { until } from '../project.ts';

/** A person's own tmux server with one window, in which one program runs. */
export class Terminal {
  readonly #ground: Ground;
  readonly #socket: string;
  #program: ProcessIdentity | undefined;

  private constructor(ground: Ground) {
    this.#ground = ground;
    this.#socket = path.join(fs.mkdtempSync(path.join(ground.folder, 'tty-')), 'tmux');
  }

  /** Runs a program in `folder`, in the window. It is ended with the ground when it has not been ended before. */
  static async open(ground: Ground, folder: string, argv: readonly string[]): Promise<Terminal> {
    const terminal = new Terminal(ground);
    ground.atEnd(() => terminal.end());
    const size = ['-x', '120', '-y', '40'];
    await terminal.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, '-c', folder, '--', ...argv);
    const { stdout } = await terminal.#tmux('list-panes', '-a', '-F', '#{pane_pid}');
    terminal.#program = identifyProcess(Number(stdout));
    return terminal;
  }

  async end(): Promise<void> {
    const program = this.#program;
    if (!program) return;
    this.#program = undefined;
    await this.#tmux('kill-server');
    await until('the program in the terminal to end', () => probeProcess(program) === 'dead');
  }

  #tmux(...args: readonly string[]): Promise<Ran> {
    return this.#ground.run(['tmux', '-S', this.#socket, ...args]);
  }
}
