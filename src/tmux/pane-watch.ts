import type { Clock } from '../kernel/index.ts';
import type { PaneRow } from './rows.ts';
import type { Log } from './shape.ts';

/** When tmux does not answer a look, it is asked again after these times (ms), then at the next event. */
const AGAIN_AFTER = [100, 300, 1_000, 3_000];

export interface PaneWatchOptions {
  /** All panes of the server; undefined when tmux did not answer. */
  readonly list: () => Promise<readonly PaneRow[] | undefined>;
  /** Told what was seen, after each look that was answered. */
  readonly looked: (rows: readonly PaneRow[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Notices the end of panes. An event of tmux is only a hint to look; a pane is gone when a list that was asked for while
 * we knew of it lacks it. Without an answer nothing is gone.
 */
export class PaneWatch {
  readonly #options: PaneWatchOptions;
  readonly #known = new Set<string>();
  readonly #listeners = new Set<(incarnation: string) => void>();
  #looking: Promise<void> | undefined;
  #again = false;
  #failures = 0;

  constructor(options: PaneWatchOptions) {
    this.#options = options;
  }

  know(incarnation: string): void {
    this.#known.add(incarnation);
  }

  onGone(listener: (incarnation: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Looks now, or once more after the look that is under way: that one may have been asked too early. */
  look(): Promise<void> {
    if (this.#looking) this.#again = true;
    else this.#looking = this.#lookUntilQuiet();
    return this.#looking;
  }

  async #lookUntilQuiet(): Promise<void> {
    try {
      do {
        this.#again = false;
        await this.#lookOnce();
      } while (this.#again);
    } finally {
      this.#looking = undefined;
    }
  }

  async #lookOnce(): Promise<void> {
    const expected = [...this.#known];
    const rows = await this.#options.list();
    if (!rows) {
      this.#lookLater();
      return;
    }
    this.#failures = 0;
    const alive = new Set(rows.filter((row) => !row.dead).map((row) => row.incarnation));
    for (const incarnation of expected) {
      if (!alive.has(incarnation) && this.#known.delete(incarnation)) {
        for (const listener of this.#listeners) listener(incarnation);
      }
    }
    await this.#options.looked(rows);
  }

  #lookLater(): void {
    const delay = AGAIN_AFTER[this.#failures++];
    if (delay === undefined) this.#options.log.warn({ tries: this.#failures }, 'tmux does not say which panes live');
    else this.#options.clock.after(delay, () => void this.look());
  }
}
