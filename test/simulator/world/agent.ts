import type { AgentId, DeliveryId, IncarnationId } from '../../../src/kernel/index.ts';
import { AgentLife, type Session } from './agent-life.ts';
import type { Scene } from './scene.ts';

/**
 * How an agent takes text in:
 *
 *   protocol  a queue of its own that it can be asked about, beside its record
 *   inbox     drops things silently, drops what came twice within 30 s, and is known only by its record
 *   paste     a composer: its terminal knows what was begun, but what became of that only the record may show
 */
export type Kind = 'protocol' | 'inbox' | 'paste';

/** The deliveries of one text that is handed over, in their order. */
export type Marks = readonly [DeliveryId, ...DeliveryId[]];

/** What is wrong with an agent's surroundings at the moment; the first six count hand-overs that will go wrong. */
export interface Troubles {
  refuse: number;
  lose: number;
  eat: number;
  edit: number;
  unclear: number;
  /** A person begins to type between the question and the first key. */
  startle: number;
  slowUntil: number;
  down: boolean;
  dialog: boolean;
  unreadable: boolean;
  unprobed: boolean;
  /** So many times the person leaves its conversation as soon as it has taken something. */
  leave: number;
  /** Another process works on its conversation, too. */
  shared: boolean;
}

const none = (): Troubles => ({
  refuse: 0,
  lose: 0,
  eat: 0,
  edit: 0,
  unclear: 0,
  startle: 0,
  slowUntil: 0,
  down: false,
  dialog: false,
  unreadable: false,
  unprobed: false,
  leave: 0,
  shared: false,
});

/** An agent as the world has it. It lives on while coordinators come and go. */
export class SimulatedAgent {
  readonly id: AgentId;
  readonly kind: Kind;
  readonly lives: AgentLife[] = [];
  readonly #scene: Scene;
  /** Counts those who bear its name, one after the other. */
  generation = 1;
  /** Nobody bears its name at the moment. */
  removed = false;
  troubles: Troubles = none();

  constructor(id: AgentId, kind: Kind, scene: Scene) {
    this.id = id;
    this.kind = kind;
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

  start(): void {
    if (!this.life && !this.removed) this.live();
  }

  /** Another life, beside those that there are. */
  live(): AgentLife {
    const { mint, time } = this.#scene;
    const life = new AgentLife(mint.incarnation(), this.generation, this.#newSession(), time.passed);
    this.lives.push(life);
    this.#scene.note(`${this.id} starts a life`);
    this.#scene.changed(this);
    return life;
  }

  #newSession(record: readonly DeliveryId[] = []): Session {
    return { id: this.#scene.mint.session(), record: [...record], lost: false };
  }

  die(life = this.life): void {
    if (!life?.alive) return;
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
    for (const life of this.lives) if (life.alive) this.work(life);
  }

  /** The person begins another conversation in it, goes back to an earlier one or goes on in a copy. */
  changeSession(life = this.life): void {
    if (!life) return;
    const { random, faults } = this.#scene;
    const others = life.sessions.concat(this.lives.filter(({ alive }) => !alive).flatMap(({ sessions }) => sessions));
    const former = others.filter((session) => session !== life.session && !session.lost);
    const kind = random.pick(['cleared', 'forked', former.length > 0 ? 'resumed' : 'cleared'] as const);
    if (life.queue.length > 0) faults.count('session changed under an input');
    // What waited in it goes with a conversation that is cleared, in some.
    if (kind === 'cleared' && random.chance(0.5)) life.queue = [];
    const copied = kind === 'forked' ? life.record : [];
    life.sessions.push(kind === 'resumed' ? random.pick(former) : this.#newSession(copied));
    faults.count(`session ${kind}`);
    this.#scene.note(`${this.id}: session ${kind}`);
    this.#scene.changed(this);
  }

  /** Somebody shortens or removes the file of its record; what it takes from then on is written all the same. */
  loseRecord(): void {
    const { life } = this;
    if (!life || life.record.length === 0) return;
    const { random, faults } = this.#scene;
    const { session } = life;
    session.lost = true;
    for (const gone of session.record.splice(random.chance(0.5) ? 0 : random.between(0, session.record.length - 1)))
      this.#scene.forgot(gone);
    life.sessions.push({ id: session.id, record: [], lost: false });
    faults.count('record lost');
    this.#scene.note(`${this.id}: its record is lost`);
    this.#scene.changed(this);
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
    for (const delivery of input) this.#scene.took(this, delivery, life.generation);
    if (this.troubles.leave > 0) {
      this.troubles.leave--;
      this.changeSession(life);
    }
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
