import fs from 'node:fs';
import path from 'node:path';
import type { Ground } from '../ground.ts';
import { until } from '../project.ts';

/** A person's own tmux server with one window, in which one program runs. */
export class Terminal {
  readonly #ground: Ground;
  readonly #socket: string;

  private constructor(ground: Ground, socket: string) {
    this.#ground = ground;
    this.#socket = socket;
  }

  /** Runs a program in `folder`, in a window of its own. It is ended with the ground when it has not ended before. */
  static async open(ground: Ground, folder: string, argv: readonly string[]): Promise<Terminal> {
    const place = fs.mkdtempSync(path.join(ground.folder, 'tty-'));
    const terminal = new Terminal(ground, path.join(place, 'tmux'));
    ground.atEnd(() => terminal.end());
    await terminal.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', '120', '-y', '40', '-c', folder, '--', ...argv);
    return terminal;
  }

  /** The process in the window; undefined when it has ended. */
  async pid(): Promise<number | undefined> {
    const { code, stdout } = await this.#tmux('list-panes', '-a', '-F', '#{pane_pid}');
    return code === 0 ? Number(stdout) : undefined;
  }

  async end(): Promise<void> {
    await this.#tmux('kill-server');
    await until('the terminal to end', async () => (await this.pid()) === undefined);
  }

  #tmux(...args: readonly string[]) {
    return this.#ground.run(['tmux', '-S', this.#socket, ...args]);
  }
}
