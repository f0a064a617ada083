import type { AgentId, DeliveryId, IncarnationId } from '../../../src/kernel/index.ts';
import type { Scene } from './scene.ts';

/**
 * How an agent takes text in:
 *
 *   protocol  a queue of its own that it can be asked about, beside its record
 *   inbox     drops things silently, drops what came twice within 30 s, and is known only by its record
 *   paste     a composer: what became of the text is known only if the record shows it
 */
export type Kind = 'protocol' | 'inbox' | 'paste';

/** The deliveries of one text that is handed over, in their order. */
export type Marks = readonly [DeliveryId, ...DeliveryId[]];

/** One process life of an agent: its record outlives it, its queue does not. */
export interface AgentLife {
  readonly incarnation: IncarnationId;
  alive: boolean;
  /** Deliveries in the order it took them; it only grows. */
  readonly record: DeliveryId[];
  /** Each one input, with all the deliveries that stand in its text. */
  queue: (readonly DeliveryId[])[];
  busy: boolean;
  /** ms of virtual time. */
  idleSince: number;
  lastBytesAt: number;
  /** When each text, known by its first delivery, came in last: for the guard against duplicates. */
  readonly seen: Map<DeliveryId, number>;
}

/** What is wrong with an agent's surroundings at the moment; the first five count hand-overs that will go wrong. */
export interface Troubles {
  refuse: number;
  lose: number;
  eat: number;
  edit: number;
  unclear: number;
  slowUntil: number;
  down: boolean;
  dialog: boolean;
  unreadable: boolean;
  unprobed: boolean;
  unbound: boolean;
}

const none = (): Troubles => ({
  refuse: 0,
  lose: 0,
  eat: 0,
  edit: 0,
  unclear: 0,
  slowUntil: 0,
  down: false,
  dialog: false,
  unreadable: false,
  unprobed: false,
  unbound: false,
});

/** An agent as the world has it. It lives on while coordinators come and go. */
export class SimulatedAgent {
  readonly id: AgentId;
  readonly kind: Kind;
  /** How many messages it takes in one input at most. */
  readonly together: number;
  readonly lives: AgentLife[] = [];
  readonly #scene: Scene;
  troubles: Troubles = none();

  constructor(id: AgentId, kind: Kind, together: number, scene: Scene) {
    this.id = id;
    this.kind = kind;
    this.together = together;
    this.#scene = scene;
    this.start();
  }

  /** Its present life, if it has one. */
  get life(): AgentLife | undefined {
    const last = this.lives.at(-1);
    return last?.alive ? last : undefined;
  }

  lifeOf(incarnation: IncarnationId): AgentLife | undefined {
    return this.lives.find((life) => life.incarnation === incarnation);
  }

  /** Everything it ever took, in order. */
  taken(): DeliveryId[] {
    return this.lives.flatMap((life) => life.record);
  }

  start(): void {
    if (this.life) return;
    const now = this.#scene.time.passed;
    this.lives.push({
      incarnation: this.#scene.mint.incarnation(),
      alive: true,
      record: [],
      queue: [],
      busy: false,
      idleSince: now,
      lastBytesAt: Number.NEGATIVE_INFINITY,
      seen: new Map(),
    });
    this.#scene.note(`${this.id} starts a life`);
    this.#scene.changed(this);
  }

  die(): void {
    const life = this.life;
    if (!life) return;
    this.#scene.note(`${this.id} dies with ${life.queue.length} in its queue`);
    if (life.queue.length > 0) this.#scene.faults.count('agent died with its queue');
    life.alive = false;
    life.queue = [];
    this.#scene.changed(this);
  }

  /** Everything is well again around it. */
  recover(): void {
    this.troubles = none();
    this.#scene.changed(this);
    if (this.life) this.work(this.life);
  }

  /** Text has come in: it waits in the agent's own queue until the agent gets to it. */
  accept(life: AgentLife, [first, ...others]: Marks): void {
    const { passed } = this.#scene.time;
    life.lastBytesAt = passed;
    const before = life.seen.get(first);
    life.seen.set(first, passed);
    if (this.kind === 'inbox' && before !== undefined && passed - before < 30_000) {
      this.#scene.faults.count('duplicate dropped by the agent');
      return;
    }
    life.queue.push([first, ...others]);
    this.work(life);
  }

  /** Begins the next turn, soon, unless one runs or nothing waits. */
  work(life: AgentLife): void {
    if (life.busy || life.queue.length === 0) return;
    const { random, time, faults } = this.#scene;
    const slow = this.troubles.slowUntil > time.passed && this.kind !== 'inbox';
    if (slow) faults.count('slow agent');
    const delay = slow ? random.between(3_000, 15_000) : random.between(1, 60);
    life.busy = true;
    time.after(delay, () => this.#take(life));
  }

  #take(life: AgentLife): void {
    if (!life.alive) return;
    const input = life.queue.shift();
    if (input === undefined) {
      life.busy = false;
      return;
    }
    life.record.push(...input);
    for (const delivery of input) this.#scene.took(this, delivery);
    this.#scene.changed(this);
    const { random, time } = this.#scene;
    const long = this.troubles.slowUntil > time.passed;
    if (long && this.kind === 'inbox') this.#scene.faults.count('slow agent');
    time.after(long ? random.between(5_000, 20_000) : random.between(20, 900), () => {
      if (!life.alive) return;
      life.busy = false;
      life.idleSince = time.passed;
      this.#scene.changed(this);
      this.work(life);
    });
  }
}
