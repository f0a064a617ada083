import { LedgerUnwritable, nextDue } from '../ledger/index.ts';
import { releaseDue } from './holding.ts';
import type { Desk } from './moves.ts';

/** How long a look that failed waits before the next one, ms: as for a line. */
const FAILURE_PAUSE = 30_000;
const UNWRITABLE_PAUSE = 1_000;

/** The longest sleep before another look, ms: the wall clock may be set forward meanwhile, and a laptop may sleep. */
const LONGEST_SLEEP = 60_000;

/** Puts a team's messages into their lines when their time has come. `wake` it whenever one with a time may have been stored. */
export class Schedule {
  readonly #desk: Desk;
  readonly #report: (error: unknown) => void;
  #running: Promise<void> | undefined;
  #again = false;
  #cancelTimer: (() => void) | undefined;

  constructor(desk: Desk, report: (error: unknown) => void) {
    this.#desk = desk;
    this.#report = report;
  }

  wake(): void {
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves once it rests. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        await this.#look();
      }
    } catch (error) {
      this.#report(error);
      this.#wakeAfter(error instanceof LedgerUnwritable ? UNWRITABLE_PAUSE : FAILURE_PAUSE);
    }
  }

  async #look(): Promise<void> {
    const { ledger, team, clock, reach } = this.#desk;
    const due = await nextDue(ledger.db, team);
    if (due === undefined) return this.#cancelTimer?.();
    const left = due - clock.now();
    if (left > 0) return this.#wakeAfter(Math.min(left, LONGEST_SLEEP));
    await reach('release.before_commit');
    await ledger.change(team, 'coordinator', releaseDue);
    await reach('release.committed');
    this.#again = true;
  }

  #wakeAfter(delay: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#desk.clock.after(delay, () => this.wake());
  }
}
