import { LEADER } from '../../../src/kernel/index.ts';
import { changeLead, type Intent } from '../../../src/leader/index.ts';
import { findLeader, insertLeader, type LeaderRow } from '../../../src/ledger/index.ts';
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

  /** A conversation leads from now on, unless another one that may live does. */
  bind(life: AgentLife): void {
    this.#wish(life, 'acquire', false);
  }

  /** A person gives the lead to another conversation, though the one before lives on. */
  move(life: AgentLife): void {
    if (this.present() !== life) this.#wish(life, 'claim', true);
  }

  /** Several conversations want the lead in the same moment; each of them says that it means it. */
  race(lives: readonly AgentLife[]): void {
    this.#scene.faults.count('claims raced');
    for (const life of lives) this.#wish(life, this.#scene.random.pick(['claim', 'takeover', 'attach']), true);
  }

  /** Nobody leads any more. */
  unbind(): void {
    const present = this.present();
    if (present) this.#wish(present, 'release', true);
  }

  #wish(life: AgentLife, intent: Intent, confirmed: boolean): void {
    this.#ask(async (coordinator) => {
      if (!life.alive && intent !== 'release') return true;
      const conversation = await known(coordinator, life);
      const session = `scripted:${conversation.handle.session}`;
      const { incarnation } = conversation;
      const candidate = { kind: 'conversation', incarnation, session, here: true, inside: true, twins: 0 } as const;
      this.#countOpen();
      const wish = { intent, confirmed, actor: 'person', candidate, conversation };
      const { decision } = await changeLead(coordinator, TEAM, wish);
      if (decision.decision === 'release') this.#scene.faults.count('leader unbound');
      if (decision.reason === 'takeover_confirmed') this.#scene.faults.count('lease moved');
      if (decision.reason === 'owner_epoch_advanced') this.#scene.faults.count('claim lost a race');
      return true;
    });
  }

  #countOpen(): void {
    const [open] = this.#disk.rows(
      'select count(*) as offers, count(rides_on) as riders from offers where settled_at is null and recipient = ?',
      LEADER,
    );
    if (Number(open?.offers) > 0) this.#scene.faults.count('offer open when the lease moved');
    if (Number(open?.riders) > 0) this.#scene.faults.count('riders open when the lease moved');
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
