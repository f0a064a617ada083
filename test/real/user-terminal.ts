import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';
import type { RealProduct } from './world/real-product.ts';

/** The command as a person types it. */
export const TEAM_AGENT = fileURLToPath(new URL('../../bin/team-agent', import.meta.url));

/** So long a program may take to show that it has taken a key, ms: then it is pressed again. */
const PATIENCE = 2_000;
/** A program that is starting may draw anew what it asks: what has stood for so long stays, ms. */
const STILL = 1_500;

/** A person's own tmux server, with one window: what runs in it is the person's, not the product's. */
export class UserTerminal {
  readonly #product: RealProduct;
  /** The folder in which tmux keeps the sockets of this person. */
  readonly folder = freshFolder('user-tmux');
  readonly #name = 'person';

  constructor(product: RealProduct) {
    this.#product = product;
  }

  /** Runs a program in the window, in the workspace, with the person's environment. */
  run(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): void {
    const all = { ...this.environment, ...environment };
    const variables = Object.entries(all).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const where = ['-d', '-s', this.#name, '-x', '120', '-y', '40', '-c', this.#product.workspace, ...variables];
    this.tmux('new-session', ...where, '--', ...argv);
  }

  /** Everything that is set for this person, and nothing of the test's own terminal. */
  get environment(): Record<string, string> {
    const { TMUX: _, TMUX_PANE: __, ...rest } = this.#product.environment;
    const set = Object.entries({ ...rest, TMUX_TMPDIR: this.folder });
    return Object.fromEntries(set.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  }

  /** What a shell in its window has as TMUX. */
  get inside(): string {
    return this.tmux('display-message', '-p', '-t', `=${this.#name}:`, '#{socket_path},#{pid},0').trim();
  }

  tmux(...args: readonly string[]): string {
    return execFileSync('tmux', [...args], { encoding: 'utf8', env: this.environment });
  }

  /** The names of the sessions on this server. */
  sessions(): string[] {
    const { stdout } = spawnSync('tmux', ['list-sessions', '-F', '#{session_name}'], {
      encoding: 'utf8',
      env: this.environment,
    });
    return stdout.split('\n').filter((name) => name !== '');
  }

  screen(session = this.#name): string {
    return this.tmux('capture-pane', '-p', '-J', '-t', `=${session}:`);
  }

  keys(...pressed: readonly string[]): void {
    this.tmux('send-keys', '-t', `=${this.#name}:`, ...pressed);
  }

  /** Types a line and, once it stands there, presses Enter: keys that come in one piece would count as pasted. */
  async type(text: string): Promise<void> {
    this.keys('-l', text);
    await this.shows(text.slice(-20));
    this.keys('Enter');
  }

  /** Answers Codex's question whether it may run a command, with yes. An Enter that comes too late does nothing. */
  async letsCodexRun(): Promise<void> {
    const question = 'Would you like to run';
    await this.shows(question);
    await this.#pressUntil('Enter', (screen) => !screen.includes(question));
  }

  /**
   * Presses a key until the screen says that it was taken: the first may come before anybody takes keys. One at a time,
   * for several that come in one piece would count as pasted.
   */
  async #pressUntil(key: string, isTaken: (screen: string) => boolean): Promise<boolean> {
    const taken = () => isTaken(this.screen());
    return eventually(`${key} to be taken`, async () => {
      if (taken()) return true;
      this.keys(key);
      return eventually(`${key} to be taken`, taken, PATIENCE).catch(() => false);
    });
  }

  /** Its screen, once it has not changed for a while. */
  stands(): Promise<string> {
    let last = { screen: '', since: performance.now() };
    return eventually('the terminal to stand still', () => {
      const screen = this.screen();
      if (screen !== last.screen) last = { screen, since: performance.now() };
      return performance.now() - last.since >= STILL && screen;
    });
  }

  async shows(text: string | RegExp, session = this.#name): Promise<void> {
    let last = '';
    const matches = (): boolean => {
      last = this.screen(session);
      return typeof text === 'string' ? last.includes(text) : text.test(last);
    };
    await eventually(`the terminal to show ${text}`, matches).catch((error: unknown) => {
      throw new Error(`${error}\n${last}`);
    });
  }

  async end(): Promise<void> {
    spawnSync('tmux', ['kill-server'], { env: this.environment });
    await eventually("the person's terminal to have ended", () => this.sessions().length === 0);
  }
}
