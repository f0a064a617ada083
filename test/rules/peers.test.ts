import { expect, test } from 'vitest';
import type { AgentCaller } from '../../src/coordinator/index.ts';
import { VERBS } from '../../src/coordinator/verbs/index.ts';
import {
  type AgentId,
  agentId,
  type DeliveryId,
  isRefusal,
  LEADER,
  type MessageId,
  mint,
} from '../../src/kernel/index.ts';
import { deliveriesOf, findDelivery, updateDelivery, upsertAgent } from '../../src/ledger/index.ts';
import { PEER_LIMITS } from '../../src/messages/index.ts';
import { normaliseResult } from '../../src/results/normalise.ts';
import { takeIn } from '../../src/results/report.ts';
import { agentIn, agentRow, type House, house, NOBODY, ONE, WORKER } from './house.ts';

const OTHER = agentId('other') ?? expect.unreachable();

async function staffed(): Promise<{ home: House; callers: Readonly<Record<string, AgentCaller>> }> {
  const home = await house();
  await home.ledger.change(ONE, 'x', async (change) => {
    for (const id of [WORKER, OTHER]) await upsertAgent(change, agentRow(ONE, id));
  });
  const caller = (agent: AgentId): AgentCaller => {
    const { incarnation } = agentIn(home, ONE, NOBODY, agent);
    return { kind: 'agent', team: ONE, agent, incarnation };
  };
  return { home, callers: { [WORKER]: caller(WORKER), [OTHER]: caller(OTHER) } };
}

interface Answer {
  readonly ok: boolean;
  readonly reason?: string;
  readonly message?: string;
  readonly next?: readonly string[];
  readonly evidence?: { readonly limit: string };
  readonly message_id: MessageId;
}

async function send(home: House, caller: AgentCaller | undefined, to: readonly string[], more = {}): Promise<Answer> {
  const asked = { runtime: home.runtime, caller: caller ?? expect.unreachable(), gone: new AbortController().signal };
  return (await VERBS.send?.run(asked, { message_id: mint.message(), text: 'x', to, ...more })) as Answer;
}

/** Everything that waits is read, whether its line has offered it or not. */
const readAll = (home: House) =>
  home.ledger.change(ONE, 'x', async (change) => {
    const waiting = ['queued', 'submitted'] as const;
    const open = await change.tx.selectFrom('deliveries').select('delivery_id').where('state', 'in', waiting).execute();
    for (const { delivery_id } of open)
      await updateDelivery(change, delivery_id as DeliveryId, waiting, { state: 'consumed' });
  });

async function report(home: House, message: MessageId): Promise<void> {
  const [row] = await deliveriesOf(home.ledger.db, message);
  const request = await findDelivery(home.ledger.db, row?.delivery_id as DeliveryId);
  const envelope = normaliseResult({ summary: 'done' });
  if (isRefusal(envelope)) throw new Error(envelope.message);
  const origin = { result_id: `r_${message}`, agent_id: OTHER, incarnation: null, source: 'tool' as const };
  await home.ledger.change(ONE, OTHER, (change) => takeIn(change, mint, origin, envelope, request));
}

test('M09 the ball comes back with a result too: who asks again and again for results is stopped', async () => {
  const { home, callers } = await staffed();
  for (let round = 1; round <= PEER_LIMITS.hops; round++) {
    const asked = await send(home, callers[WORKER], [OTHER], { expects: 'result' });
    expect(asked, `round ${round}`).toMatchObject({ ok: true });
    await readAll(home);
    await report(home, asked.message_id);
    await readAll(home);
  }
  expect(await send(home, callers[WORKER], [OTHER], { expects: 'result' })).toMatchObject({
    reason: 'loop_guard',
    evidence: { limit: 'hops' },
  });
});

test.each([
  ['hops', { hops: 1 }, OTHER, 'the leader or a person writes to w', true],
  ['pair', { pair: 1 }, OTHER, 'fewer were written within 5 minutes', true],
  // What would be refused like this one is no advice.
  ['pair', { pair: 1 }, LEADER, 'fewer were written within 5 minutes', false],
  ['team', { team: 1 }, OTHER, 'fewer were written within 5 minutes', false],
] as const)(
  'M09 the limit %s (%j) of a word to %s says what ends it, and what helps',
  async (limit, limits, to, until, helps) => {
    const { home, callers } = await staffed();
    await home.ledger.db
      .updateTable('teams')
      .set({ peer_limits: JSON.stringify(limits) })
      .execute();
    // It has heard an agent, or has written before.
    const before =
      limit === 'hops' ? await send(home, callers[OTHER], [WORKER]) : await send(home, callers[WORKER], [to]);
    expect(before).toMatchObject({ ok: true });
    await readAll(home);
    const refused = await send(home, callers[WORKER], [to]);
    expect(refused).toMatchObject({ reason: 'loop_guard', evidence: { limit } });
    expect(refused.message).toContain(until);
    expect(refused.next).toEqual(helps ? ['team-agent send leader "please ..."'] : []);
    const notices = await home.ledger.db
      .selectFrom('messages')
      .select('body')
      .where('dedupe_key', 'like', `loop:${limit}%`)
      .where('body', 'like', `%${until}%`)
      .execute();
    expect(notices).not.toEqual([]);
  },
);
