import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mint } from '../../src/kernel/index.ts';
import { callerHeaders, callTool, callVerb, request, sendText } from '../support/calls.ts';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import { type Answer, ask, bodyOf, inputsOf, LISTENER, lifeOf, RUNNER, reached, start } from './journey.ts';

const MB = 1024 * 1024;

let product: Product;
/** Two teams with an agent of the same name, and a message of each. */
let own: string;
let foreign: string;
let port: number;

beforeAll(async () => {
  product = new Product();
  const agents = (other: string) => [
    { id: 'worker', script: RUNNER },
    { id: other, script: LISTENER },
  ];
  await start(product, product.writeTeam('crew', agents('peer')));
  await start(product, product.writeTeam('rivals', agents('enemy')));
  port = JSON.parse(fs.readFileSync(product.paths.pointer, 'utf8')).port;
  own = await sendText(product, 'worker', 'a message of the crew', { team: 'crew' });
  const rival = lifeIn('rivals', 'worker');
  const sent = await tool(rival, 'send_message', { to: 'enemy', content: 'a secret of the rivals' });
  foreign = sent.message_id;
  await reached(product, own);
  await reached(product, foreign);
});
afterAll(() => product?.end());

/** The token of an agent of one team. */
function lifeIn(team: string, agent: string): string {
  const [row] = product.rows(
    `select incarnation from incarnations where team = '${team}' and agent_id = '${agent}' and ended_at is null`,
  );
  return fs.readFileSync(`${product.paths.run}/agents/${row?.incarnation}/token`, 'utf8').trim();
}

const tool = (token: string, name: string, args: object) =>
  callTool<Answer & { readonly body?: string }>(port, token, { name, arguments: args, call: mint.message() });

/** Everything that is stored, but for what an observer writes down by itself. */
const ledger = (): unknown => ({
  messages: product.rows('select * from messages order by message_id'),
  deliveries: product.rows('select * from deliveries order by delivery_id'),
  results: product.rows('select * from results order by result_id'),
  tasks: product.rows('select * from tasks order by task_id'),
  events: product.rows('select count(*) as n from events'),
});

type Refused = readonly [what: string, act: () => Promise<{ ok: boolean; reason?: string }>, reason: string];
const letter = (more: object) => ({ message_id: mint.message(), to: ['peer'], text: 'x', team: 'crew', ...more });
const send = (more: object) => () => callVerb<Answer>(product, 'send', letter(more));
const byWorker = (name: string, args: () => object) => () => tool(lifeIn('crew', 'worker'), name, args());

const REFUSED: readonly Refused[] = [
  ['an unknown recipient', send({ to: ['ghost'] }), 'target_not_in_team'],
  ['an agent of another team', send({ to: ['enemy'] }), 'target_not_in_team'],
  [
    'an unknown recipient, by a tool',
    byWorker('send_message', () => ({ to: 'ghost', content: 'x' })),
    'target_not_in_team',
  ],
  ['an empty text', send({ text: '' }), 'empty_message'],
  ['a newline alone', send({ text: '\n' }), 'empty_message'],
  ['blanks alone, by a tool', byWorker('send_message', () => ({ to: 'peer', content: ' \n\t' })), 'empty_message'],
  ['a NUL byte', send({ text: 'a\u0000b' }), 'message_not_text'],
  ['a NUL byte, by a tool', byWorker('send_message', () => ({ to: 'peer', content: 'a\u0000b' })), 'message_not_text'],
  ['half a character', send({ text: 'a\ud800b' }), 'message_not_text'],
  [
    'half a character, by a tool',
    byWorker('send_message', () => ({ to: 'peer', content: '\udc00' })),
    'message_not_text',
  ],
  ['9 MB', send({ text: 'x'.repeat(9 * MB) }), 'message_too_large'],
  [
    '9 MB, by a tool',
    byWorker('send_message', () => ({ to: 'peer', content: 'x'.repeat(9 * MB) })),
    'message_too_large',
  ],
  ['a task that nobody has', send({ to: ['task:unheard'] }), 'task_unknown'],
  [
    'an id of another team for a new text',
    () => callVerb(product, 'send', letter({ message_id: foreign })),
    'message_conflict',
  ],
  [
    'another team in the address',
    byWorker('send_message', () => ({ to: 'rivals/enemy', content: 'x' })),
    'worker_may_not',
  ],
  ['a message of another team', byWorker('read_message', () => ({ message_id: foreign })), 'message_not_found'],
  ['a message that never was', byWorker('read_message', () => ({ message_id: mint.message() })), 'message_not_found'],
  [
    'a part that is not there',
    byWorker('read_message', () => ({ message_id: own, part: 2 })),
    'tool_arguments_invalid',
  ],
  [
    'to take back what never was',
    () => callVerb(product, 'cancel', { message_id: mint.message(), team: 'crew' }),
    'message_not_found',
  ],
  [
    'to take back for another team',
    () => callVerb(product, 'cancel', { message_id: foreign, team: 'crew' }),
    'message_not_found',
  ],
  [
    'deliveries of another team',
    () => callVerb(product, 'deliveries', { message_id: foreign, team: 'crew' }),
    'message_not_found',
  ],
];

