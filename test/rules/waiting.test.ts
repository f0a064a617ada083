import { beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../src/coordinator/api/callers.ts';
import { VERBS } from '../../src/coordinator/verbs/index.ts';
import { endingOf, hasEnded } from '../../src/coordinator/verbs/messages/ending.ts';
import { type AgentId, agentId, type DeliveryId, isRefusal, type MessageId, mint } from '../../src/kernel/index.ts';
import { type DeliveryRow, findDelivery, updateDelivery, upsertAgent } from '../../src/ledger/index.ts';
import { normaliseResult } from '../../src/results/normalise.ts';
import { takeIn } from '../../src/results/report.ts';
import { eventually } from '../support/eventually.ts';
import { agentIn, agentRow, type House, house, NOBODY, ONE, WORKER } from './house.ts';

const PERSON: Caller = { kind: 'person', pid: 1, chain: [] };
const OTHER = agentId('other') ?? expect.unreachable();

interface Answer {
  readonly ok: boolean;
  readonly partial?: boolean;
  readonly reason?: string;
  readonly message?: string;
  readonly message_id: string;
  readonly deliveries: readonly { to: string; state: string; delivery_id: string }[];
  readonly results?: readonly { summary: string }[];
}

let home: House;
beforeEach(async () => {
  home = await house();
  await home.ledger.change(ONE, 'x', async (change) => {
    for (const id of [WORKER, OTHER]) await upsertAgent(change, agentRow(ONE, id));
  });
  for (const id of [WORKER, OTHER]) agentIn(home, ONE, NOBODY, id);
});

async function ask(verb: string, input: object, caller = PERSON): Promise<Answer> {
  const asked = { runtime: home.runtime, caller, gone: new AbortController().signal };
  return (await VERBS[verb]?.run(asked, VERBS[verb]?.input.parse(input))) as Answer;
}

/** A request for a result, read by everybody it went to. */
async function request(to: readonly string[], more: object = {}): Promise<MessageId> {
  const message_id = mint.message();
  const { deliveries } = await ask('send', { message_id, text: 'do it', to, team: ONE, expects: 'result', ...more });
  for (const { delivery_id } of deliveries) await put(delivery_id, 'consumed');
  return message_id;
}

const put = (delivery: string, state: DeliveryRow['state'], reason: string | null = null) =>
  home.ledger.change(ONE, 'x', (change) =>
    updateDelivery(change, delivery as DeliveryId, ['queued', 'consumed'], { state, reason }),
  );

async function deliveryTo(message_id: MessageId, agent: AgentId): Promise<string> {
  const { deliveries } = await ask('deliveries', { message_id, team: ONE });
  return deliveries.find(({ to }) => to === agent)?.delivery_id ?? expect.unreachable();
}

/** What an agent reports on a request. */
async function report(
  message_id: MessageId,
  agent: AgentId,
  summary: string,
  status: 'success' | 'failed' = 'success',
) {
  const delivery = await findDelivery(home.ledger.db, (await deliveryTo(message_id, agent)) as DeliveryId);
  const envelope = normaliseResult({ summary, status, task: delivery?.task_id });
  if (isRefusal(envelope)) throw new Error(envelope.message);
  const origin = { result_id: `r_${summary}`, agent_id: agent, incarnation: null, source: 'tool' as const };
  await home.ledger.change(ONE, agent, (change) => takeIn(change, mint, origin, envelope, delivery));
  home.runtime.effects.changes.notify();
}

const summaries = ({ results = [] }: Answer) => results.map(({ summary }) => summary);
const SOON = { timeout_s: 0.05, team: ONE };

describe('F03 how a wait ends', () => {
  const row = (state: DeliveryRow['state'], reason: string | null = null) => ({ recipient: 'w', state, reason });

  test('only what was answered, or read when that is asked, has reached somebody', () => {
    const states = ['stored', 'queued', 'held', 'submitted', 'consumed', 'answered', 'dead', 'cancelled'] as const;
    const ended = (awaited: 'consumed' | 'result') => states.filter((state) => hasEnded({ state }, awaited));
    expect(ended('result')).toEqual(['answered', 'dead', 'cancelled']);
    expect(ended('consumed')).toEqual(['consumed', 'answered', 'dead', 'cancelled']);
  });

  test('dead and taken back are no success, and partly so when others were reached', () => {
    expect(endingOf([row('answered'), row('consumed')])).toEqual({ ok: true });
    expect(endingOf([row('dead', 'expired'), row('cancelled')])).toEqual({
      ok: false,
      reason: 'delivery_dead',
      message: 'Nothing comes of it: dead for w (expired), taken back from w.',
    });
    expect(endingOf([row('answered'), row('cancelled')])).toMatchObject({ ok: false, partial: true });
  });
});

describe('F03 waiting for a task', () => {
  test('that was given out again is waiting for the new try: what the last one came to is no answer', async () => {
    const first = await request(['w'], { task: 'R' });
    await report(first, WORKER, 'no-luck', 'failed');
    expect(summaries(await ask('wait', { task: 'R', ...SOON }))).toEqual(['no-luck']);
    const second = await request(['w'], { task: 'R' });
    expect(await ask('wait', { task: 'R', ...SOON })).toMatchObject({ ok: false, reason: 'timeout' });
    const waiting = ask('wait', { task: 'R', timeout_s: 5, team: ONE });
    await report(second, WORKER, 'done-now');
    expect(summaries(await waiting)).toEqual(['done-now']);
    expect(summaries(await ask('wait', { task: 'R', ...SOON }))).toEqual(['done-now']);
  });

  test('goes by the last request to each agent: an earlier conversation may have had the one before', async () => {
    await request(['w'], { task: 'R' });
    const again = await request(['w', 'other'], { task: 'R' });
    const waiting = ask('wait', { task: 'R', timeout_s: 5, team: ONE });
    await report(again, OTHER, 'of-other');
    await report(again, WORKER, 'of-w');
    expect(summaries(await waiting)).toEqual(['of-other', 'of-w']);
  });
});

describe('F03 waiting for an agent', () => {
  test('brings the results of what was open, not all that it ever did; with nothing open, the newest', async () => {
    for (const summary of ['one', 'two', 'three']) await report(await request(['w']), WORKER, summary);
    expect(summaries(await ask('wait', { agent: 'w', ...SOON }))).toEqual(['three']);
    const open = [await request(['w']), await request(['w'])] as const;
    const waiting = ask('wait', { agent: 'w', timeout_s: 5, team: ONE });
    await report(open[1], WORKER, 'five');
    await report(open[0], WORKER, 'four');
    expect(summaries(await waiting)).toEqual(['five', 'four']);
  });

  test('is over, and no success, when all it was asked is taken back', async () => {
    await report(await request(['w']), WORKER, 'before');
    const message = await request(['w']);
    const waiting = ask('wait', { agent: 'w', timeout_s: 5, team: ONE });
    await put(await deliveryTo(message, WORKER), 'cancelled');
    home.runtime.effects.changes.notify();
    expect(await waiting).toMatchObject({ ok: false, reason: 'delivery_dead', results: [] });
  });
});

describe('F03 waiting for a message', () => {
  test('that died reached nobody; that reached some is partly done, and what came is told', async () => {
    const dead = await request(['w']);
    await put(await deliveryTo(dead, WORKER), 'dead', 'expired');
    expect(await ask('wait', { message: dead, ...SOON })).toMatchObject({
      ok: false,
      reason: 'delivery_dead',
      deliveries: [{ to: 'w', state: 'dead', reason: 'expired' }],
      next: [`team-agent deliveries ${dead}`],
    });
    const both = await request(['w', 'other']);
    await report(both, WORKER, 'half');
    await put(await deliveryTo(both, OTHER), 'cancelled');
    const answer = await ask('wait', { message: both, ...SOON });
    expect(answer).toMatchObject({ ok: false, partial: true, reason: 'delivery_dead' });
    expect(summaries(answer)).toEqual(['half']);
  });

  test.each(['consumed', 'result'] as const)(
    'E04 send --wait=%s of what is taken back meanwhile is no success',
    async (wait) => {
      const message_id = mint.message();
      const sending = ask('send', { message_id, text: 'x', to: ['w'], team: ONE, in_s: 60, wait, timeout_s: 5 });
      const stored = () => home.ledger.db.selectFrom('messages').select('message_id').executeTakeFirst();
      await eventually('it to be stored', stored);
      await ask('cancel', { message_id, team: ONE });
      home.runtime.effects.changes.notify();
      expect(await sending).toMatchObject({ ok: false, reason: 'delivery_dead', deliveries: [{ state: 'cancelled' }] });
    },
  );
});
