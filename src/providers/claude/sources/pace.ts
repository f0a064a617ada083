/** So many messages of one sender may come at once. Claude Code takes 31, then drops without a word (measured). */
const BURST = 20;

/** After that one in so many ms; measured: 0.5 a second. */
const INTERVAL = 2_000;

/** Keeps each sender below the rate at which Claude Code drops its messages. */
export class Pace {
  /** When a sender's burst will be whole again, UTC ms: each message moves it one interval further. */
  readonly #whole = new Map<string, number>();

  /** A message of `from` was handed over, or is known to have been taken, at `at` (UTC ms). */
  note(from: string, at: number): void {
    this.#whole.set(from, Math.max(this.#whole.get(from) ?? 0, at) + INTERVAL);
  }

  /** How many ms until any sender may be heard again; 0 when each of them may now. */
  wait(now: number): number {
    const latest = Math.max(0, ...this.#whole.values());
    return Math.max(0, latest - now - (BURST - 1) * INTERVAL);
  }
}
