import type { Available, Recipient, Unavailable } from '../../src/agents/index.ts';
import { type AgentId, isRefusal, type TeamId } from '../../src/kernel/index.ts';
import {
  findTeam,
  type Ledger,
  LedgerUnwritable,
  ledgerOn,
  putTeam,
  recipientsWithOpenDeliveries,
} from '../../src/ledger/index.ts';
import { type Desk, PostOffice } from '../../src/messages/index.ts';
import type { Channel, Offer, Settlement } from '../../src/providers/index.ts';
import type { SimulatedAgent } from './world/agent.ts';
import { SimulatedChannel } from './world/channel.ts';
import { Died, type Disk } from './world/disk.ts';
import type { Life } from './world/life.ts';
import type { Scene } from './world/scene.ts';

export const TEAM = 'simulated' as TeamId;

/** Where a test puts a bug in: around the product's code, never into it. */
export interface Tamper {
  recipient?(recipient: Recipient, agent: SimulatedAgent, disk: Disk, scene: Scene): Recipient;
  /** Called with the disk before the lines of a boot start. */
  boot?(disk: Disk): void;
}

export interface Surroundings {
  readonly scene: Scene;
  readonly disk: Disk;
  readonly agents: ReadonlyMap<AgentId, SimulatedAgent>;
  readonly tamper: Tamper;
  /** An error that no fault explains. */
  unexpected(error: unknown): void;
}

/** One boot of the coordinator: the product's ledger and lines, in the simulated world. */
export interface Coordinator {
  readonly life: Life;
  readonly ledger: Ledger;
  readonly desk: Desk;
  readonly office: PostOffice;
}

/**
 * Boots as the product does: opens the ledger, makes the lines, lets committed events wake those whom they concern, and
 * wakes everybody that something waits for. Resolves when it is up; undefined when the disk did not let it.
 */
export async function boot(life: Life, around: Surroundings): Promise<Coordinator | undefined> {
  const { scene, disk, tamper } = around;
  try {
    const ledger = await ledgerOn(disk.connect(life), life);
    if (isRefusal(ledger)) throw new Error(ledger.message);
    if (!(await findTeam(ledger.db, TEAM))) await ledger.change(TEAM, 'person', (change) => putTeam(change, ABOUT));
    const desk: Desk = { ledger, team: TEAM, mint: scene.mint, clock: life, reach: (boundary) => life.reach(boundary) };
    const office = new PostOffice(
      desk,
      (id) => recipientOf(id, life, around),
      (error) => {
        if (life.alive && !(error instanceof LedgerUnwritable) && !(error instanceof Died)) around.unexpected(error);
      },
    );
    tamper.boot?.(disk);
    ledger.onCommit((events) => {
      for (const event of events) if (event.type === 'message.stored') wakeAll(event.data.to, office, life, scene);
    });
    wakeAll(await recipientsWithOpenDeliveries(ledger.db, TEAM), office, life, scene);
    life.booted = true;
    return { life, ledger, desk, office };
  } catch (error) {
    const full = error instanceof Error && 'errcode' in error && error.errcode === 13;
    if (life.alive && !full && !(error instanceof LedgerUnwritable)) around.unexpected(error);
    return undefined;
  }
}

const ABOUT = {
  name: 'Simulated',
  session_name: 'simulated',
  documents: '.team/simulated',
  objective: 'to lose nothing',
  intent: 'running',
  notify: 'each',
} as const;

/** Wakes lines, now and then twice. */
export function wakeAll(ids: unknown, office: PostOffice, life: Life, scene: Scene): void {
  if (!Array.isArray(ids)) return;
  for (const id of ids) {
    life.after(scene.random.between(0, 5), () => office.wake(id));
    if (!scene.random.chance(0.1)) continue;
    scene.faults.count('duplicate wake');
    life.after(scene.random.between(0, 50), () => office.wake(id));
  }
}

function recipientOf(id: AgentId, life: Life, { agents, tamper, disk, scene }: Surroundings): Recipient | undefined {
  const agent = agents.get(id);
  if (!agent) return undefined;
  const recipient = new SimulatedRecipient(agent, life, scene);
  return tamper.recipient?.(recipient, agent, disk, scene) ?? recipient;
}

/** A simulated agent as the lines of one coordinator see it. */
class SimulatedRecipient implements Recipient {
  readonly id: AgentId;
  readonly together: number;
  readonly #agent: SimulatedAgent;
  readonly #life: Life;
  readonly #scene: Scene;

  constructor(agent: SimulatedAgent, life: Life, scene: Scene) {
    this.id = agent.id;
    this.together = agent.together;
    this.#agent = agent;
    this.#life = life;
    this.#scene = scene;
  }

  availability(_urgent: boolean): Promise<Available | Unavailable> {
    return this.#life.call(async () => {
      const { life, troubles } = this.#agent;
      if (troubles.unbound) return { hold: 'leader_unbound', evidence: 'nobody leads' };
      if (!life) return { hold: 'agent_not_running', evidence: 'no process runs for it' };
      const channel = new SimulatedChannel(this.#agent, life, this.#scene);
      const state = await channel.state();
      if (state !== 'ready') return state;
      return { channel: this.#remote(channel), incarnation: life.incarnation, position: () => life.record.length };
    });
  }

  settle(offer: Offer): Promise<Settlement> {
    return this.#life.call(async () => {
      const life = this.#agent.lifeOf(offer.incarnation);
      if (!life) throw new Error(`${this.id} never had a life ${offer.incarnation}`);
      return new SimulatedChannel(this.#agent, life, this.#scene).settle(offer);
    });
  }

  liveness(incarnation: Offer['incarnation']) {
    if (this.#agent.troubles.unprobed) {
      this.#scene.faults.count('liveness unknown');
      return 'unknown';
    }
    return this.#agent.lifeOf(incarnation)?.alive ? 'alive' : 'dead';
  }

  #remote(channel: Channel): Channel {
    return {
      name: channel.name,
      state: () => this.#life.call(() => channel.state()),
      hand: (offer, rendered, from) => this.#life.call(() => channel.hand(offer, rendered, from)),
      settle: (offer) => this.#life.call(() => channel.settle(offer)),
    };
  }
}
