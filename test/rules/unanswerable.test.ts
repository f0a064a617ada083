import { expect, test } from 'vitest';
import {
  type AgentId,
  agentId,
  type DeliveryId,
  type IncarnationId,
  isRefusal,
  LEADER,
  mint,
  type TaskId,
} from '../../src/kernel/index.ts';
import {
  type Change,
  deliveriesOf,
  discardSessionOf,
  discardSessions,
  findNotice,
  insertSession,
  isAskedFor,
  owedRequests,
  owedResults,
  updateAgent,
  updateDelivery,
  upsertAgent,
} from '../../src/ledger/index.ts';
import { storeNotice } from '../../src/messages/index.ts';
import { store } from '../../src/messages/send.ts';
import { giveUp } from '../../src/results/index.ts';
import { agentRow, house, ONE, WORKER } from './house.ts';

const MATE = agentId('mate') ?? expect.unreachable();
const [FIRST, SECOND] = [mint.incarnation(), mint.incarnation()];

/** A team in which `w` and `mate` have a session each, `w` in two lives, and a notice waits for company. */
async function team() {
  const home = await house();
  const { db } = home.ledger;
  const change = <T>(work: (change: Change) => Promise<T>) => home.ledger.change(ONE, 'person', work);
  const session = (agent_id: AgentId, session_id: string, incarnation: IncarnationId, opened_at: number) =>
    change((at) =>
      insertSession(at, {
        ...{ team: ONE, agent_id, session_id, incarnation, opened_at },
        ...{ generation: 1, provider: 'scripted', record: '/r', closed_at: null },
      }),
    );
  await change((at) => upsertAgent(at, agentRow(ONE, WORKER)));
  await change((at) => upsertAgent(at, agentRow(ONE, MATE)));
  await session(WORKER, 's', FIRST, 1);
  await session(WORKER, 's', SECOND, 2);
  await change((at) => storeNotice(at, mint, { key: 'waits', to: LEADER, body: 'b succeeded', batched: true }));
  /** A request to `w` that one of its lives has read; undefined: none has. */
  const ask = (
    by: { sender: string; expects?: 'reply' | 'result'; task_id?: string; body?: string },
    reader: IncarnationId | undefined,
  ) =>
    change(async (at) => {
      const sent = await store(
        at,
        {
          message_id: mint.message(),
          authority: 'leader',
          body: 'do it',
          expects: 'result',
          ...by,
          to: [{ agent: WORKER, generation: 1 }],
        },
        mint,
      );
      if (isRefusal(sent)) throw new Error(sent.message);
      const facts = { state: 'consumed', consumed_by: reader ?? null } as const;
      for (const { delivery_id } of reader ? sent.deliveries : [])
        await updateDelivery(at, delivery_id as DeliveryId, ['queued'], facts);
      return sent.message_id;
    });
  const owed = () => owedResults(db, ONE, { byAgents: true });
  const waits = async () => {
    const notice = await findNotice(db, ONE, 'waits');
    const [delivery] = notice ? await deliveriesOf(db, notice.message_id as never) : [];
    return delivery?.state;
  };
  const told = () =>
    db
      .selectFrom('messages')
      .innerJoin('deliveries', 'deliveries.message_id', 'messages.message_id')
      .where('dedupe_key', 'like', 'unanswerable:%')
      .orderBy('messages.seq')
      .select(['recipient', 'body'])
      .execute();
  const reset = () =>
    change((at) => giveUp(at, mint, { agent: WORKER, what: 'was reset' }, () => discardSessions(at, WORKER)));
  return { db, change, session, ask, owed, waits, told, reset };
}

test('G05 M01 what a conversation had read is owed no more once it is given up: the leader and whoever asked are told', async () => {
  const { db, ask, owed, waits, told, reset } = await team();
  const work = await ask({ sender: LEADER, task_id: 't1', body: 'build it' }, FIRST);
  const question = await ask({ sender: MATE, expects: 'reply', body: 'which port?' }, SECOND);
  expect([await owed(), await waits(), await isAskedFor(db, ONE, 't1' as TaskId)]).toEqual([1, 'held', true]);
  await reset();
  expect([await owed(), await waits(), await isAskedFor(db, ONE, 't1' as TaskId)]).toEqual([0, 'queued', false]);
  expect(await told()).toEqual([
    {
      recipient: 'leader',
      body: `w was reset. It had read and not answered: ${work}, task t1 ("build it"); ${question} ("which port?"). Nobody answers them any more; send them again if they still matter.`,
    },
    {
      recipient: 'mate',
      body: `w was reset. It had read and not answered: ${question} ("which port?"). Nobody answers it any more; send it again if it still matters.`,
    },
  ]);
  await reset();
  expect(await told()).toHaveLength(2);
});

test('G05 M01 what nobody has read yet is owed by the next conversation, and by the same one in its next life', async () => {
  const { change, session, ask, owed, waits, told, reset } = await team();
  await ask({ sender: LEADER }, undefined);
  await reset();
  expect([await owed(), await waits(), await told()]).toEqual([1, 'held', []]);
  await session(WORKER, 's2', mint.incarnation(), 3);
  const life = mint.incarnation();
  await session(WORKER, 's2', life, 4);
  await ask({ sender: LEADER }, life);
  // A life of it that came to nothing takes nothing away from the others.
  await change((at) => discardSessionOf(at, life));
  expect(await owed()).toBe(2);
});

test('G09 M01 one who is removed owes nothing, whoever bears its name next', async () => {
  const { change, ask, owed, waits, told } = await team();
  await ask({ sender: LEADER, body: 'build it' }, SECOND);
  await change((at) =>
    giveUp(at, mint, { agent: WORKER, what: 'was removed' }, () => updateAgent(at, WORKER, { intent: 'removed' })),
  );
  await change((at) => upsertAgent(at, { ...agentRow(ONE, WORKER), generation: 2 }));
  expect([await owed(), await waits(), (await told()).map(({ recipient }) => recipient)]).toEqual([
    0,
    'queued',
    ['leader'],
  ]);
});

test('M01 what the leader, or a person for it, has read stays owed', async () => {
  const { db, change, owed } = await team();
  await change(async (at) => {
    const letter = {
      message_id: mint.message(),
      sender: WORKER,
      authority: 'peer',
      body: 'x',
      expects: 'result',
    } as const;
    const sent = await store(at, { ...letter, to: [{ agent: LEADER, generation: 1 }] }, mint);
    if (isRefusal(sent)) throw new Error(sent.message);
    for (const { delivery_id } of sent.deliveries)
      await updateDelivery(at, delivery_id as DeliveryId, ['queued'], {
        state: 'consumed',
        consumed_by: mint.incarnation(),
      });
  });
  expect([await owed(), (await owedRequests(db, ONE, { agent: LEADER })).length]).toEqual([1, 1]);
});
