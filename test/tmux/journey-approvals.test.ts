import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shellWord } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import { type Answer, ask, type Delivery, inputsOf, RUNNER, reached, recordOf, screenOf, start } from './journey.ts';

const BIN = path.resolve(import.meta.dirname, '../../bin/team-agent');
const ASKER = `rules:
  - match: '^ask (.*)'
    do: [{ ask_approval: "May I {{1}}?" }, { say: "was {{answer}}" }]
otherwise: [{ say: "heard" }]
`;

interface Question {
  readonly id: string;
  readonly agent_id: string;
}
type Approvals = Answer & { readonly team: string; readonly approvals: readonly Question[] };

let product: Product;
beforeAll(async () => {
  product = new Product();
  const agents = ['lists', 'by-id', 'by-name', 'denied', 'held', 'guarded'].map((id) => ({ id, script: ASKER }));
  await start(product, product.writeTeam('crew', [...agents, { id: 'w', script: RUNNER }]));
});
afterAll(() => product.end());

const open = (agent: string) => product.json<Approvals>(['approvals', agent]);

/** Lets an agent ask, and returns its question once it is open. */
async function asks(agent: string, what: string): Promise<Question> {
  const sent = await ask(product, 'send', agent, `ask ${what}`, '--expects', 'nothing');
  await reached(product, sent.message_id);
  return eventually(`${agent} to ask`, async () => (await open(agent)).approvals[0]);
}

const said = (agent: string): string[] =>
  recordOf(product, agent).flatMap((line) => (line.type === 'assistant' ? [line.text] : []));

const decisions = (agent: string) =>
  product
    .rows(`select actor, data from events where type = 'approval.decided' order by seq`)
    .map(({ actor, data }): Record<string, unknown> => ({ actor, ...JSON.parse(String(data)) }))
    .filter(({ agent_id }) => agent_id === agent);

/** Everything that an agent was answered, once it has been. */
const answered = (agent: string): Promise<string[]> =>
  eventually(`${agent} to be answered`, () => (said(agent).length > 0 ? said(agent) : undefined));

test('N03 approvals shows what an agent asks for, as text and as JSON, and changes nothing', async () => {
  const before = Date.now();
  const { id } = await asks('lists', 'delete it');
  const listed = await open('lists');
  expect(listed).toMatchObject({ code: 0, ok: true, team: 'crew' });
  const [question] = listed.approvals;
  expect(question).toEqual({
    id,
    agent_id: 'lists',
    provider: 'scripted',
    kind: 'command',
    text: 'May I delete it?',
    since: expect.any(Number),
    answerable: true,
  });
  expect(id).toMatch(/^ap_[0-9a-f]{12}$/);
  expect(question).toHaveProperty(
    'since',
    expect.toSatisfy((since: number) => since >= before && since <= Date.now()),
  );
  const text = await product.run(['approvals', 'lists']);
  expect(text).toMatchObject({ code: 0, stderr: '' });
  expect(text.stdout).toMatch(new RegExp(`lists +command +.*${id}\n +May I delete it\\?`));
  const status = await product.json<{ agents: Record<string, object> }>(['status']);
  expect(status.agents.lists).toMatchObject({
    state: 'waiting_approval',
    approvals: [{ id, text: 'May I delete it?' }],
  });
  expect((await product.run(['approvals', 'by-id'])).stdout).toBe('no agent asks for anything\n');
  expect([said('lists'), decisions('lists')]).toEqual([[], []]);
});

test('N03 approve ID says yes, once, and who said it is on record', async () => {
  const { id } = await asks('by-id', 'go on');
  expect(await ask(product, 'approve', id)).toMatchObject({
    code: 0,
    ok: true,
    id,
    agent_id: 'by-id',
    decision: 'approve',
  });
  expect(await answered('by-id')).toEqual(['was approved']);
  expect(decisions('by-id')).toMatchObject([
    { actor: 'person', approval: id, text: 'May I go on?', decision: 'approve', scope: 'once' },
  ]);
  // What was answered is not open any more: a second yes finds nothing, and no key is left over for the next question.
  expect(await ask(product, 'approve', id)).toMatchObject({ code: 1, reason: 'approval_unknown' });
  const next = await asks('by-id', 'go on');
  expect(next.id).not.toBe(id);
  expect(said('by-id')).toEqual(['was approved']);
  expect(decisions('by-id')).toHaveLength(1);
});

