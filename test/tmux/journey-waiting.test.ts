import { afterAll, beforeAll, expect, test } from 'vitest';
import { sendText } from '../support/calls.ts';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import { ask, callTool, deliver, inputsOf, LISTENER, reached, start } from './journey.ts';

const SLOW = `rules:
  - match: '^long'
    do: [{ wait: 600000 }]
${LISTENER}`;

let product: Product;
beforeAll(async () => {
  product = new Product();
  const agents = [
    ...['later', 'order', 'peer', 'talker'].map((id) => ({ id, script: LISTENER })),
    ...['busy', 'old'].map((id) => ({ id, script: SLOW })),
  ];
  await start(product, product.writeTeam('crew', agents));
});
afterAll(() => product.end());

const bodies = (agent: string): string[] => inputsOf(product, agent).map(({ text }) => text.split('\n')[2] ?? '');

test('M01 a message for later waits beside the line, lets others pass, and goes when its time comes', async () => {
  const sent = await ask(product, 'send', 'later', 'second', '--in', '6', '--expects', 'nothing');
  expect(sent.deliveries).toEqual([expect.objectContaining({ state: 'held', reason: 'scheduled' })]);
  await reached(product, await sendText(product, 'later', 'first', { expects: 'nothing' }));
  const [delivery] = await reached(product, sent.message_id);
  expect(delivery).toMatchObject({ state: 'consumed' });
  expect(bodies('later')).toEqual(['first', 'second']);
  const [row] = product.rows(`select m.due_at, d.submitted_at from deliveries d join messages m using (message_id)
    where message_id = '${sent.message_id}'`);
  expect(Number(row?.submitted_at)).toBeGreaterThanOrEqual(Number(row?.due_at));
});

test('M01 a time that is over is no reason to wait; a time limit counts from when it may go', async () => {
  const past = await ask(product, 'send', 'order', 'at once', '--at', '2020-01-31T12:00:00Z', '--expects', 'nothing');
  expect(past.deliveries[0]?.state).not.toBe('held');
  await reached(product, past.message_id);
  const soon = await ask(product, 'send', 'order', 'in time', '--in', '1', '--ttl', '20', '--expects', 'nothing');
  await reached(product, soon.message_id);
  const [row] = product.rows(`select expires_at - due_at as ttl from messages where message_id = '${soon.message_id}'`);
  expect(row).toEqual({ ttl: 20_000 });
});

test('M05 what expires while it is held is dead, and its sender hears of it', async () => {
  await deliver(product, 'old', 'long turn', '--expects', 'nothing');
  const sent = await ask(
    product,
    'send',
    'old',
    'never in time',
    '--in',
    '0.3',
    '--ttl',
    '0.3',
    '--expects',
    'nothing',
  );
  const [dead] = await reached(product, sent.message_id, ['dead']);
  expect(dead).toMatchObject({ state: 'dead', reason: 'expired' });
  const notice = product.rows(`select dedupe_key from messages where dedupe_key = 'dead:${dead?.delivery_id}'`);
  expect(notice).toHaveLength(1);
});

test('M01 a sender takes back what was not offered yet, and nothing else', async () => {
  await deliver(product, 'busy', 'long turn', '--expects', 'nothing');
  const waiting = await ask(product, 'send', 'busy', 'never to be read');
  const cancelled = await ask(product, 'cancel', waiting.message_id);
  expect(cancelled).toMatchObject({
    ok: true,
    code: 0,
    deliveries: [{ to: 'busy', state: 'cancelled', cancelled: true }],
  });
  // Twice is the same as once.
  expect(await ask(product, 'cancel', waiting.message_id)).toMatchObject({ ok: true, code: 0 });
  const read = await deliver(product, 'peer', 'read already', '--expects', 'nothing');
  expect(await ask(product, 'cancel', read.message_id)).toMatchObject({ ok: false, code: 1, reason: 'not_cancelled' });
  const both = await ask(product, 'send', 'busy,peer', 'half of it', '--expects', 'nothing');
  await eventually('the peer to have read it', async () => {
    const { deliveries } = await ask(product, 'deliveries', both.message_id);
    return deliveries.find(({ to }) => to === 'peer')?.state === 'consumed';
  });
  expect(await ask(product, 'cancel', both.message_id)).toMatchObject({
    code: 3,
    partial: true,
    reason: 'cancelled_partial',
  });
  expect(bodies('busy')).toEqual(['long turn']);
  expect(await ask(product, 'cancel', 'm_000000000000000000000000')).toMatchObject({ reason: 'message_not_found' });
  const theirs = await callTool(product, 'talker', 'send_message', { to: 'busy', content: 'of an agent' });
  expect(await ask(product, 'cancel', theirs.message_id)).toMatchObject({ code: 1, reason: 'message_not_yours' });
});

test('F10 a task whose only message is taken back can be given out again; one that another message asks for goes on', async () => {
  // `busy` is in a turn that does not end.
  const status = () => product.rows(`select status from tasks where task_id = 'taken-back'`)[0]?.status;
  const first = await ask(product, 'send', 'busy', 'do it', '--task', 'taken-back');
  const second = await ask(product, 'send', 'busy', 'do it, please', '--task', 'taken-back');
  expect(status()).toBe('running');
  await ask(product, 'cancel', first.message_id);
  expect(status()).toBe('running');
  await ask(product, 'cancel', second.message_id);
  expect(status()).toBe('pending');
});

test('F05 a team that wants few wakes: successes wait for the last one, a failure goes at once, each is told once', async () => {
  const reporter = 'rules:\n  - match: fail\n    do: [{ report: { summary: "no", status: failed } }]\n';
  const quiet = product.writeTeam(
    'quiet',
    [
      { id: 'one', script: reporter },
      { id: 'two', script: reporter },
      { id: 'slow', script: SLOW },
    ],
    'notify: quiet\n',
  );
  await start(product, quiet);
  const mail = () =>
    product
      .rows(`select d.state, d.reason, m.body from deliveries d join messages m using (message_id)
        where m.team = 'quiet' and m.dedupe_key like 'result:%' order by d.seq`)
      .map(({ state, reason, body }) =>
        `${state} ${reason ?? ''} ${String(body).split(': ')[1]?.split('\n')[0]}`.replace(/ +/g, ' '),
      );
  await deliver(product, 'slow', 'long work', '--team', 'quiet');
  await ask(product, 'send', 'one', 'a', '--team', 'quiet', '--wait=result');
  expect(mail()).toEqual(['held batched success']);
  await ask(product, 'send', 'two', 'b', '--team', 'quiet', '--wait=result');
  expect(mail()).toEqual(['held batched success', 'held batched success']);
  await ask(product, 'send', 'one', 'fail', '--team', 'quiet', '--wait=result');
  expect(mail()).toEqual(['queued success', 'queued success', 'queued failed']);
  await ask(product, 'send', 'two', 'c', '--team', 'quiet', '--wait=result');
  expect(mail().at(-1)).toBe('held batched success');
  // The last word that is waited for brings all that waited.
  const slow = product.rows(`select message_id from messages where body = 'long work'`)[0]?.message_id;
  await callTool(product, 'slow', 'report_result', { summary: 'at last', task: String(slow) });
  expect(mail().slice(-2)).toEqual(['queued success', 'queued success']);
});
