import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import { ask, callTool, LISTENER, reached, start } from './journey.ts';

let product: Product;
beforeAll(async () => {
  product = new Product();
  const agents = [...['asker', 'other', 'one', 'two'].map((id) => ({ id, script: LISTENER })), { id: 'plain' }];
  await start(product, product.writeTeam('crew', agents));
});
afterAll(() => product.end());

/** A question by `from` that `to` has read. */
async function question(from: string, to: string, text: string) {
  const asked = await callTool(product, from, 'send_message', { to, content: text, expects: 'reply' });
  const [delivery] = await reached(product, asked.message_id);
  if (!delivery) throw new Error('no delivery');
  return delivery;
}

const stateOf = async (message: string): Promise<string | undefined> =>
  (await ask(product, 'deliveries', message)).deliveries[0]?.state;

test.each(['message_id', 'delivery_id'] as const)(
  'E13 an answer that names the %s closes that request',
  async (name) => {
    const first = await question('asker', 'one', 'first?');
    const second = await question('asker', 'one', 'second?');
    const reply = { to: 'asker', content: 'yes', reply_to: second[name] };
    const answer = await callTool(product, 'one', 'send_message', reply);
    expect(await stateOf(second.message_id)).toBe('answered');
    expect(await stateOf(first.message_id)).toBe('consumed');
    expect(product.rows(`select reply_to from messages where message_id = '${answer.message_id}'`)).toEqual([
      { reply_to: second.message_id },
    ]);
    await callTool(product, 'one', 'send_message', { ...reply, reply_to: first[name] });
    expect(await stateOf(first.message_id)).toBe('answered');
  },
);

test('E13 an answer without a name closes the only request of its recipient, and guesses among several never', async () => {
  const first = await question('asker', 'two', 'a?');
  const foreign = await question('other', 'two', 'b?');
  await callTool(product, 'two', 'send_message', { to: 'asker', content: 'which one?', expects: 'reply' });
  expect(await stateOf(first.message_id)).toBe('consumed');
  await callTool(product, 'two', 'send_message', { to: 'asker', content: 'this is it' });
  expect(await stateOf(first.message_id)).toBe('answered');
  expect(await stateOf(foreign.message_id)).toBe('consumed');
  const again = await question('other', 'two', 'c?');
  await callTool(product, 'two', 'send_message', { to: 'other', content: 'one of them' });
  expect(await stateOf(foreign.message_id)).toBe('consumed');
  expect(await stateOf(again.message_id)).toBe('consumed');
  await callTool(product, 'one', 'send_message', { to: 'other', content: 'not mine', reply_to: again.message_id });
  expect(await stateOf(again.message_id)).toBe('consumed');
});

test.each(['message_id', 'delivery_id'] as const)(
  'E13 what is added to an answer, naming the %s of the question, answers no other one',
  async (name) => {
    const first = await question('other', 'one', 'this?');
    const second = await question('other', 'one', 'and that?');
    const more = { to: 'other', reply_to: first[name] };
    await callTool(product, 'one', 'send_message', { ...more, content: 'yes' });
    const added = await callTool(product, 'one', 'send_message', { ...more, content: 'and one thing more' });
    expect(await stateOf(second.message_id)).toBe('consumed');
    expect(product.rows(`select reply_to from messages where message_id = '${added.message_id}'`)).toEqual([
      { reply_to: null },
    ]);
    // A name that no message bears says nothing: then the only open question is meant.
    await callTool(product, 'one', 'send_message', { to: 'other', content: 'that too', reply_to: 'your question' });
    expect(await stateOf(second.message_id)).toBe('answered');
  },
);

test('E13 the default agent answers what a person asks, and the request is closed', async () => {
  const sent = await ask(product, 'send', 'plain', 'how many?', '--expects', 'reply', '--wait=result');
  expect(sent).toMatchObject({ ok: true, deliveries: [{ state: 'answered' }] });
  const { messages } = await ask(product, 'inbox', 'leader', '--limit', '100');
  expect(messages.filter(({ sender }) => sender === 'plain').map(({ body }) => body)).toEqual(['done: how many?']);
});

test.each(['message_id', 'delivery_id'] as const)(
  'F14 what an agent asks a person waits with the leader, and an answer that names the %s closes it',
  async (name) => {
    const asked = await callTool(product, 'one', 'request_human', { question: 'may I?' });
    const [held] = (await ask(product, 'deliveries', asked.message_id)).deliveries;
    expect(held).toMatchObject({ to: 'leader', state: 'held', reason: 'leader_unbound' });
    const answer = await ask(
      product,
      'send',
      'one',
      'you may',
      '--reply-to',
      held?.[name] ?? '',
      '--expects',
      'nothing',
    );
    expect(answer.ok).toBe(true);
    expect(await stateOf(asked.message_id)).toBe('answered');
  },
);

test('C01 what an agent writes in the project has the umask of the person, not of the coordinator', async () => {
  const workplace = new Product('umask');
  try {
    const script = `otherwise: [{ run: "mkdir made && echo x > made/file && umask" }, { report: { summary: "{{output}}" } }]\n`;
    const folder = workplace.writeTeam('crew', [{ id: 'a', script }]);
    const before = process.umask(0o022);
    try {
      await start(workplace, folder);
    } finally {
      process.umask(before);
    }
    const { results } = await ask(workplace, 'send', 'a', 'write', '--wait=result');
    expect(results[0]?.summary).toBe('0022');
    const mode = (name: string): number => fs.statSync(path.join(workplace.workspace, name)).mode & 0o777;
    await eventually('the file', () => fs.existsSync(path.join(workplace.workspace, 'made', 'file')));
    expect([mode('made'), mode('made/file')]).toEqual([0o755, 0o644]);
    const [token] = fs.readdirSync(path.join(workplace.paths.run, 'agents'));
    expect(mode(`.team/run/agents/${token}/token`)).toBe(0o600);
  } finally {
    await workplace.end();
  }
});
