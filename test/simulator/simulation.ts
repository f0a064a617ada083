import { type AgentId, type DeliveryId, LEADER } from '../../src/kernel/index.ts';
import { type Account, Clients } from './clients.ts';
import { boot, type Coordinator, type Surroundings, type Tamper, wakeAll } from './coordinator.ts';
import { violationsOf } from './invariants.ts';
import { type Kind, SimulatedAgent } from './world/agent.ts';
import { Disk } from './world/disk.ts';
import { Histogram } from './world/faults.ts';
import { Life, somewhere } from './world/life.ts';
import { mintOf } from './world/mint.ts';
import { Random } from './world/random.ts';
import type { Scene } from './world/scene.ts';
import { VirtualTime } from './world/time.ts';
import { planTroubles } from './world/troubles.ts';

export interface Plan {
  readonly seed: number;
  /** Messages that are sent by people, the leader and peers; notices come on top. */
  readonly messages?: number;
  readonly tamper?: Tamper;
  readonly trace?: (line: string) => void;
}

export interface Outcome {
  readonly seed: number;
  readonly faults: Histogram;
  readonly crashes: number;
  /** What must never be, as it was found; empty when all is well. */
  readonly violations: readonly string[];
  /** How many deliveries ended in each state, dead ones by their reason. */
  readonly ends: Readonly<Record<string, number>>;
  /** Hash-like summary of the run: two runs of one seed agree in it. */
  readonly fingerprint: string;
}

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
  readonly #clients: Clients;
  readonly #account: Account = { acknowledged: new Map(), taken: new Map(), order: [] };
  readonly #violations: string[] = [];
  #life: Life | undefined;
  #coordinator: Coordinator | undefined;
  #crashes = 0;
  #faultsOn = true;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#random = new Random(plan.seed);
    const time = new VirtualTime();
    this.#scene = {
      random: this.#random,
      time,
      mint: mintOf(this.#random),
      faults: new Histogram(),
      note: (line) => plan.trace?.(`${(time.passed / 1000).toFixed(3).padStart(9)} s  ${line}`),
      changed: (agent) => this.#changed(agent),
      took: (agent, delivery) => this.#took(agent, delivery),
    };
    this.#disk = new Disk(this.#scene.faults, this.#random);
    const unexpected = (error: unknown) => this.#violate(`an unexpected error: ${text(error)}`);
    this.#around = {
      scene: this.#scene,
      disk: this.#disk,
      agents: this.#agents,
      tamper: plan.tamper ?? {},
      unexpected,
    };
    this.#clients = new Clients(this.#scene, this.#account, () => this.#coordinator, unexpected);
  }

  async run(): Promise<Outcome> {
    this.#people();
    this.#boot();
    this.#clients.write(this.#plan.messages ?? 50, [...this.#agents.keys()], BUSY_TIME);
    planTroubles(this.#scene, this.#disk, [...this.#agents.values()], this.#clients, BUSY_TIME);
    await this.#scene.time.runUntil(BUSY_TIME);
    await this.#quietDown();
    const violations = [
      ...this.#violations,
      ...violationsOf(this.#disk, this.#agents, this.#account, this.#scene.time.now()),
    ];
    await this.#quietTick(violations);
    this.#countEnds();
    return this.#outcome(violations);
  }

  #people(): void {
    const count = this.#random.between(4, 8);
    const kinds: readonly Kind[] = ['protocol', 'inbox', 'paste'];
    for (let index = 0; index < count; index++) {
      const id = index === 0 ? LEADER : (`agent-${index}` as AgentId);
      // A leader's turn is paid for: it takes what waits together. An agent gets a turn for each message.
      const together = id === LEADER ? this.#random.pick([1, 3]) : 1;
      this.#agents.set(id, new SimulatedAgent(id, this.#random.pick(kinds), together, this.#scene));
    }
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
    if (coordinator) wakeAll([agent.id], coordinator.office, coordinator.life, this.#scene);
  }

  #took(agent: SimulatedAgent, delivery: DeliveryId): void {
    this.#scene.note(`${agent.id} takes ${delivery.slice(0, 8)}`);
    if (this.#account.taken.has(delivery)) this.#violate(`${agent.id} took ${delivery} twice`);
    this.#account.taken.set(delivery, agent.id);
    this.#account.order.push(delivery);
    this.#clients.mayAnswer(agent, delivery);
  }

  #violate(what: string): void {
    this.#scene.note(`VIOLATION: ${what}`);
    this.#violations.push(what);
  }

  /** Nothing goes wrong any more; what can come to its end does. */
  async #quietDown(): Promise<void> {
    this.#faultsOn = false;
    this.#disk.full = false;
    this.#life?.die();
    this.#scene.note('nothing goes wrong from here on');
    for (const agent of this.#agents.values()) agent.recover();
    await this.#scene.time.runUntil(Number.POSITIVE_INFINITY);
    await this.#wakeEverybody();
    // What only the end of a life can settle is settled by it.
    for (let round = 0; round < 60 && this.#unsettled().length > 0; round++) {
      for (const agent of this.#unsettled()) {
        agent.die();
        agent.start();
      }
      await this.#wakeEverybody();
    }
  }

  #ridersAreOpen(): boolean {
    return this.#disk.rows('select 1 from offers where settled_at is null and rides_on is not null').length > 0;
  }

  #unsettled(): SimulatedAgent[] {
    const rows = this.#disk.rows('select recipient from offers where settled_at is null');
    return [...this.#agents.values()].filter((agent) => rows.some((row) => row.recipient === agent.id));
  }

  async #wakeEverybody(): Promise<void> {
    const coordinator = this.#coordinator;
    if (!coordinator) return this.#violate('no coordinator is up at the end');
    for (const id of this.#agents.keys()) coordinator.office.wake(id);
    await this.#scene.time.runUntil(Number.POSITIVE_INFINITY);
  }

  /** With nothing to do, looking writes nothing. */
  async #quietTick(violations: string[]): Promise<void> {
    const before = this.#disk.changes();
    await this.#wakeEverybody();
    const written = this.#disk.changes() - before;
    if (written > 0) violations.push(`a quiet tick wrote ${written} rows`);
  }

  /** Faults that show only in how deliveries ended. */
  #countEnds(): void {
    const { faults } = this.#scene;
    const deaths = this.#disk.rows(
      `select json_extract(data, '$.reason') as reason, json_extract(data, '$.evidence') as evidence,
        exists (select 1 from events as later where later.type = 'delivery.consumed' and later.seq > events.seq
          and json_extract(later.data, '$.delivery_id') = json_extract(events.data, '$.delivery_id')) as late
       from events where type = 'delivery.dead'`,
    );
    for (const { reason, evidence, late } of deaths) {
      if (late === 1) faults.count('late receipt after unproved');
      if (reason === 'expired') faults.count('expired in the line');
      if (reason === 'unproved' && String(evidence).startsWith('its time')) faults.count('expired while unproved');
      if (reason === 'attempts_exhausted') faults.count('attempts exhausted');
    }
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
      ends: Object.fromEntries(ends.map(({ end, count }) => [String(end), Number(count)])),
      fingerprint: `${seq}-${at}-${this.#scene.time.passed}-${this.#account.order.length}`,
    };
  }
}

const text = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
