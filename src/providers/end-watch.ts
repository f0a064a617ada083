import type { Liveness } from '../kernel/index.ts';

/** Between looks at a process that seems to have ended, in ms. */
const FIRST_LOOK = 10;
const LONGEST_LOOK = 2000;

interface Watched {
  readonly liveness: () => Liveness;
  /** Does something still say that the end has come, or will nothing ever say it? */
  readonly seemsEnded: () => boolean;
  readonly ended: () => void;
}

/** Looks at a process until it is gone: the last word of a process comes before its end, and its end has no event of its own. */
export class EndWatch {
  readonly #watched: Watched;
  #timer: NodeJS.Timeout | undefined;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** Begins to look when the end seems near, soon or now and then; nothing when it looks already or the process is gone. */
  begin(pace: 'soon' | 'slowly' = 'soon'): void {
    if (this.#timer !== undefined || !this.#watched.seemsEnded() || this.#watched.liveness() === 'dead') return;
    this.#lookAfter(pace === 'soon' ? FIRST_LOOK : LONGEST_LOOK);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #lookAfter(wait: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#watched.liveness() === 'dead') this.#watched.ended();
      else if (this.#watched.seemsEnded()) this.#lookAfter(Math.min(LONGEST_LOOK, wait * 2));
    }, wait);
    this.#timer.unref();
  }
}