test('N03 approve AGENT answers the only question of an agent', async () => {
  const { id } = await asks('by-name', 'try');
  const text = await product.run(['approve', 'by-name', '--session']);
  expect(text).toMatchObject({ code: 0, stdout: `approved  by-name  ${id}\n` });
  expect(await answered('by-name')).toEqual(['was approved']);
  expect(decisions('by-name')).toMatchObject([{ approval: id, scope: 'session' }]);
});

test('N03 deny says no with a reason', async () => {
  const { id } = await asks('denied', 'push');
  expect(await ask(product, 'deny', id, '--message', 'not on a Friday')).toMatchObject({ ok: true, decision: 'deny' });
  expect(await answered('denied')).toEqual(['was denied']);
  expect(decisions('denied')).toMatchObject([{ actor: 'person', decision: 'deny', message: 'not on a Friday' }]);
});

test('N03 M07 mail that comes while a question is open waits, leaves the dialog alone, and comes after the decision', async () => {
  const { id } = await asks('held', 'wait');
  const sent = await ask(product, 'send', 'held', 'y', '--expects', 'nothing');
  const held = await eventually('the message to be held', async (): Promise<Delivery | undefined> => {
    const [delivery] = (await ask(product, 'deliveries', sent.message_id)).deliveries;
    return delivery?.state === 'held' ? delivery : undefined;
  });
  expect(held).toMatchObject({ reason: 'dialog_open', attempts: 0 });
  expect(screenOf(product, 'held')).toContain('? May I wait?');
  expect((await open('held')).approvals).toMatchObject([{ id }]);
  expect(await ask(product, 'deny', 'held')).toMatchObject({ ok: true });
  expect((await reached(product, sent.message_id))[0]).toMatchObject({ attempts: 1 });
  await eventually('both to be done', () => said('held').length === 2);
  expect(said('held')).toEqual(['was denied', 'heard']);
  expect(inputsOf(product, 'held')).toHaveLength(2);
});

test('N03 M02 an agent may look and may not decide; what nobody asked is refused with what is open', async () => {
  const { id } = await asks('guarded', 'act');
  for (const words of [
    ['approve', id],
    ['approve', 'guarded'],
    ['deny', id],
  ]) {
    expect(await inside(words), words.join(' ')).toMatchObject({ code: 1, ok: false, reason: 'worker_may_not' });
  }
  expect(await inside(['approvals', 'guarded'])).toMatchObject({ code: 0, approvals: [{ id }] });
  const refused = await ask(product, 'approve', 'ap_000000000000');
  expect(refused).toMatchObject({ code: 1, ok: false, reason: 'approval_unknown' });
  expect(refused.message).toContain(id);
  expect(refused.evidence?.open).toContainEqual(expect.objectContaining({ id, agent_id: 'guarded' }));
  expect(refused.next).toContain(`team-agent approve ${id}`);
  expect((await open('guarded')).approvals).toMatchObject([{ id }]);
  expect([said('guarded'), decisions('guarded')]).toEqual([[], []]);
});

/** Runs our command inside the pane of the worker `w`. */
async function inside(words: readonly string[]): Promise<Approvals> {
  const command = `run: ${shellWord(BIN)} --json ${words.map(shellWord).join(' ')}`;
  const sent = await ask(product, 'send', 'w', command, '--wait=result', '--timeout', '30');
  const [, code = '', output = ''] = /^(\d+)\|([\s\S]*)$/.exec(sent.results[0]?.summary ?? '') ?? [];
  if (code === '') throw new Error(`it did not run: ${JSON.stringify(sent)}`);
  return { ...JSON.parse(output), code: Number(code) };
}
