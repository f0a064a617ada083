import type { Incident } from './shape.ts';

/** What happened to an agent, passed on to whoever listens; what was seen before anybody did waits for the first listener. */
export class Incidents {
  readonly #listeners: ((incident: Incident) => void)[] = [];
  readonly #untold: Incident[] = [];

  tell(incident: Incident): void {
    if (this.#listeners.length === 0) this.#untold.push(incident);
    for (const listener of this.#listeners) listener(incident);
  }

  listen(listener: (incident: Incident) => void): void {
    this.#listeners.push(listener);
    for (const incident of this.#untold.splice(0)) listener(incident);
  }
}
