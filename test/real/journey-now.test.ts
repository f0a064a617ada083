import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ask, type Delivery, reached } from '../tmux/journey.ts';
import { press, sendTo, shownBy, waitsFor } from './person.ts';
import { lineOfReceipt, quickStart, whyWhen } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

const TOOLS = ['fs_read', 'fs_write', 'execute_bash'];

let product: RealProduct;

beforeAll(async () => {
  product = await RealProduct.open();
  const folder = product.writeTeam('crew', [
    { id: 'claire', provider: 'claude', tools: TOOLS, head: 'permission_mode: accept_edits\n' },
    { id: 'cody', provider: 'codex', tools: TOOLS },
  ]);
  await quickStart(product, folder);
});
afterAll(() => product?.end());

const modelOf = (agent: string) => (agent === 'cody' ? product.openai : product.anthropic);

/** The requests in which a model was asked with exactly this text. */
const asked = (agent: string, text: string) => modelOf(agent).turns.filter(({ prompt }) => prompt === text);

/** Lets an agent work on `text`, and a plain message wait behind it. Returns its record and the id of what waits. */
async function busyWith(agent: string, text: string, plain: string): Promise<{ record: string; waiting: string }> {
  const [first] = await reached(product, await sendTo(product, agent, text));
  await eventually(`${agent} to work`, () => asked(agent, text).length > 0);
  await whyWhen(product, agent, 'working');
  const waiting = await sendTo(product, agent, plain);
  await waitsFor(product, waiting, 'working');
  return { record: first?.receipt?.file ?? '', waiting };
}

const deliveryOf = async (message: string): Promise<Delivery | undefined> =>
  (await ask(product, 'deliveries', message)).deliveries[0];

/** The turns that a Codex has begun, by its rollout. */
const turnsBegun = (record: string): number =>
  fs.readFileSync(record, 'utf8').match(/"type":"task_started"/g)?.length ?? 0;

/** What waited arrives once the turn has ended; whatever was sent was heard once, and each in its own order. */
async function allHeardOnce(agent: string, waiting: string, texts: readonly string[]): Promise<void> {
  expect((await reached(product, waiting))[0]).toMatchObject({ attempts: 1 });
  await eventually('the model to hear what waited', () => asked(agent, texts.at(-1) ?? '').length > 0);
  await whyWhen(product, agent, 'idle');
  const heard = modelOf(agent).turns.map(({ prompt }) => prompt);
  expect(heard.filter((prompt) => texts.includes(prompt))).toEqual(texts);
  // Whatever was cut off, the conversation still holds every message, once.
  const last = asked(agent, texts.at(-1) ?? '')[0]?.history.filter(({ kind }) => kind === 'user') ?? [];
  for (const text of texts)
    expect(
      last.filter((entry) => entry.text.includes(text)),
      text,
    ).toHaveLength(1);
}

/** Sends what is urgent, without waiting for anything, and returns the id of the message. */
async function sendNow(agent: string, text: string): Promise<string> {
  const sent = await ask(product, 'send', agent, text, '--now', '--expects', 'nothing');
  if (!sent.ok) throw new Error(`send: ${JSON.stringify(sent)}`);
  return sent.message_id;
}

/** Holds the answers to two messages, each by itself. */
const gatesOf = (agent: string, busy: string, now: string) => ({
  busy: modelOf(agent).holdAnswers(({ prompt }) => prompt === busy),
  now: modelOf(agent).holdAnswers(({ prompt }) => prompt === now),
});

/** The coordinator is killed, and another one takes the team up. */
async function restart(): Promise<void> {
  const before = product.coordinator() ?? expect.unreachable();
  // Each of them is a new beginning: none is left down because of those before it.
  fs.rmSync(product.paths.revivals, { force: true });
  await product.killCoordinator();
  await product.revived(before);
}

