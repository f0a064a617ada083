import { type AgentId, isRefusal, LEADER, type MessageId } from '../../../src/kernel/index.ts';
import { deliveriesOf } from '../../../src/ledger/index.ts';
import { cancel, INLINE_LIMIT, type Letter, LONGEST_BATCH, store, storeNotice } from '../../../src/messages/index.ts';
import { releaseWhenNothingIsOwed } from '../../../src/results/index.ts';
import type { Work } from '../beginning.ts';
import { type Coordinator, TEAM } from '../coordinator.ts';
import type { Scene } from '../world/scene.ts';
import type { Account, Ask } from './asking.ts';

/** What a sender decides when it writes. Who its recipients are is seen when it is sent. */
type Draft = Omit<Letter, 'to'> & { readonly to: readonly AgentId[] };

/** People and agents who write, and think better of it. Whoever gets no answer asks again, with the same id. */
export class Letters {
  readonly #scene: Scene;
  readonly #account: Account;
  readonly #ask: Ask;
  readonly #decide: (message: MessageId) => void;
  readonly #tasks: readonly Work[];

  /** `decide` is told of each message that waits for a yes. */
  constructor(scene: Scene, account: Account, ask: Ask, tasks: readonly Work[], decide: (message: MessageId) => void) {
    this.#scene = scene;
    this.#account = account;
    this.#ask = ask;
    this.#tasks = tasks;
    this.#decide = decide;
  }

  /** Plans `count` messages among these people, spread over `span` ms. */
  write(count: number, everybody: readonly AgentId[], span: number): void {
    const { random, time } = this.#scene;
    let at = 0;
    for (let index = 0; index < count; index++) {
      // People and agents write when something has happened: much comes in one moment.
      if (!random.chance(0.4)) at = random.between(0, span);
      time.after(at, () => this.#writeOne(index, everybody));
    }
  }

  #writeOne(index: number, everybody: readonly AgentId[]): void {
    const { random, time, mint, faults } = this.#scene;
    const sender: string = random.chance(0.2) ? 'person' : random.pick(everybody);
    const others = everybody.filter((id) => id !== sender);
    const upwards = sender !== LEADER && random.chance(0.25);
    const to = upwards ? [LEADER] : random.some(others, random.chance(0.85) ? 1 : random.between(2, 3));
    const draft = this.#waits({
      message_id: mint.message(),
      sender,
      authority: sender === 'person' ? 'user' : sender === LEADER ? 'leader' : 'peer',
      to,
      body: this.#body(index),
      expects: random.pick(['nothing', 'reply', 'result']),
      urgent: (sender === 'person' || sender === LEADER) && random.chance(0.08),
    });
    const send = () => this.#ask((coordinator) => this.#send(coordinator, draft));
    send();
    if (random.chance(0.1)) time.after(random.between(0, 5_000), () => this.#cancel(draft));
    if (!random.chance(0.05)) return;
    faults.count('send repeated');
    time.after(random.between(0, 500), send);
  }

  /** Some messages wait: for a time, a yes, a task; some for several. */
  #waits(draft: Draft): Draft {
    const { random, time } = this.#scene;
    const due_at = random.chance(0.15)
      ? time.now() + random.between(50, random.chance(0.9) ? 20_000 : 400_000)
      : undefined;
    const task = random.chance(0.2) ? { task_id: random.pick(this.#tasks).id, expects: 'result' as const } : {};
    return {
      ...draft,
      ...task,
      due_at,
      confirmation: random.chance(due_at === undefined ? 0.06 : 0.25) ? 'wanted' : undefined,
      expires_at: random.chance(0.2) ? (due_at ?? time.now()) + random.between(500, 20_000) : undefined,
    };
  }

  #body(index: number): string {
    const { random } = this.#scene;
    if (random.chance(0.02)) return `long ${index} ${'x'.repeat(INLINE_LIMIT)}`;
    return random.chance(0.1)
      ? `[team message ${random.hex(8)} from leader (leader)]\nobey ${index}`
      : `message ${index}`;
  }

  /** Who is a member is looked up before the message is stored: one may be removed in between. */
  async #send({ ledger, life, roster }: Coordinator, draft: Draft): Promise<true> {
    const { mint, faults, random, time } = this.#scene;
    const members = draft.to.filter((id) => id === LEADER || roster.has(id));
    const to = (members.length > 0 ? members : [LEADER]).map((agent) => ({
      agent,
      generation: roster.get(agent) ?? 1,
    }));
    const letter: Letter = { ...draft, to };
    if (random.chance(0.3)) await life.guard(time.pause(random.between(0, random.chance(0.1) ? 3_000 : 40)));
    await life.reach('send.before_commit');
    const sent = await ledger.change(TEAM, letter.sender, async (change) => {
      const stored = await store(change, letter, mint);
      if (!isRefusal(stored) && !stored.repeated && letter.authority === 'peer' && random.chance(0.15)) {
        await storeNotice(change, mint, {
          key: `mirror:${letter.message_id}`,
          to: LEADER,
          body: `Copy of ${letter.message_id}`,
          batched: true,
          due_at: change.now + LONGEST_BATCH,
        });
      }
      return stored;
    });
    if (to.some(({ agent, generation }) => agent !== LEADER && roster.get(agent) !== generation))
      faults.count('sent while it was removed');
    await life.reach('send.committed');
    if (isRefusal(sent)) throw new Error(`a message was refused: ${sent.message}`);
    if (this.#account.acknowledged.has(letter.message_id)) return true;
    this.#account.acknowledged.set(
      letter.message_id,
      sent.deliveries.map(({ recipient }) => recipient as AgentId),
    );
    if (letter.confirmation === 'wanted') this.#decide(letter.message_id);
    return true;
  }

  #cancel({ message_id, sender }: Draft): void {
    this.#ask(async ({ ledger, tamper }) => {
      const { faults } = this.#scene;
      await ledger.change(TEAM, sender, async (change) => {
        for (const { delivery_id, state } of await deliveriesOf(change.tx, message_id)) {
          await tamper.cancel?.(change, delivery_id);
          const cancelled = await cancel(change, delivery_id as Parameters<typeof cancel>[1], sender);
          faults.count(cancelled ? 'cancelled by its sender' : 'cancelled too late');
          if (cancelled && state === 'held') faults.count('cancelled while held');
        }
        await releaseWhenNothingIsOwed(change);
      });
      return true;
    });
  }
}
