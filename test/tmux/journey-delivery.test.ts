import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { INLINE_LIMIT } from '../../src/messages/index.ts';
import { parseRecordLine } from '../../src/providers/scripted/record.ts';
import { sendText } from '../support/calls.ts';
import { CORPUS, escaped, fencedIn } from '../support/corpus.ts';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import {
  ask,
  bodyOf,
  callTool,
  deliver,
  inputsOf,
  LISTENER,
  lifeOf,
  lineAt,
  PASTE_LISTENER,
  reached,
  screenOf,
  start,
  tmux,
} from './journey.ts';

let product: Product;
beforeAll(async () => {
  product = new Product();
  const agents = [
    { id: 'a', script: LISTENER },
    { id: 'b', script: LISTENER },
    { id: 'pasted', script: PASTE_LISTENER },
    { id: 'narrow', script: `columns: 20\n${PASTE_LISTENER}` },
    { id: 'thin', script: `columns: 20\n${LISTENER}` },
  ];
  await start(product, product.writeTeam('crew', agents));
});
afterAll(() => product.end());

const CHANNELS = [
  ['protocol', 'a'],
  ['paste', 'pasted'],
] as const;

describe.each(CHANNELS)('over %s', (channel, agent) => {
  test('E01 M02 a message is consumed once, and its receipt is where it says', async () => {
    const delivery = await deliver(product, agent, `once over ${channel}`);
    expect(delivery).toMatchObject({ state: 'consumed', channel, attempts: 1, receipt: { source: 'record' } });
    const line = parseRecordLine(lineAt(delivery.receipt ?? { source: 'none' }));
    if (line?.type !== 'user') throw new Error(`the receipt names a line of type ${line?.type}`);
    expect(line.text.split('\n')[0]).toContain(`[team message ${delivery.delivery_id} from person (user)`);
    expect(line.source).toBe(channel === 'protocol' ? 'protocol' : 'composer');
    expect(bodyOf(line.text)).toBe(`once over ${channel}`);
    expect(inputsOf(product, agent).filter(({ text }) => text.includes(delivery.delivery_id))).toHaveLength(1);
    await eventually('it to be shown', () => screenOf(product, agent).includes(`* person: once over ${channel}`));
  });

  test.each(CORPUS)('E20 %s: what was sent is what is read, between the fences or by read_message', async (_, text) => {
    const message = await sendText(product, agent, text);
    const [delivery] = await reached(product, message);
    const [input] = inputsOf(product, agent).filter((line) => line.text.includes(delivery?.delivery_id ?? '?'));
    const body = fencedIn(input?.text ?? '', delivery?.delivery_id ?? '');
    const large = Buffer.byteLength(text) > INLINE_LIMIT;
    const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text);
    if (large || (channel === 'paste' && control)) expect(body).toContain(`read_message, message_id ${message}`);
    else expect(body).toBe(escaped(text));
    const read = await callTool(product, agent, 'read_message', { message_id: message });
    expect(read.body === text).toBe(true);
    expect(fs.existsSync(path.join(product.workspace, 'hacked'))).toBe(false);
  });

  test('E20 15 kB arrive byte for byte', async () => {
    const text = `${'ä line with ünicode 日本 and 0123456789\n'.repeat(300)}end`;
    expect(Buffer.byteLength(text)).toBeGreaterThan(13_000);
    expect(Buffer.byteLength(text)).toBeLessThan(16_384);
    const sent = await product.run(['send', agent, '--stdin', '--wait=consumed', '--json'], { input: text });
    const { deliveries }: { deliveries: { delivery_id: string }[] } = JSON.parse(sent.stdout);
    const [input] = inputsOf(product, agent).filter((line) => line.text.includes(deliveries[0]?.delivery_id ?? '?'));
    expect(bodyOf(input?.text ?? '') === text).toBe(true);
  });

  test('E20 100 kB come as a notice, and read_message brings them byte for byte', async () => {
    const text = `${'0123456789 ünïcode 日本\n'.repeat(3_700)}end`;
    expect(Buffer.byteLength(text)).toBeGreaterThan(100_000);
    const sent = await product.run(['send', agent, '--stdin', '--wait=consumed', '--json'], { input: text });
    const { message_id, deliveries }: { message_id: string; deliveries: { delivery_id: string }[] } = JSON.parse(
      sent.stdout,
    );
    const [input] = inputsOf(product, agent).filter((line) => line.text.includes(deliveries[0]?.delivery_id ?? '?'));
    expect(bodyOf(input?.text ?? '')).toContain(`read_message, message_id ${message_id}`);
    const read = await callTool(product, agent, 'read_message', { message_id });
    expect(read.body === text).toBe(true);
    const other = agent === 'a' ? 'pasted' : 'a';
    expect(await callTool(product, other, 'read_message', { message_id })).toMatchObject({
      isError: true,
      reason: 'message_not_found',
    });
  });

  test('E20 escape bytes reach no terminal and lose no message', async () => {
    const text = 'before \u001b[31mred\u001b[0m \u001b]0;title\u0007 \u001b[201~\u0003 after';
    const delivery = await deliver(product, agent, text);
    const [input] = inputsOf(product, agent).filter((line) => line.text.includes(delivery.delivery_id));
    if (channel === 'protocol') expect(bodyOf(input?.text ?? '')).toBe(text);
    else expect(bodyOf(input?.text ?? '')).toContain(`read_message, message_id ${delivery.message_id}`);
    expect((await callTool(product, agent, 'read_message', { message_id: delivery.message_id })).body).toBe(text);
    expect((await ask(product, 'status')).ok).toBe(true);
    expect(
      tmux(product, 'display-message', '-p', '-t', lifeOf(product, agent).handle.pane.pane, '#{pane_title}'),
    ).not.toContain('title');
    const shown = await product.run(['inbox', agent]);
    expect(shown.stdout).not.toMatch(/\u001b\]|\u0007|\u0003/);
    await deliver(product, agent, 'and one more');
  });

  test('M04 100 messages sent together are consumed in the order in which they were stored', async () => {
    const before = inputsOf(product, agent).length;
    const texts = Array.from({ length: 100 }, (_, index) => `number ${index}`);
    for (let first = 0; first < 100; first += 10)
      await Promise.all(texts.slice(first, first + 10).map((text) => sendText(product, agent, text)));
    await eventually('all to be consumed', () => inputsOf(product, agent).length >= before + 100, 60_000);
    const stored = product.rows(
      `select d.delivery_id from deliveries d join messages m using (message_id)
       where d.recipient = '${agent}' and m.body like 'number %' order by d.seq`,
    );
    const read = inputsOf(product, agent)
      .slice(before)
      .map(({ text }) => /^\[team message (\S+)/.exec(text)?.[1]);
    expect(read).toEqual(stored.map(({ delivery_id }) => delivery_id));
  });
});