test.each(REFUSED)('E11 E20 M08 %s is refused with its reason, and the ledger is as it was', async (_, act, reason) => {
  const before = ledger();
  const answer = await act();
  expect(answer).toMatchObject({ ok: false, reason });
  expect(JSON.stringify(answer).length).toBeLessThan(2_000);
  expect(ledger()).toEqual(before);
});

test.each(['deliveries', 'cancel'])(
  'M08 an agent reaches nothing of another team by %s, though somebody there has its name',
  async (verb) => {
    const before = ledger();
    const headers = { authorization: `Bearer ${lifeIn('crew', 'worker')}` };
    for (const more of [{}, { team: 'rivals' }])
      expect(await callVerb(product, verb, { message_id: foreign, ...more }, headers)).toMatchObject({
        ok: false,
        reason: 'worker_may_not',
      });
    expect(ledger()).toEqual(before);
  },
);

test.each(['sender', 'from', 'team', 'authority', 'message_id'])(
  'M08 %s in the arguments of a tool changes nothing: the sender is who calls',
  async (field) => {
    const sent = await tool(lifeIn('crew', 'worker'), 'send_message', {
      to: 'peer',
      content: `as ${field}`,
      [field]: 'leader',
    });
    expect(sent).toMatchObject({ ok: true, to: ['peer'], team: 'crew' });
    await reached(product, sent.message_id);
    expect(inputsOf(product, 'peer').at(-1)?.text).toMatch(/^\[team message \S+ from worker \(peer\)\]\n/);
  },
);

test('M08 a reply that names a request of another team is stored, and answers nothing there', async () => {
  const before = product.rows(`select * from deliveries where team = 'rivals'`);
  const sent = await tool(lifeIn('crew', 'worker'), 'send_message', {
    to: 'peer',
    content: 'so there',
    reply_to: foreign,
  });
  expect(product.rows(`select reply_to from messages where message_id = '${sent.message_id}'`)).toEqual([
    { reply_to: null },
  ]);
  expect(product.rows(`select * from deliveries where team = 'rivals'`)).toEqual(before);
  await reached(product, sent.message_id);
});

test('F06 a result that nobody asks for any more is stored, marked, and told once; what came before stays', async () => {
  const token = lifeIn('crew', 'worker');
  const done = await sendText(product, 'worker', 'run: echo done', { team: 'crew', task: 'closed', expects: 'result' });
  await reached(product, done, ['answered']);
  for (const [summary, task] of [
    ['done again', 'closed'],
    ['never asked', 'unheard-of'],
  ]) {
    const before = product.rows('select * from results');
    const again = await tool(token, 'report_result', { summary, task });
    expect(again).toMatchObject({ ok: true, unattributed: true });
    const after = product.rows('select * from results');
    expect(after).toEqual(expect.arrayContaining(before));
    expect(after).toHaveLength(before.length + 1);
    const { result_id } = again as unknown as { result_id: string };
    expect(product.rows(`select 1 from messages where dedupe_key = 'result:${result_id}'`)).toHaveLength(1);
  }
  expect(product.rows(`select status from tasks where task_id = 'closed'`)).toEqual([{ status: 'done' }]);
  expect(product.rows(`select * from tasks where task_id = 'unheard-of'`)).toEqual([]);
});

