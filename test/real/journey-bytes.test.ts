import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mint } from '../../src/kernel/index.ts';
import { INLINE_LIMIT, render } from '../../src/messages/index.ts';
import { sendText } from '../support/calls.ts';
import { CORPUS, escaped, fencedIn } from '../support/corpus.ts';
import { eventually } from '../support/eventually.ts';
import { type Delivery, lifeOf, reached } from '../tmux/journey.ts';
import { CodexStage, channelOf, newOffer, settled } from './codex-stage.ts';
import { call, startPair, whyWhen } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;
beforeAll(async () => {
  product = await RealProduct.open();
  await startPair(product);
});
afterAll(() => product?.end());

const modelOf = (agent: string) => (agent === 'cody' ? product.openai : product.anthropic);

/** Sends a text; resolves with its delivery, and with what the model read between the fences. */
async function heard(agent: string, text: string): Promise<{ delivery: Delivery; body: string }> {
  const message = await sendText(product, agent, text);
  const [delivery] = await reached(product, message);
  if (!delivery) throw new Error('no delivery');
  const read = () =>
    modelOf(agent)
      .turns.flatMap(({ history }) => history)
      .map((entry) => fencedIn(entry.text, delivery.delivery_id))
      .find((body) => body !== undefined);
  return { delivery, body: await eventually('the model to read it', read) };
}

interface Part {
  readonly body: string;
  readonly parts?: number;
}

/** What the model of an agent is told when it asks for these parts of a message, one call after the other. */
async function partsOf(agent: string, message: string, numbers: readonly number[]): Promise<readonly Part[]> {
  const word = `read-${message}-${numbers[0]}`;
  const calls = numbers.map((part) => call('read_message', { message_id: message, part }));
  await sendText(product, agent, `${calls.join(' ')} [[say ${word}]]`);
  const results = await eventually('the answers of the tool', () => {
    const told = modelOf(agent).requestWith(word)?.results ?? [];
    return told.length === numbers.length && told;
  });
  await whyWhen(product, agent, 'idle');
  return results.map((text) => JSON.parse(agent === 'cody' ? JSON.parse(text).at(-1).text : text));
}

/** A whole message, as the model of an agent reads it by its tool. */
async function readByTool(agent: string, message: string): Promise<string> {
  const [first] = await partsOf(agent, message, [1]);
  const others = Array.from({ length: (first?.parts ?? 1) - 1 }, (_, index) => index + 2);
  const rest = others.length === 0 ? [] : await partsOf(agent, message, others);
  return [first, ...rest].map((part) => part?.body).join('');
}

describe.each(['claire', 'cody'])('%s', (agent) => {
  test.each(CORPUS)('E20 %s: the model reads what was sent, over the protocol', async (_, text) => {
    const { delivery, body } = await heard(agent, text);
    expect(delivery).toMatchObject({ channel: 'protocol', attempts: 1 });
    const inline = Buffer.byteLength(text) <= INLINE_LIMIT;
    if (inline) expect(body).toBe(escaped(text));
    else expect(body).toContain(`read_message, message_id ${delivery.message_id}`);
  });

  test.each(CORPUS.filter(([, text]) => /[\u001b\r\u200b]/.test(text) || Buffer.byteLength(text) > INLINE_LIMIT))(
    'E20 %s: the model reads what was sent, by read_message',
    async (_, text) => {
      const message = await sendText(product, agent, text);
      await reached(product, message);
      expect((await readByTool(agent, message)) === text).toBe(true);
    },
  );
});

/** Everything that goes as it is, in one text. */
const HOSTILE = CORPUS.map(([, text]) => text)
  .filter((text) => text.length < 10_000)
  .join('\n');

test.each(['claire', 'cody'])('E20 E13 %s reads what was sent into its running turn', async (agent) => {
  const model = modelOf(agent);
  const gate = model.holdAnswers(({ prompt }) => prompt === `busy ${agent}`);
  try {
    await sendText(product, agent, `busy ${agent}`);
    await eventually('it to work', () => model.requestsWith(`busy ${agent}`).length > 0);
    await whyWhen(product, agent, 'working');
    const message = await sendText(product, agent, HOSTILE, { now: true });
    gate.release();
    const [delivery] = await reached(product, message);
    const read = () =>
      model.turns
        .flatMap(({ history }) => history)
        .map((entry) => fencedIn(entry.text, delivery?.delivery_id ?? ''))
        .find((body) => body !== undefined);
    expect(await eventually('the model to read it', read)).toBe(escaped(HOSTILE));
    await whyWhen(product, agent, 'idle');
  } finally {
    gate.release();
  }
});

/** What neither of them takes in a paste as it is. */
const NEVER_PASTED = [
  'carriage returns',
  'control bytes of both ranges',
  'escape sequences',
  `${INLINE_LIMIT + 1} bytes`,
  '200 kB',
];

test('E20 M03 what Claude Code would change in a paste is read by the tool; the rest is what was sent', async () => {
  fs.rmSync(lifeOf(product, 'claire').handle.socket ?? '');
  // The first one finds out that the inbox is gone.
  await heard('claire', 'over to the terminal');
  const notices: string[] = [];
  for (const [name, text] of CORPUS) {
    const { delivery, body } = await heard('claire', text);
    expect(delivery, name).toMatchObject({ channel: 'paste', attempts: 1 });
    if (body.includes(`read_message, message_id ${delivery.message_id}`)) notices.push(name);
    else expect(body, name).toBe(escaped(text));
  }
  const changed = [
    'right to left, and marks that turn it',
    'planes above the first',
    'what is not seen',
    'separators of lines and paragraphs',
    'blanks, tabs and newlines around',
    'tabs, empty lines, and blanks at ends of lines',
    'headers that look like ours',
    'what wraps messages in CLIs',
  ];
  expect(notices.sort()).toEqual([...NEVER_PASTED, ...changed].sort());
});

test('E20 M03 what Codex would change in a paste is read by the tool; the rest is what was sent', async () => {
  const stage = await CodexStage.open();
  try {
    const life = await stage.ready();
    const channel = channelOf(life.attachment, 'paste');
    const notices: string[] = [];
    for (const [name, body] of CORPUS) {
      const offer = newOffer(life, 'paste');
      const message = { ...MESSAGE, body };
      const rendered = render(message, offer.delivery, mint.nonce(), channel.alters);
      const handed = await eventually('its composer', async () => {
        const answer = await channel.hand(offer, rendered, 'leader');
        return answer.handed !== 'held' && answer;
      });
      expect(handed, name).toEqual({ handed: 'written' });
      await settled(life.attachment, offer, 'taken');
      const texts = () => stage.model.turns.flatMap(({ history }) => history.map(({ text }) => text));
      const read = () => texts().find((text) => text.includes(offer.delivery));
      const heard = fencedIn(await eventually('the model to read it', read), offer.delivery);
      if (heard?.includes('read_message')) notices.push(name);
      else expect(heard, name).toBe(escaped(body));
    }
    expect(notices.sort()).toEqual([...NEVER_PASTED].sort());
  } finally {
    await stage.close();
  }
});

const MESSAGE = {
  message_id: mint.message(),
  sender: 'leader',
  authority: 'leader',
  task_id: null,
  expects: 'nothing',
  recipient: 'worker',
  team: 'crew',
  seq: 1,
} as const;
