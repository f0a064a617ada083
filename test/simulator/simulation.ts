import { type AgentId, type DeliveryId, type IncarnationId, LEADER } from '../../src/kernel/index.ts';
import { type Beginning, plan as planTeam } from './beginning.ts';
import { type Account, asking } from './clients/asking.ts';
import { Leading } from './clients/leading.ts';
import { Letters } from './clients/letters.ts';
import { People } from './clients/people.ts';
import { Readers } from './clients/readers.ts';
import { boot, type Coordinator, isDiskFull, type Surroundings, soon } from './coordinator.ts';
import { countEnds } from './ends.ts';
import { overdue, takenTooEarly, violationsOf } from './invariants/index.ts';
import type { Outcome, Plan } from './outcome.ts';
import { type Kind, SimulatedAgent } from './world/agent.ts';
import { Disk } from './world/disk.ts';
import { Histogram } from './world/faults.ts';
import { Life, somewhere } from './world/life.ts';
import { mintOf } from './world/mint.ts';
import { Random } from './world/random.ts';
import type { Scene } from './world/scene.ts';
import { VirtualTime } from './world/time.ts';
import { planTroubles, type Troubled } from './world/troubles.ts';

/** How long an orderly end waits for the lines to rest, ms. */
const LAST_WORDS = 1_000;

/** Messages are sent and faults occur for so long, ms. */
const BUSY_TIME = 60_000;
const MOST_CRASHES = 6;

/** Runs one seed from its first message to the quiet at its end. */
export function simulate(plan: Plan): Promise<Outcome> {
  return new Simulation(plan).run();
}