describe.each(['claire', 'cody'])('%s', (agent) => {
  test('E13 --now goes into the running turn and is taken before it ends, a plain message after it; each once, nothing is lost', async () => {
    const [busy, now, plain] = [`busy ${agent}`, `at once ${agent}`, `when you can ${agent}`];
    const gates = gatesOf(agent, busy, now);
    const { record, waiting } = await busyWith(agent, busy, plain);
    const begun = turnsBegun(record);
    const sent = await sendNow(agent, now);
    if (agent === 'cody') {
      // Codex is told to let an answer be whole: what steers it is taken right behind, in the same turn.
      await waitsFor(product, sent, 'unsettled');
      expect(await deliveryOf(waiting)).toMatchObject({ state: 'queued', attempts: 0 });
      gates.busy.release();
    }
    const [urgent] = await reached(product, sent);
    expect(urgent).toMatchObject({ channel: 'protocol', attempts: 1 });
    expect(urgent && lineOfReceipt(urgent)).toContain(now);
    await eventually('the model to hear it', () => asked(agent, now).length > 0);
    await eventually('the answer before it to be over', () => asked(agent, busy)[0]?.outcome !== 'open');
    expect(asked(agent, busy)[0]?.outcome).toBe(agent === 'cody' ? 'answered' : 'abandoned');
    expect(await waitsFor(product, waiting, 'working')).toMatchObject({ state: 'queued', attempts: 0 });
    if (agent === 'cody') expect(turnsBegun(record)).toBe(begun);
    for (const gate of Object.values(gates)) gate.release();
    await allHeardOnce(agent, waiting, [busy, now, plain]);
  });

  test('E13 --now does not end a command that runs: it is taken right behind it, in the same turn, and nothing plain with it', async () => {
    const there = (name: string) => fs.existsSync(`${product.workspace}/${name}-${agent}`);
    const [now, plain] = [`behind the command of ${agent}`, `behind the turn of ${agent}`];
    const command = `touch began-${agent}; while [ ! -e go-${agent} ]; do sleep 0.1; done; touch ended-${agent}`;
    const { waiting } = await busyWith(agent, `[[shell ${command}]] [[say ran]]`, plain);
    await eventually('the command to run', () => there('began'));
    const sent = await sendNow(agent, now);
    expect(await waitsFor(product, sent, 'unsettled')).toMatchObject({ state: 'submitted', attempts: 1 });
    fs.writeFileSync(`${product.workspace}/go-${agent}`, '');
    expect((await reached(product, sent))[0]).toMatchObject({ attempts: 1 });
    expect(there('ended')).toBe(true);
    await reached(product, waiting);
    const heard = await eventually('the model to hear what waited', () => asked(agent, plain)[0]);
    const [behind] = modelOf(agent)
      .requestsWith(command)
      .filter(({ results }) => results.length > 0);
    expect(behind?.history.at(-1)?.text).toContain(now);
    expect(JSON.stringify(behind?.history)).not.toContain(plain);
    expect(heard.history.filter(({ text }) => text.includes(now))).toHaveLength(1);
    await whyWhen(product, agent, 'idle');
  });

  test('E13 L04 a coordinator that comes back finds the running turn, and what went into it', async () => {
    const [busy, now, plain] = [`before ${agent}`, `after a death ${agent}`, `late ${agent}`];
    const gates = gatesOf(agent, busy, now);
    const { record, waiting } = await busyWith(agent, busy, plain);
    const begun = turnsBegun(record);
    await restart();
    const sent = await sendNow(agent, now);
    await waitsFor(product, sent, 'unsettled');
    await restart();
    gates.busy.release();
    expect((await reached(product, sent))[0]).toMatchObject({ attempts: 1 });
    await eventually('the model to hear it', () => asked(agent, now).length > 0);
    if (agent === 'cody') expect(turnsBegun(record)).toBe(begun);
    gates.now.release();
    await allHeardOnce(agent, waiting, [busy, now, plain]);
  });
});

test('E13 M03 a person stops the turn of a Codex before it takes what was put into it: it goes once more, and is heard once', async () => {
  const [busy, now, plain] = ['to be stopped', 'into what is stopped', 'behind what is stopped'];
  const gates = gatesOf('cody', busy, now);
  const { waiting } = await busyWith('cody', busy, plain);
  const sent = await sendNow('cody', now);
  await waitsFor(product, sent, 'unsettled');
  press(product, 'cody', 'Escape');
  await eventually('the turn to be stopped', () => asked('cody', busy)[0]?.outcome === 'abandoned');
  for (const gate of Object.values(gates)) gate.release();
  expect((await reached(product, sent))[0]).toMatchObject({ attempts: 2 });
  await allHeardOnce('cody', waiting, [busy, now, plain]);
  // Nor did its terminal take it for a draft of its person.
  expect(shownBy(product, 'cody').match(/^›.*$/gm)?.at(-1)).not.toContain(now);
});
