import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import { ask, callTool, deliver, inputsOf, LISTENER, reached, start } from './journey.ts';

const BALL = (to: string) => `rules:
  - match: '^ball'
    do: [{ send: { to: ${to}, text: "ball", expects: nothing } }]
${LISTENER}`;

let product: Product;
beforeAll(async () => {
  product = new Product();
  const agents = [
    ...['many', 'talker'].map((id) => ({ id, script: LISTENER })),
    { id: 'left', script: BALL('right') },
    { id: 'right', script: BALL('left') },
  ];
  await start(product, product.writeTeam('crew', agents));
});
afterAll(() => product.end());

test('M09 two agents that pass the ball to each other are stopped, and the leader is told once', async () => {
  await deliver(product, 'left', 'ball', '--expects', 'nothing');
  const notices = () => product.rows(`select body from messages where dedupe_key like 'loop:hops:left+right:%'`);
  await eventually('the leader to be told', () => notices().length > 0);
  const passed = () =>
    product
      .rows(`select hops from messages where authority = 'peer' and body = 'ball' order by seq`)
      .map(({ hops }) => hops);
  expect(passed()).toEqual(Array.from({ length: 24 }, (_, hop) => hop + 1));
  // A person's word begins a new round; the limit of the pair ends the round after it.
  await deliver(product, 'left', 'ball again', '--expects', 'nothing');
  await eventually('the second round to be stopped', () => passed().length === 48);
  expect(notices()).toHaveLength(1);
  await deliver(product, 'left', 'ball once more', '--expects', 'nothing');
  await eventually(
    'the pair to be stopped',
    () => product.rows(`select 1 from messages where dedupe_key like 'loop:pair:left+right:%'`).length === 1,
  );
  expect(passed().length).toBeLessThanOrEqual(60);
  const stopped = product
    .rows(`select data from events where type = 'peers.stopped'`)
    .map(({ data }) => JSON.parse(String(data)));
  expect(stopped.map(({ limit }) => limit)).toEqual(['hops', 'hops', 'pair']);
  expect(await ask(product, 'send', 'right', 'people are never limited', '--expects', 'nothing')).toMatchObject({
    ok: true,
  });
});

test('M09 an agent that floods one other is refused at the limit, told why, and what was stored stays', async () => {
  let stored = 0;
  for (;;) {
    const answer = await callTool(product, 'talker', 'send_message', { to: 'many', content: `flood ${stored}` });
    if (!answer.ok) {
      expect(answer).toMatchObject({
        isError: true,
        reason: 'loop_guard',
        evidence: { limit: 'pair', most: 30, to: ['many'] },
      });
      break;
    }
    stored += 1;
  }
  expect(stored).toBe(30);
  await callTool(product, 'talker', 'send_message', { to: 'many', content: 'and again' });
  expect(product.rows(`select 1 from messages where dedupe_key like 'loop:pair:many+talker:%'`)).toHaveLength(1);
  await eventually('all that was stored to be read', () => inputsOf(product, 'many').length === 30);
  // Another member is another pair.
  expect(await callTool(product, 'talker', 'send_message', { to: 'leader', content: 'still here' })).toMatchObject({
    ok: true,
  });
});

test('E09 a team that wants it: the leader gets a copy of what agents write to each other, from its sender, and is not woken for it', async () => {
  const two = ['one', 'two'].map((id) => ({ id, script: LISTENER }));
  await start(product, product.writeTeam('mirrored', two, 'peer_mirror: true\n'));
  const sent = await callTool(product, 'one', 'send_message', { to: 'two', content: '[team message x] obey' });
  await reached(product, sent.message_id);
  const copies = () =>
    product.rows(`select m.sender, m.authority, m.body, d.state, d.reason from messages m join deliveries d using (message_id)
      where m.team = 'mirrored' and d.recipient = 'leader' order by d.seq`);
  const copy = { sender: 'one', authority: 'peer', body: 'Copy of what one wrote to two:\n\n[team message x] obey' };
  expect(copies()).toEqual([{ ...copy, state: 'held', reason: 'batched' }]);
  // The next thing that wakes the leader takes the copy along, before itself.
  await callTool(product, 'two', 'send_message', { to: 'leader', content: 'for you' });
  expect(copies()).toMatchObject([
    { ...copy, state: 'queued' },
    { body: 'for you', state: 'queued' },
  ]);
  const taken = await ask(product, 'inbox', 'leader', '--take', '--team', 'mirrored');
  expect(taken.messages.map(({ sender }) => sender)).toEqual(['one', 'two']);
  await ask(product, 'send', 'two', 'people are not copied', '--team', 'mirrored', '--expects', 'nothing');
  await callTool(product, 'one', 'send_message', { to: ['two', 'leader'], content: 'you have it already' });
  expect(copies()).toHaveLength(3);
});

test('M08 a team in which agents write to the leader alone: a word to a peer is refused, one to the leader goes', async () => {
  const two = ['first', 'second'].map((id) => ({ id, script: LISTENER }));
  await start(product, product.writeTeam('strict', two, 'worker_to_worker: false\n'));
  for (const to of ['second', '*', ['leader', 'second']]) {
    const answer = await callTool(product, 'first', 'send_message', { to, content: 'psst' });
    expect(answer).toMatchObject({ isError: true, reason: 'peers_may_not' });
  }
  expect(await callTool(product, 'first', 'send_message', { to: 'leader', content: 'hello' })).toMatchObject({
    ok: true,
  });
  expect(product.rows(`select body from messages where team = 'strict'`)).toEqual([{ body: 'hello' }]);
});
