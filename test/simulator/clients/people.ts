import { decideMessage } from '../../../src/coordinator/verbs/approving/held-messages.ts';
import type { MessageId, TaskId } from '../../../src/kernel/index.ts';
import { findTask, generationOf, updateAgent } from '../../../src/ledger/index.ts';
import { removeRecipient } from '../../../src/messages/index.ts';
import { repairTask } from '../../../src/results/index.ts';
import { addMember } from '../beginning.ts';
import { TEAM } from '../coordinator.ts';
import type { SimulatedAgent } from '../world/agent.ts';
import type { Disk } from '../world/disk.ts';
import type { Scene } from '../world/scene.ts';
import type { Ask } from './asking.ts';

/** The person who decides: on messages that wait for a yes, on tasks, on who is in the team. */
export class People {
  readonly #scene: Scene;
  readonly #disk: Disk;
  readonly #ask: Ask;

  constructor(scene: Scene, disk: Disk, ask: Ask) {
    this.#scene = scene;
    this.#disk = disk;
    this.#ask = ask;
  }

  /** Some time later a person says yes or no to a message, or never does. */
  decide(message: MessageId): void {
    const { random, time, faults, mint } = this.#scene;
    if (random.chance(0.1)) return;
    const decision = random.chance(0.75)
      ? ({ decision: 'approve', scope: 'once' } as const)
      : ({ decision: 'deny' } as const);
    time.after(random.between(200, 15_000), () => {
      this.#ask(async ({ ledger }) => {
        const done = await ledger.change(TEAM, 'person', (change) =>
          decideMessage({ effects: { mint } }, change, message, decision, 'person'),
        );
        if (done) faults.count(decision.decision === 'approve' ? 'confirmed by a person' : 'denied by a person');
        return true;
      });
    });
  }

  /** Some tasks are done by a person at some time; the others by what agents report, or never. */
  finish(task: TaskId, span: number): void {
    const { random, time } = this.#scene;
    if (random.chance(0.4)) return;
    time.after(random.between(0, span), () => {
      this.#ask(async ({ ledger }) => {
        await ledger.change(TEAM, 'person', async (change) => {
          const row = await findTask(change.tx, TEAM, task);
          if (row && row.status !== 'done') await repairTask(change, row, { status: 'done' });
        });
        return true;
      });
    });
  }

  /** Somebody is taken out of the team; its process ends a moment before or after that is known. */
  remove(agent: SimulatedAgent): void {
    const { random, time, faults, mint } = this.#scene;
    const { generation } = agent;
    if (agent.removed) return;
    agent.removed = true;
    const early = random.chance(0.3);
    if (early) agent.die();
    this.#ask(async ({ ledger }) => {
      const open = this.#disk.rows('select 1 from offers where settled_at is null and recipient = ?', agent.id);
      await ledger.change(TEAM, 'person', async (change) => {
        if ((await generationOf(change.tx, TEAM, agent.id)) !== generation) return;
        await removeRecipient(change, mint, agent.id, generation);
        await updateAgent(change, agent.id, { intent: 'removed' });
        await change.event('agent.removed', { agent_id: agent.id, generation });
      });
      faults.count('removed from the team');
      if (open.length > 0) faults.count('offer open when its recipient was removed');
      if (!early) time.after(random.between(0, 300), () => agent.die());
      if (random.chance(0.8)) time.after(random.between(400, 8_000), () => this.#add(agent, generation + 1));
      return true;
    });
  }

  #add(agent: SimulatedAgent, generation: number): void {
    this.#ask(async ({ ledger }) => {
      await ledger.change(TEAM, 'person', async (change) => {
        if ((await generationOf(change.tx, TEAM, agent.id)) === undefined)
          await addMember(change, agent.id, generation);
      });
      if (!agent.removed) return true;
      agent.removed = false;
      agent.generation = generation;
      agent.start();
      this.#scene.faults.count('back as a new generation');
      return true;
    });
  }
}
