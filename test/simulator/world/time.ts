interface Due {
  readonly time: number;
  readonly order: number;
  readonly task: () => void;
  cancelled: boolean;
}

/** The first instant of every run, UTC ms. */
const START = 1_750_000_000_000;

/**
 * Virtual time: it stands still while anything runs and leaps to the next thing that is due. The wall clock can be set
 * forward or back beside it, as people and NTP do; what is due comes by the time that passes.
 */
export class VirtualTime {
  /** ms since the run began. */
  passed = 0;
  #shift = 0;
  #latest = START;
  #order = 0;
  readonly #due: Due[] = [];
  #stepsLeft: number;

  /** With `steps` it stands still for ever after so many things that happened. */
  constructor(steps = Number.MAX_SAFE_INTEGER) {
    this.#stepsLeft = steps;
  }

  get isOver(): boolean {
    return this.#stepsLeft <= 0;
  }

  /** The wall clock, UTC ms. */
  now(): number {
    return START + this.passed + this.#shift;
  }

  setWallClock(by: number): void {
    this.latest();
    this.#shift += by;
  }

  /** The latest time that the wall clock has shown so far, UTC ms. */
  latest(): number {
    this.#latest = Math.max(this.#latest, this.now());
    return this.#latest;
  }

  /** The machine sleeps for so long: nothing runs, the wall clock goes on, and what was due meanwhile is due at once. */
  suspend(wall: number, timers: number): void {
    this.#shift += wall - timers;
    this.passed += timers;
  }

  /** Runs `task` after `delay` ms unless the returned function is called first. */
  after(delay: number, task: () => void): () => void {
    const due: Due = { time: this.passed + delay, order: this.#order++, task, cancelled: false };
    this.#insert(due);
    return () => {
      due.cancelled = true;
    };
  }

  /** Virtual time stands still while anything runs: a turn takes none. */
  turn(): Promise<void> {
    return Promise.resolve();
  }

  /** Resolves after `delay` ms. */
  pause(delay: number): Promise<void> {
    return new Promise((resolve) => this.after(delay, resolve));
  }

  /** Lets everything that is due until `end` (ms since the run began) happen; Infinity: until nothing is due any more. */
  async runUntil(end: number): Promise<void> {
    for (let steps = 0; ; steps++) {
      const next = this.#due.at(-1);
      if (!next || next.time > end) break;
      if (steps > 1_000_000) throw new Error('the run does not come to rest');
      this.#due.pop();
      if (next.cancelled) continue;
      if (this.isOver) return;
      this.#stepsLeft -= 1;
      this.passed = Math.max(this.passed, next.time);
      next.task();
      await everythingThatCanGoOn();
    }
    if (Number.isFinite(end)) this.passed = Math.max(this.passed, end);
  }

  /** Latest first, so that the next one is the last. */
  #insert(due: Due): void {
    let low = 0;
    let high = this.#due.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#due[middle];
      if (other && (other.time > due.time || (other.time === due.time && other.order > due.order))) low = middle + 1;
      else high = middle;
    }
    this.#due.splice(low, 0, due);
  }
}

/** The code under test waits only for promises of its own and for virtual time: after one turn of the loop all of it stands. */
function everythingThatCanGoOn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
