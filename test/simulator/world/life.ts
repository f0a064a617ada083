import type { Boundary, Clock } from '../../../src/kernel/index.ts';
import { Died, type Witness } from './disk.ts';
import type { Fault } from './faults.ts';
import { CROSSED } from './faults.ts';
import type { Scene } from './scene.ts';

/** Where this life of the coordinator will end by force. */
export type Crash =
  | { readonly at: 'boundary'; readonly boundary: Boundary; nth: number }
  | { readonly at: 'statement'; readonly when: 'before' | 'after'; nth: number }
  | { readonly at: 'time'; readonly after: number };

/** Somewhere a coordinator may be killed: each boundary is as likely as all the places between. */
export function somewhere({ random }: Scene): Crash {
  const kind = random.between(1, 10);
  if (kind <= 6) return { at: 'boundary', boundary: random.pick(CROSSED), nth: random.between(1, 4) };
  if (kind <= 8) return { at: 'statement', when: random.pick(['before', 'after']), nth: random.between(1, 500) };
  return { at: 'time', after: random.between(1, 15_000) };
}

/**
 * One process life of the coordinator. Once it is dead, nothing that its code awaited ever comes, no timer of its own
 * runs, and the disk takes nothing from it any more.
 */
export class Life implements Witness, Clock {
  alive = true;
  booted = false;
  readonly #scene: Scene;
  #crash: Crash | undefined;
  readonly #mourners: (() => void)[] = [];

  constructor(scene: Scene, crash: Crash | undefined) {
    this.#scene = scene;
    this.#crash = crash;
    if (crash?.at === 'time') scene.time.after(crash.after, () => this.#crash && this.die('crash between two steps'));
  }

  /** Nothing ends it by force any more. */
  spare(): void {
    this.#crash = undefined;
  }

  /** Ends it here and now. `fault` is what this is counted as; without one it is an end of its own. */
  die(fault?: Fault): void {
    if (!this.alive) return;
    this.alive = false;
    if (fault) {
      this.#scene.faults.count(fault);
      if (!this.booted) this.#scene.faults.count('crash while booting');
    }
    this.#scene.note(`the coordinator dies: ${fault ?? 'by itself'}`);
    for (const mourner of this.#mourners) mourner();
  }

  onDeath(mourner: () => void): void {
    this.#mourners.push(mourner);
  }

  /** What a live one gets, and a dead one never. */
  guard<Value>(promise: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.alive && resolve(value),
        (error: unknown) => this.alive && reject(error),
      );
    });
  }

  turn(): Promise<void> {
    return this.guard(this.#scene.time.turn());
  }

  /** A call to the world outside: it takes a moment, and nothing comes of it when the caller dies meanwhile. */
  async call<Value>(work: () => Promise<Value>): Promise<Value> {
    const { random, time } = this.#scene;
    if (random.chance(0.5)) await this.guard(time.pause(random.between(0, 15)));
    if (!this.alive) return new Promise(() => undefined);
    return this.guard(work());
  }

  /** The product's `Reach`: a life that ends at a boundary goes no further. */
  reach(boundary: Boundary): void | Promise<void> {
    const crash = this.#crash;
    if (crash?.at === 'boundary' && crash.boundary === boundary && --crash.nth === 0) this.die(`crash at ${boundary}`);
    if (!this.alive) return new Promise(() => undefined);
  }

  statement(when: 'before' | 'after'): void {
    const crash = this.#crash;
    if (crash?.at !== 'statement' || crash.when !== when || --crash.nth !== 0) return;
    this.die('crash in a statement');
    throw new Died();
  }

  now(): number {
    return this.#scene.time.now();
  }

  after(delay: number, task: () => void): () => void {
    return this.#scene.time.after(delay, () => {
      if (this.alive) task();
    });
  }
}
