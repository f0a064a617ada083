import type { Recipient } from '../../src/agents/index.ts';
import { type AgentId, type IncarnationId, isRefusal, LEADER, type TeamId } from '../../src/kernel/index.ts';
import { Leaders } from '../../src/leader/index.ts';
import {
  agentsOf,
  type Change,
  findTeam,
  type Ledger,
  type LedgerEvent,
  LedgerUnwritable,
  ledgerOn,
  recipientsWithOpenDeliveries,
} from '../../src/ledger/index.ts';
import { type Desk, PostOffice } from '../../src/messages/index.ts';
import { type Beginning, begin } from './beginning.ts';
import type { SimulatedAgent } from './world/agent.ts';
import { Died, type Disk } from './world/disk.ts';
import type { Life } from './world/life.ts';
import { attachmentOf, SimulatedRecipient } from './world/recipient.ts';
import type { Scene } from './world/scene.ts';

export const TEAM = 'simulated' as TeamId;

/** Where a test puts a bug in: around the product's code, never into it. */
export interface Tamper {
  recipient?(recipient: Recipient, agent: SimulatedAgent, disk: Disk, scene: Scene): Recipient;
  /** Called with the disk before the lines of a boot start. */
  boot?(disk: Disk): void;
  /** Called with each committed event before anybody hears of it. */
  event?(event: LedgerEvent, disk: Disk): void;
  /** Called in the transaction that takes a delivery back. */
  cancel?(change: Change, delivery: string): Promise<unknown>;
  /** What wakes nobody when this says no: an event by its type, or what a boot does for the schedule. */
  hears?(what: 'boot' | LedgerEvent['type']): boolean;
}

export interface Surroundings {
  readonly scene: Scene;
  readonly disk: Disk;
  readonly agents: ReadonlyMap<AgentId, SimulatedAgent>;
  readonly beginning: Beginning;
  readonly tamper: Tamper;
  /** An error that no fault explains. */
  unexpected(error: unknown): void;
}

/** One boot of the coordinator: the product's ledger, lines and leaders, in the simulated world. */
export interface Coordinator {
  readonly life: Life;
  readonly ledger: Ledger;
  readonly desk: Desk;
  readonly office: PostOffice;
  readonly leaders: Leaders;
  /** Its members, each with the number that tells it from those who bore its name before. */
  readonly roster: Map<AgentId, number>;
  readonly tamper: Tamper;
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
    if (!(await findTeam(ledger.db, TEAM)))
      await ledger.change(TEAM, 'person', (change) => begin(change, around.beginning));
    const roster = new Map<AgentId, number>();
    for (const row of await agentsOf(ledger.db, TEAM)) roster.set(row.agent_id as AgentId, row.generation);
    const desk: Desk = { ledger, team: TEAM, mint: scene.mint, clock: life, reach: (boundary) => life.reach(boundary) };
    const leaders: Leaders = new Leaders({
      ledger,
      clock: life,
      attach: ({ incarnation }) => attachmentOf(...whoLives(incarnation as IncarnationId, around), life, scene),
      changed: () => office.wake(LEADER),
      shared: () => undefined,
      failed: report(life, around),
    });
    const office = new PostOffice(
      desk,
      (id) => recipientOf(id, { leaders, roster, life }, around),
      report(life, around),
    );
    tamper.boot?.(disk);
    ledger.onCommit((events) => {
      for (const event of events) {
        tamper.event?.(event, disk);
        follow(roster, event);
        if (tamper.hears?.(event.type) ?? true) soon(life, scene, () => office.heard(event));
      }
    });
    await leaders.takeUp();
    if (tamper.hears?.('boot') ?? true) soon(life, scene, () => office.wakeSchedule());
    for (const id of await recipientsWithOpenDeliveries(ledger.db, TEAM)) soon(life, scene, () => office.wake(id));
    life.booted = true;
    return { life, ledger, desk, office, leaders, roster, tamper };
  } catch (error) {
    if (life.alive && !isDiskFull(error)) around.unexpected(error);
    return undefined;
  }
}

/** An error that a disk without room explains. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof LedgerUnwritable || (error instanceof Error && 'errcode' in error && error.errcode === 13);
}

const report = (life: Life, around: Surroundings) => (error: unknown) => {
  if (life.alive && !isDiskFull(error) && !(error instanceof Died)) around.unexpected(error);
};

function whoLives(incarnation: IncarnationId, { agents }: Surroundings) {
  const agent = agents.get(LEADER);
  const life = agent?.lifeOf(incarnation);
  if (!agent || !life) throw new Error(`no conversation ${incarnation} ever was`);
  return [agent, life] as const;
}

/** What a member is, as of a committed event. */
function follow(roster: Map<AgentId, number>, { type, data }: LedgerEvent): void {
  if (type === 'agent.removed') roster.delete(data.agent_id as AgentId);
  if (type === 'agent.added') roster.set(data.agent_id as AgentId, Number(data.generation));
}

/** A word takes a moment, and some come twice. */
export function soon(life: Life, scene: Scene, act: () => void): void {
  life.after(scene.random.between(0, 5), act);
  if (!scene.random.chance(0.1)) return;
  scene.faults.count('duplicate wake');
  life.after(scene.random.between(0, 50), act);
}

function recipientOf(
  id: AgentId,
  { leaders, roster, life }: Pick<Coordinator, 'leaders' | 'roster' | 'life'>,
  { agents, tamper, disk, scene }: Surroundings,
): Recipient | undefined {
  const agent = agents.get(id);
  if (!agent) return undefined;
  const recipient =
    id === LEADER ? leaders.recipient(TEAM) : new SimulatedRecipient(agent, () => roster.get(id), life, scene);
  return tamper.recipient?.(recipient, agent, disk, scene) ?? recipient;
}