test.each([
  ['paste', 'narrow'],
  ['protocol', 'thin'],
])('E15 a pane of 20 columns takes messages over %s', async (channel, agent) => {
  const { handle } = lifeOf(product, agent);
  tmux(product, 'resize-window', '-t', handle.pane.pane, '-x', '20', '-y', '12');
  expect(tmux(product, 'display-message', '-p', '-t', handle.pane.pane, '#{pane_width}').trim()).toBe('20');
  for (const text of ['short', `a long text: ${'word '.repeat(60)}end`, 'two\nlines']) {
    const delivery = await deliver(product, agent, text);
    expect(delivery).toMatchObject({ state: 'consumed', channel, attempts: 1 });
    const [input] = inputsOf(product, agent).filter((line) => line.text.includes(delivery.delivery_id));
    expect(bodyOf(input?.text ?? '')).toBe(text);
  }
});

test('E03 * reaches everybody once', async () => {
  const sent = await ask(product, 'send', '*', 'everybody');
  expect([...sent.to].sort()).toEqual(['a', 'b', 'leader', 'narrow', 'pasted', 'thin']);
  const done = await eventually('all agents to have it', async () => {
    const { deliveries } = await ask(product, 'deliveries', sent.message_id);
    return deliveries.filter(({ state }) => state === 'consumed').length === 5 ? deliveries : undefined;
  });
  expect(done.find(({ to }) => to === 'leader')).toMatchObject({ state: 'held', reason: 'leader_unbound' });
  for (const { to, delivery_id, state } of done) {
    if (state !== 'consumed') continue;
    expect(inputsOf(product, to).filter(({ text }) => text.includes(delivery_id))).toHaveLength(1);
  }
});

test('E03 an agent that sends to * does not hear itself', async () => {
  const sent = await callTool(product, 'a', 'send_message', { to: '*', content: 'from a to all' });
  expect([...sent.to].sort()).toEqual(['b', 'leader', 'narrow', 'pasted', 'thin']);
});

test('E04 a recipient named twice gets it once', async () => {
  const sent = await ask(product, 'send', '--to', 'a,b,a', 'twice');
  expect(sent).toMatchObject({ code: 0, ok: true, to: ['a', 'b'] });
  const deliveries = await reached(product, sent.message_id);
  expect(deliveries).toHaveLength(2);
});

test('E05 with --to every word is text', async () => {
  const sent = await ask(product, 'send', '--to', 'a,b', 'hello', 'brave', 'world');
  await reached(product, sent.message_id);
  for (const agent of ['a', 'b']) expect(bodyOf(inputsOf(product, agent).at(-1)?.text ?? '')).toBe('hello brave world');
});

test('E06 a partial fan-out says so: exit 3, who has it and who does not exist', async () => {
  const sent = await ask(product, 'send', '--to', 'a,ghost', 'half of it');
  expect(sent).toMatchObject({
    code: 3,
    ok: false,
    partial: true,
    reason: 'fanout_partial',
    to: ['a'],
    refused: [{ to: 'ghost', reason: 'target_not_in_team' }],
  });
  await reached(product, sent.message_id);
});

test('E11 an unknown recipient is refused with those there are; nothing is stored', async () => {
  const before = product.rows('select count(*) as n from messages');
  const sent = await ask(product, 'send', 'ghost', 'boo');
  expect(sent).toMatchObject({ code: 1, reason: 'target_not_in_team' });
  expect(sent.evidence?.members).toEqual(['leader', 'a', 'b', 'narrow', 'pasted', 'thin']);
  expect(product.rows('select count(*) as n from messages')).toEqual(before);
});

test('E21 no paste buffer is left, no text stays in a composer', async () => {
  await Promise.all(Array.from({ length: 20 }, (_, index) => ask(product, 'send', 'pasted', `buffer ${index}`)));
  await eventually('the line to be empty', async () => {
    const rows = product.rows(
      `select count(*) as n from deliveries where recipient = 'pasted' and state <> 'consumed'`,
    );
    return rows[0]?.n === 0;
  });
  expect(tmux(product, 'list-buffers')).toBe('');
  expect(fs.readdirSync(product.paths.run).filter((name) => name.endsWith('.text'))).toEqual([]);
  // None was refused at the pane, and none was typed twice.
  expect(
    product.rows(`select * from offers where recipient = 'pasted' and (outcome <> 'taken' or number > 1)`),
  ).toEqual([]);
  await eventually('an empty composer', () => /\n>\s*\n--/.test(screenOf(product, 'pasted')));
});