class Simulation {
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #scene: Scene;
  readonly #disk: Disk;
  readonly #agents = new Map<AgentId, SimulatedAgent>();
  readonly #around: Surroundings;
  readonly #readers: Readers;
  readonly #people: People;
  readonly #leading: Leading;
  readonly #letters: Letters;
  readonly #beginning: Beginning;
  readonly #account: Account = { acknowledged: new Map(), taken: new Map(), order: [], forgotten: new Set() };
  readonly #violations: string[] = [];
  #life: Life | undefined;
  #coordinator: Coordinator | undefined;
  #crashes = 0;
  #faultsOn = true;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#random = new Random(plan.seed);
    const time = new VirtualTime(plan.steps);
    this.#scene = {
      random: this.#random,
      time,
      mint: mintOf(this.#random),
      faults: new Histogram(),
      note: (line) => plan.trace?.(`${(time.passed / 1000).toFixed(3).padStart(9)} s  ${line}`),
      changed: (agent) => this.#changed(agent),
      took: (agent, delivery, generation) => this.#took(agent, delivery, generation),
      forgot: (delivery) => this.#account.forgotten.add(delivery),
    };
    this.#disk = new Disk(this.#scene.faults, this.#random);
    const leader = this.#gather();
    this.#beginning = planTeam(this.#random, [...this.#agents.keys()]);
    const unexpected = (error: unknown) => this.#violate(`an unexpected error: ${text(error)}`);
    this.#around = {
      scene: this.#scene,
      disk: this.#disk,
      agents: this.#agents,
      beginning: this.#beginning,
      tamper: plan.tamper ?? {},
      unexpected,
    };
    const ask = asking(this.#scene, () => this.#coordinator, unexpected);
    this.#readers = new Readers(this.#scene, ask);
    this.#people = new People(this.#scene, this.#disk, ask);
    this.#leading = new Leading(this.#scene, this.#disk, ask, leader);
    this.#letters = new Letters(this.#scene, this.#account, ask, this.#beginning.tasks, (message) =>
      this.#people.decide(message),
    );
  }

  async run(): Promise<Outcome> {
    this.#boot();
    this.#lead();
    this.#letters.write(this.#plan.messages ?? 50, this.#beginning.members, BUSY_TIME);
    for (const { id } of this.#beginning.tasks) this.#people.finish(id, BUSY_TIME);
    planTroubles(this.#troubled(), BUSY_TIME);
    await this.#scene.time.runUntil(BUSY_TIME);
    if (!this.#scene.time.isOver) await this.#quietDown();
    if (this.#scene.time.isOver) return this.#outcome(this.#violations);
    const violations = [
      ...this.#violations,
      ...violationsOf(this.#disk, this.#agents, this.#account, this.#scene.time.now()),
    ];
    await this.#quietTick(violations);
    countEnds(this.#disk, this.#scene.faults);
    return this.#outcome(violations);
  }

  /** Who is there; the leader first, and it is returned. */
  #gather(): SimulatedAgent {
    const kinds: readonly Kind[] = ['protocol', 'inbox', 'paste'];
    const leader = new SimulatedAgent(LEADER, this.#random.pick(kinds), this.#scene);
    this.#agents.set(LEADER, leader);
    for (let index = this.#random.between(3, 7); index > 0; index--) {
      const id = `agent-${index}` as AgentId;
      this.#agents.set(id, new SimulatedAgent(id, this.#random.pick(kinds), this.#scene));
    }
    return leader;
  }

  /** A conversation that lives leads, if there is one. */
  #lead(): void {
    const leader = this.#agents.get(LEADER);
    leader?.start();
    if (leader?.life) this.#leading.bind(leader.life);
  }

  #troubled(): Troubled {
    return {
      scene: this.#scene,
      disk: this.#disk,
      agents: [...this.#agents.values()],
      readers: this.#readers,
      people: this.#people,
      leading: this.#leading,
      upgrade: () => this.#upgrade(),
    };
  }

  /** As the product ends when it is asked to: what runs may come to rest first, what is cut off is settled at the next boot. */
  #upgrade(): void {
    const coordinator = this.#coordinator;
    if (!coordinator) return;
    this.#coordinator = undefined;
    this.#scene.faults.count('coordinator upgraded');
    coordinator.office.stop();
    void Promise.race([coordinator.office.settled(), this.#scene.time.pause(LAST_WORDS)]).then(() => {
      if (coordinator.life.alive && this.#disk.rows('select 1 from offers where settled_at is null').length > 0)
        this.#scene.faults.count('offer open in an upgrade');
      coordinator.life.die();
    });
  }

  #boot(): void {
    const crash =
      this.#faultsOn && this.#crashes < MOST_CRASHES && this.#random.chance(0.85) ? somewhere(this.#scene) : undefined;
    const life = new Life(this.#scene, crash);
    this.#life = life;
    this.#scene.note(`the coordinator boots${crash ? `, to crash: ${JSON.stringify(crash)}` : ''}`);
    life.onDeath(() => {
      this.#disk.rollBack();
      if (life.booted && this.#ridersAreOpen()) this.#scene.faults.count('riders open in a crash');
      this.#life = undefined;
      this.#coordinator = undefined;
      this.#crashes++;
      this.#scene.time.after(this.#random.between(20, 1_500), () => this.#boot());
    });
    boot(life, this.#around).then((coordinator) => {
      if (coordinator && life.alive) {
        this.#coordinator = coordinator;
        coordinator.ledger.onCommit((events) => {
          for (const { seq, type, data } of events) this.#scene.note(`   ${seq} ${type} ${JSON.stringify(data)}`);
        });
      } else life.die();
    });
  }

  /** What a provider's attachment would tell the coordinator that is up: look again. */
  #changed(agent: SimulatedAgent): void {
    const coordinator = this.#coordinator;
    if (!coordinator) return;
    soon(coordinator.life, this.#scene, () => coordinator.office.wake(agent.id));
    if (agent.id === LEADER) this.#endConversations(coordinator);
  }

  /** A conversation that led and has ended is written down as such when somebody looks. */
  #endConversations({ life, leaders }: Coordinator): void {
    for (const { incarnation } of leaders.all()) {
      if (leaders.isAlive(incarnation)) continue;
      life.after(this.#random.between(0, 15_000), () => {
        if (!leaders.conversation(incarnation) || leaders.isAlive(incarnation)) return;
        leaders.end(incarnation).catch((error: unknown) => {
          if (life.alive && !isDiskFull(error)) this.#around.unexpected(error);
        });
      });
    }
  }

  #took(agent: SimulatedAgent, delivery: DeliveryId, generation: number): void {
    this.#scene.note(`${agent.id} takes ${delivery.slice(0, 8)}`);
    if (this.#account.taken.has(delivery)) this.#violate(`${agent.id} took ${delivery} twice`);
    this.#account.taken.set(delivery, agent.id);
    this.#account.order.push(delivery);
    const latest = this.#scene.time.latest();
    for (const early of takenTooEarly(this.#disk, delivery, latest, generation)) this.#violate(early);
    this.#readers.mayAnswer(agent, delivery);
  }

  #violate(what: string): void {
    this.#scene.note(`VIOLATION: ${what}`);
    this.#violations.push(what);
  }

  /** Nothing goes wrong any more; what can come to its end does. */
  async #quietDown(): Promise<void> {
    this.#faultsOn = false;
    this.#disk.full = false;
    // In some runs the last coordinator goes on: what only a boot puts right shows then.
    if (this.#random.chance(0.5)) this.#life?.die();
    else this.#life?.spare();
    this.#scene.note('nothing goes wrong from here on');
    for (const agent of this.#agents.values()) agent.recover();
    this.#lead();
    await this.#scene.time.runUntil(Number.POSITIVE_INFINITY);
    for (const late of overdue(this.#disk, this.#scene.time.now())) this.#violate(late);
    await this.#wakeEverybody();
    // What only the end of a life can settle is settled by it.
    for (let round = 0; round < 60 && !this.#scene.time.isOver && this.#unsettled().length > 0; round++) {
      for (const [agent, incarnation] of this.#unsettled()) {
        agent.die(agent.lifeOf(incarnation));
        agent.start();
      }
      this.#lead();
      await this.#wakeEverybody();
    }
  }

  #ridersAreOpen(): boolean {
    return this.#disk.rows('select 1 from offers where settled_at is null and rides_on is not null').length > 0;
  }

  /** Lives that an offer is open to. */
  #unsettled(): (readonly [SimulatedAgent, IncarnationId])[] {
    const rows = this.#disk.rows('select recipient, incarnation from offers where settled_at is null');
    return rows.flatMap(({ recipient, incarnation }) => {
      const agent = this.#agents.get(recipient as AgentId);
      return agent ? [[agent, incarnation as IncarnationId] as const] : [];
    });
  }

  async #wakeEverybody(): Promise<void> {
    const coordinator = this.#coordinator;
    if (!coordinator) return this.#violate('no coordinator is up at the end');
    for (const id of this.#agents.keys()) coordinator.office.wake(id);
    coordinator.office.wakeSchedule();
    await this.#scene.time.runUntil(Number.POSITIVE_INFINITY);
  }

  /** With nothing to do, looking writes nothing. */
  async #quietTick(violations: string[]): Promise<void> {
    const before = this.#disk.changes();
    await this.#wakeEverybody();
    const written = this.#disk.changes() - before;
    if (written > 0) violations.push(`a quiet tick wrote ${written} rows`);
  }

  #outcome(violations: readonly string[]): Outcome {
    const ends = this.#disk.rows(
      `select state || coalesce('(' || reason || ')', '') as end, count(*) as count from deliveries group by 1`,
    );
    const [{ seq, at } = { seq: 0, at: 0 }] = this.#disk.rows(
      'select max(seq) as seq, sum(at % 9973) as at from events',
    );
    return {
      seed: this.#plan.seed,
      faults: this.#scene.faults,
      crashes: this.#crashes,
      violations,
      messages: this.#account.acknowledged.size,
      deliveries: ends.reduce((sum, { count }) => sum + Number(count), 0),
      ends: Object.fromEntries(ends.map(({ end, count }) => [String(end), Number(count)])),
      fingerprint: `${seq}-${at}-${this.#scene.time.passed}-${this.#account.order.length}`,
    };
  }
}

const text = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
