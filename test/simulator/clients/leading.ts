import { LEADER } from '../../../src/kernel/index.ts';
import { bindLeader } from '../../../src/leader/index.ts';
import { findLeader, insertLeader, type LeaderRow, putLease } from '../../../src/ledger/index.ts';
import type { AgentHandle } from '../../../src/providers/index.ts';
import { type Coordinator, TEAM } from '../coordinator.ts';
import type { SimulatedAgent } from '../world/agent.ts';
import type { AgentLife } from '../world/agent-life.ts';
import type { Disk } from '../world/disk.ts';
import type { Scene } from '../world/scene.ts';
import type { Ask } from './asking.ts';

/** Conversations that lead, one at a time, and the person who moves the lead between them. */
export class Leading {
  readonly #scene: Scene;
  readonly #disk: Disk;
  readonly #ask: Ask;
  readonly #leader: SimulatedAgent;

  constructor(scene: Scene, disk: Disk, ask: Ask, leader: SimulatedAgent) {
    this.#scene = scene;
    this.#disk = disk;
    this.#ask = ask;
    this.#leader = leader;
  }

  /** The conversation that leads by the ledger, alive or not. */
  present(): AgentLife | undefined {
    const [lease] = this.#disk.rows('select receiver from leases');
    return this.#leader.lives.find(({ incarnation }) => incarnation === lease?.receiver);
  }

  /** A conversation leads from now on, unless another one that lives does. */
  bind(life: AgentLife): void {
    this.#ask(async (coordinator) => {
      if (!life.alive) return true;
      const conversation = await known(coordinator, life);
      await bindLeader(coordinator.ledger, coordinator.leaders, TEAM, conversation);
      return true;
    });
  }

  /** A person gives the lead to another conversation, though the one before lives on. */
  move(life: AgentLife): void {
    this.#ask(async (coordinator) => {
      if (!life.alive || this.present() === life) return true;
      const conversation = await known(coordinator, life);
      await this.#lease(coordinator, conversation.incarnation);
      this.#scene.faults.count('lease moved');
      return true;
    });
  }

  /** Nobody leads any more. */
  unbind(): void {
    this.#ask(async (coordinator) => {
      if (!this.present()) return true;
      await this.#lease(coordinator, undefined);
      this.#scene.faults.count('leader unbound');
      return true;
    });
  }

  async #lease({ ledger, leaders }: Coordinator, incarnation: AgentLife['incarnation'] | undefined): Promise<void> {
    const [open] = this.#disk.rows(
      'select count(*) as offers, count(rides_on) as riders from offers where settled_at is null and recipient = ?',
      LEADER,
    );
    if (Number(open?.offers) > 0) this.#scene.faults.count('offer open when the lease moved');
    if (Number(open?.riders) > 0) this.#scene.faults.count('riders open when the lease moved');
    await ledger.change(TEAM, 'person', async (change) => {
      const epoch = await putLease(change, { identity: null, receiver: incarnation ?? null });
      await change.event(incarnation ? 'leader.bound' : 'leader.unbound', { epoch, incarnation });
    });
    leaders.leads(TEAM, incarnation);
  }
}

/** A conversation as a coordinator knows it once it has seen it. */
async function known({ ledger, leaders, life: coordinator }: Coordinator, life: AgentLife) {
  const { incarnation } = life;
  const handle: AgentHandle = {
    process: { pid: 1, start: '1' },
    session: life.sessions[0].id,
    record: 'record',
    details: {},
  };
  const row: LeaderRow = {
    incarnation,
    host: 'here',
    provider: 'scripted',
    found: 'running',
    token_hash: null,
    handle: JSON.stringify(handle),
    began_at: coordinator.now(),
    ended_at: null,
  };
  if (!(await findLeader(ledger.db, incarnation))) await insertLeader(ledger.db, row);
  return leaders.conversation(incarnation) ?? leaders.follow(row, handle);
}
