import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { deliver, lifeOf, reached, tmux } from '../tmux/journey.ts';
import { press, sendTo, shownBy, waitsFor } from './person.ts';
import { paneOf, quickStart, whyWhen } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;

beforeAll(async () => {
  product = await RealProduct.open();
  const folder = product.writeTeam('crew', [
    { id: 'claire', provider: 'claude' },
    { id: 'cody', provider: 'codex' },
    { id: 'cleo', provider: 'claude' },
  ]);
  await quickStart(product, folder);
});
afterAll(() => product?.end());

const modelOf = (agent: string) => (agent === 'cody' ? product.openai : product.anthropic);

/** The requests in which a model was asked with exactly this text. */
const asked = (agent: string, text: string) => modelOf(agent).turns.filter(({ prompt }) => prompt === text);

/** Lets an agent work on `text` until the gate that this returns is released. */
async function worksOn(agent: string, text: string) {
  const gate = modelOf(agent).holdAnswers(({ prompt }) => prompt === text);
  await reached(product, await sendTo(product, agent, text));
  await eventually(`${agent} to work`, () => asked(agent, text).length > 0);
  await whyWhen(product, agent, 'working');
  return gate;
}

const inMode = (agent: string): string =>
  tmux(product, 'display-message', '-p', '-t', paneOf(product, agent), '#{pane_in_mode}').trim();

describe.each(['claire', 'cody'])('%s', (agent) => {
  test('M06 half-typed text survives a delivery, and Enter sends it as it was typed', async () => {
    const draft = `a half typed thought for ${agent}`;
    press(product, agent, '-l', draft);
    await eventually('the draft', () => shownBy(product, agent).includes(draft));
    const delivery = await deliver(product, agent, `not in the way of ${agent}`, '--expects', 'nothing');
    expect(delivery).toMatchObject({ channel: 'protocol', attempts: 1 });
    await eventually('the model to hear it', () => asked(agent, `not in the way of ${agent}`).length > 0);
    await whyWhen(product, agent, 'idle');
    expect(shownBy(product, agent)).toMatch(new RegExp(`^[❯›][\\s\\u00a0]${draft}\\s*$`, 'm'));
    expect(asked(agent, draft)).toEqual([]);
    press(product, agent, 'Enter');
    await eventually('the model to hear what was typed', () => asked(agent, draft).length > 0);
    await whyWhen(product, agent, 'idle');
    expect(asked(agent, draft)).toHaveLength(1);
  });

  test('E13 a busy agent takes what waited after its turn, in order, each in a turn of its own', async () => {
    const texts = [1, 2].map((number) => `number ${number} for ${agent}`);
    const gate = await worksOn(agent, `busy ${agent}`);
    const waiting: string[] = [];
    for (const text of texts) waiting.push(await sendTo(product, agent, `${text} [[say did ${text}]]`));
    for (const message of waiting)
      expect(await waitsFor(product, message, 'working')).toMatchObject({ state: 'queued', attempts: 0 });
    expect(asked(agent, `busy ${agent}`)).toHaveLength(1);
    gate.release();
    for (const message of waiting) expect((await reached(product, message))[0]).toMatchObject({ attempts: 1 });
    for (const [index, text] of texts.entries()) {
      const request = await eventually(`the turn of ${text}`, () => modelOf(agent).requestsWith(text)[0]);
      expect(modelOf(agent).requestsWith(text)).toHaveLength(1);
      const said = request.history.findLast(({ kind }) => kind === 'answer')?.text;
      expect(said).toContain(index === 0 ? `heard: busy ${agent}` : `did ${texts[index - 1]}`);
    }
    await whyWhen(product, agent, 'idle');
  });

  test('E14 copy-mode does not matter to an agent with a protocol', async () => {
    tmux(product, 'copy-mode', '-t', paneOf(product, agent));
    await deliver(product, agent, `in the mode of ${agent}`, '--expects', 'nothing');
    await eventually('the model to hear it', () => asked(agent, `in the mode of ${agent}`).length > 0);
    expect(inMode(agent)).toBe('1');
    tmux(product, 'send-keys', '-t', paneOf(product, agent), '-X', 'cancel');
    await whyWhen(product, agent, 'idle');
  });
});

test('M03 E14 without its inbox Claude Code gets what is still queued by paste, not before its pane leaves copy-mode, and once', async () => {
  const gate = await worksOn('cleo', 'busy cleo');
  const first = await sendTo(product, 'cleo', 'the first by paste');
  const second = await sendTo(product, 'cleo', 'the second by paste');
  await waitsFor(product, first, 'working');
  tmux(product, 'copy-mode', '-t', paneOf(product, 'cleo'));
  fs.rmSync(lifeOf(product, 'cleo').handle.socket ?? '');
  gate.release();
  expect(await waitsFor(product, first, 'pane_in_mode')).toMatchObject({ state: 'held' });
  expect(tmux(product, 'list-buffers')).toBe('');
  expect(inMode('cleo')).toBe('1');
  tmux(product, 'send-keys', '-t', paneOf(product, 'cleo'), '-X', 'cancel');
  for (const message of [first, second]) {
    const [delivery] = await reached(product, message);
    expect(delivery).toMatchObject({ channel: 'paste' });
  }
  for (const text of ['the first by paste', 'the second by paste']) {
    await eventually(`the turn of ${text}`, () => asked('cleo', text).length > 0);
  }
  await whyWhen(product, 'cleo', 'idle');
  for (const text of ['busy cleo', 'the first by paste', 'the second by paste']) {
    expect(asked('cleo', text), text).toHaveLength(1);
  }
});