describe('bytes that are no request', () => {
  const mcp = (body: string | Buffer) =>
    request({ port }, '/mcp', { ...JSON_TYPE, authorization: `Bearer ${lifeIn('crew', 'worker')}` }, body);
  const local = (body: string | Buffer) =>
    request({ socketPath: product.paths.socket }, '/verbs/send', callerHeaders(), body);
  const JSON_TYPE = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const badText = Buffer.concat([
    Buffer.from(`{"message_id":"${mint.message()}","team":"crew","to":["peer"],"text":"`),
    Buffer.from([0x61, 0xff, 0xfe]),
    Buffer.from('"}'),
  ]);
  const BROKEN: readonly (readonly [string, string | Buffer])[] = [
    ['nothing', ''],
    ['half of it', '{"jsonrpc":"2.0","id":1,"meth'],
    ['two in one', '{}{}'],
    ['bytes that are no UTF-8', badText],
    ['NUL bytes', '\u0000\u0000'],
  ];

  test.each(BROKEN)(
    'K06 E20 %s: an error over HTTP and over the local socket, and nothing is stored',
    async (_, body) => {
      const before = ledger();
      const posted = await mcp(body);
      expect(posted.status).toBe(400);
      expect(JSON.parse(posted.text)).toMatchObject({ id: null, error: { code: -32700 } });
      const asked = await local(body);
      expect(JSON.parse(asked.text)).toMatchObject({ ok: false, reason: 'usage' });
      expect(ledger()).toEqual(before);
    },
  );

  test('E20 50 MB over HTTP and over the local socket are refused; memory stays, and nobody else waits', async () => {
    const text = Buffer.alloc(50 * MB, 'x');
    const call = (open: string, close: string) => Buffer.concat([Buffer.from(open), text, Buffer.from(close)]);
    const rpc = call(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"send_message","arguments":{"to":"peer","content":"',
      '"}}}',
    );
    const verb = call(`{"message_id":"${mint.message()}","team":"crew","to":["peer"],"text":"`, '"}');
    const before = ledger();
    const pid = product.coordinator()?.pid ?? 0;
    const resident = (field: string): number =>
      Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
    fs.writeFileSync(`/proc/${pid}/clear_refs`, '5'); // its highest mark begins anew
    const least = resident('VmRSS');
    const waits: number[] = [];
    let over = false;
    const others = (async () => {
      while (!over) {
        const asked = performance.now();
        expect(await callVerb(product, 'coordinator-status', {})).toMatchObject({ ok: true });
        waits.push(performance.now() - asked);
      }
    })();
    const posted = await mcp(rpc);
    const asked = await local(verb);
    over = true;
    await others;
    expect(posted.status).toBe(413);
    expect(JSON.parse(posted.text)).toMatchObject({ error: { message: expect.stringContaining('too large') } });
    expect(JSON.parse(asked.text)).toMatchObject({ ok: false, reason: 'message_too_large' });
    expect(ledger()).toEqual(before);
    const grown = resident('VmHWM') - least;
    console.log(
      `50 MB twice: ${grown.toFixed(0)} MB more at most, others waited ${Math.max(...waits).toFixed(0)} ms at most`,
    );
    expect(grown).toBeLessThan(100);
  });
});

test('M08 a token of a life that has ended opens nothing, on any door', async () => {
  const { token, handle } = lifeOf(product, 'enemy');
  const before = await callVerb<Answer>(product, 'status', {}, { authorization: `Bearer ${token}` });
  expect(before.ok).toBe(true);
  process.kill(handle.pane.process.pid, 'SIGHUP');
  const hello = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  await eventually(
    'the end of the token',
    async () => (await request({ port }, '/mcp', headers, hello)).status === 401,
  );
  const stored = ledger();
  expect((await request({ port }, '/hooks', headers, '{}')).status).toBe(401);
  for (const verb of ['send', 'status', 'cancel', 'deliveries', 'shutdown'])
    expect(
      await callVerb(product, verb, letter({ message_id: foreign }), { authorization: `Bearer ${token}` }),
    ).toMatchObject({
      ok: false,
      reason: 'untrusted_caller',
    });
  expect(ledger()).toEqual(stored);
});

test('after all of that a message arrives', async () => {
  const message = await sendText(product, 'peer', 'still here', { team: 'crew' });
  await reached(product, message);
  expect(bodyOf(inputsOf(product, 'peer').at(-1)?.text ?? '')).toBe('still here');
  expect((await ask(product, '--team', 'crew', 'status')).ok).toBe(true);
});
