/** Wakes somebody after a while, because nothing else will. It keeps no process alive. */
export class Alarm {
  #timer: NodeJS.Timeout | undefined;

  /** After `delay` ms; a later call takes the place of an earlier one. */
  set(delay: number, wake: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(wake, delay);
    this.#timer.unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
