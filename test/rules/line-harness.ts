import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import { type Available, mayOffer, type Recipient, type Unavailable } from '../../src/agents/index.ts';
import { agentId, type DeliveryId, isRefusal, mint } from '../../src/kernel/index.ts';
import { ledgerOn, putTeam } from '../../src/ledger/index.ts';
import { PostOffice, store } from '../../src/messages/index.ts';
import type { ChannelName, Handed, Settlement } from '../../src/providers/index.ts';
import { TEAM } from '../simulator/coordinator.ts';
import { VirtualTime } from '../simulator/world/time.ts';

export const AGENT = agentId('a') ?? expect.unreachable();

/** A line with a recipient that does what each test says, in virtual time. */
export async function line({ together = 1, channel = 'protocol' }: { together?: number; channel?: ChannelName } = {}) {
  const time = new VirtualTime();
  const disk = new DatabaseSync(':memory:');
  const ledger = await ledgerOn(disk, time);
  if (isRefusal(ledger)) throw new Error(ledger.message);
  await ledger.change(TEAM, 'person', (change) =>
    putTeam(change, {
      name: 'n',
      session_name: 's',
      documents: 'd',
      objective: 'o',
      intent: 'running',
      notify: 'each',
    }),
  );
  const life = mint.incarnation();
  const handed: string[] = [];
  /** What was handed over as one text, each time. */
  const texts: string[] = [];
  /** What was handed over into a turn that was running. */
  const intruded: string[] = [];
  const answers = {
    hold: undefined as Unavailable | undefined,
    hand: { handed: 'written' } as Handed,
    settlement: undefined as Settlement | undefined,
    ended: false,
    /** Which of those that bore its name it is; undefined: it was removed. */
    generation: 1 as number | undefined,
    looks: 0,
    onLook: (): void => undefined,
    intrudes: true,
  };
  const taken: Settlement = { outcome: 'taken', receipt: { source: 'record' } };
  const available = (): Available => ({
    incarnation: life,
    position: () => 0,
    channel: {
      name: channel,
      state: async () => 'ready',
      hand: async (offer, text) => {
        handed.push(offer.delivery);
        if (offer.urgent && answers.hold) intruded.push(offer.delivery);
        texts.push(text);
        return answers.hand;
      },
      settle: async () => answers.settlement ?? taken,
    },
  });
  const recipient: Recipient = {
    id: AGENT,
    get generation() {
      return answers.generation;
    },
    together,
    availability: async (urgent) => {
      answers.looks++;
      const { hold } = answers;
      const channel = answers.intrudes ? { intrudes: true as const } : {};
      const answer = !hold || mayOffer(channel, hold, urgent) ? available() : hold;
      answers.onLook();
      return answer;
    },
    settle: async () => answers.settlement ?? taken,
    liveness: () => (answers.ended ? 'dead' : 'alive'),
  };
  const errors: unknown[] = [];
  const office = new PostOffice(
    { ledger, team: TEAM, mint, clock: time, reach: () => undefined },
    (id) => (id === AGENT ? recipient : undefined),
    (error) => errors.push(error),
  );
  const send = async (ttl?: number, body = 'hello', urgent = false): Promise<DeliveryId> => {
    const sent = await ledger.change(TEAM, 'person', (change) =>
      store(
        change,
        {
          message_id: mint.message(),
          sender: 'person',
          authority: 'user',
          to: [{ agent: AGENT, generation: 1 }],
          body,
          expects: 'nothing',
          urgent,
          ...(ttl === undefined ? {} : { expires_at: time.now() + ttl }),
        },
        mint,
      ),
    );
    if (isRefusal(sent)) throw new Error(sent.message);
    return (sent.deliveries[0]?.delivery_id ?? '') as DeliveryId;
  };
  const state = (delivery: DeliveryId): string => {
    const row = disk.prepare('select state, reason from deliveries where delivery_id = ?').get(delivery);
    return row?.reason ? `${row.state}(${row.reason})` : String(row?.state);
  };
  const wake = async (): Promise<void> => {
    office.wake(AGENT);
    await office.settled();
  };
  return { time, disk, ledger, office, answers, handed, texts, intruded, errors, send, state, wake };
}
