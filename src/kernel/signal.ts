import type { Clock } from './clock.ts';

/** Something that many may wait on: each `notify` makes every waiting probe look again. */
export class Signal {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  notify(): void {
    for (const look of [...this.#waiting]) look();
  }

  /**
   * Resolves with the first value of `probe` that is not undefined: looked for now and after each `notify`. Resolves with
   * undefined after `deadline` ms, or when `given up` aborts.
   */
  until<Value>(
    probe: () => Value | undefined | Promise<Value | undefined>,
    deadline: number,
    givenUp?: AbortSignal,
  ): Promise<Value | undefined> {
    return new Promise((resolve, reject) => {
      let looking = false;
      let again = false;
      const finish = (act: () => void): void => {
        this.#waiting.delete(look);
        cancel();
        givenUp?.removeEventListener('abort', abort);
        act();
      };
      const abort = (): void => finish(() => resolve(undefined));
      const look = (): void => {
        again = true;
        if (looking) return;
        looking = true;
        void (async () => {
          try {
            while (again) {
              again = false;
              const value = await probe();
              if (value !== undefined) return finish(() => resolve(value));
            }
          } catch (error) {
            finish(() => reject(error));
          } finally {
            looking = false;
          }
        })();
      };
      const cancel = this.#clock.after(deadline, abort);
      givenUp?.addEventListener('abort', abort, { once: true });
      // One that was given up before tells nobody any more.
      if (givenUp?.aborted) return abort();
      this.#waiting.add(look);
      look();
    });
  }
}
