import { type AgentId, type DeliveryId, type IncarnationId, isRefusal } from '../../../src/kernel/index.ts';
import { findDelivery, insertSession, type QueuedRow, sessionOf } from '../../../src/ledger/index.ts';
import { answer, takeByPerson } from '../../../src/messages/index.ts';
import { report } from '../../../src/results/index.ts';
import { type Coordinator, TEAM } from '../coordinator.ts';
import type { SimulatedAgent } from '../world/agent.ts';
import type { Scene } from '../world/scene.ts';
import type { Ask } from './asking.ts';

/** Those who read: agents that answer what they were asked, and people at a mailbox. */
export class Readers {
  readonly #scene: Scene;
  readonly #ask: Ask;

  constructor(scene: Scene, ask: Ask) {
    this.#scene = scene;
    this.#ask = ask;
  }

  /** An agent that took something answers what it was asked, now and then, once its receipt is known. */
  mayAnswer(agent: SimulatedAgent, delivery: DeliveryId): void {
    const { random, time } = this.#scene;
    if (!random.chance(0.5)) return;
    const status = random.pick(['success', 'success', 'success', 'partial', 'failed']);
    time.after(random.between(500, 3_000), () => {
      this.#ask(async (coordinator) => {
        const row = await findDelivery(coordinator.ledger.db, delivery);
        if (row?.state !== 'consumed' || row.consumed_by === null || row.expects === 'nothing') return true;
        if (row.expects === 'result') return this.#report(coordinator, agent, row, status);
        await coordinator.ledger.change(TEAM, agent.id, (change) => answer(change, delivery, { by: agent.id }));
        return true;
      });
    });
  }

  async #report(
    { ledger, life }: Coordinator,
    agent: SimulatedAgent,
    { delivery_id, consumed_by }: QueuedRow,
    status: string,
  ): Promise<true> {
    const incarnation = consumed_by as IncarnationId;
    await this.#haveSession(ledger, agent, incarnation);
    const desk = { ledger, mint: this.#scene.mint, reach: life.reach.bind(life) };
    const by = { team: TEAM, agent: agent.id, incarnation, call: delivery_id };
    const reported = await report(desk, by, { status, summary: 'It is done.', task: delivery_id });
    // It may have been answered meanwhile, or be an earlier life's: then there is nothing of this name to report.
    if (isRefusal(reported) && reported.reason !== 'task_unknown') throw new Error(reported.message);
    return true;
  }

  async #haveSession(ledger: Coordinator['ledger'], agent: SimulatedAgent, incarnation: IncarnationId): Promise<void> {
    if (await sessionOf(ledger.db, incarnation)) return;
    const life = agent.lifeOf(incarnation);
    if (!life) throw new Error(`${agent.id} never had a life ${incarnation}`);
    await ledger.change(TEAM, 'coordinator', async (change) => {
      if (await sessionOf(change.tx, incarnation)) return;
      await insertSession(change, {
        team: TEAM,
        session_id: life.sessions[0].id,
        agent_id: agent.id,
        generation: life.generation,
        provider: 'scripted',
        incarnation,
        record: 'record',
        opened_at: change.now,
        closed_at: null,
      });
    });
  }

  /** A person reads what waits for an agent and takes it out of the mailbox, also while it is under way. */
  readMail(agent: AgentId): void {
    this.#ask(async ({ ledger }) => {
      const waiting = await ledger.db
        .selectFrom('deliveries')
        .select('delivery_id')
        .where('recipient', '=', agent)
        .where('state', 'in', ['queued', 'submitted', 'held'])
        .orderBy('seq')
        .limit(2)
        .execute();
      if (waiting.length === 0) return true;
      await ledger.change(TEAM, 'person', async (change) => {
        for (const { delivery_id } of waiting) await takeByPerson(change, delivery_id as DeliveryId);
      });
      this.#scene.faults.count('taken by a person');
      return true;
    });
  }
}
