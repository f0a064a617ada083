import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { deliver, tmux } from '../tmux/journey.ts';
import { shownBy } from './person.ts';
import { lineOfReceipt, paneOf, quickStart, why, whyWhen } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;

beforeAll(async () => {
  product = await RealProduct.open({ claudeRetries: 1, codexRetries: 1, environment: { IS_SANDBOX: '1' } });
  const folder = product.writeTeam('states', [
    { id: 'claire', provider: 'claude' },
    { id: 'cody', provider: 'codex' },
    { id: 'beth', provider: 'claude', tools: ['execute_bash'], head: 'permission_mode: bypass\n' },
  ]);
  await quickStart(product, folder, '--yes');
});
afterAll(() => product?.end());

const modelOf = (agent: string) => (agent === 'cody' ? product.openai : product.anthropic);

/** The next message works, and the agent is idle afterwards. */
async function worksAgain(agent: string, word: string): Promise<void> {
  const next = await deliver(product, agent, `go on [[say ${word}]]`, '--expects', 'nothing');
  expect(next).toMatchObject({ state: 'consumed', channel: 'protocol', attempts: 1 });
  await eventually(`${agent} to be asked`, () => modelOf(agent).requestWith(word)?.outcome === 'answered');
  await whyWhen(product, agent, 'idle');
}

test.each([
  ['claire', '[[error 401 always]]', /^401: authentication_failed/],
  ['claire', '[[error 429 always]]', /^429: rate_limit/],
  ['claire', '[[error 500 always]]', /^500: server_error/],
  ['claire', '[[error 529 always]]', /^529: server_error/],
  ['claire', '[[cut always]]', /^connection_failed/],
  ['cody', '[[error 401 always]]', /failed: 401 /],
  ['cody', '[[error 429 always]]', /failed: 429 response_too_many_failed_attempts/],
  ['cody', '[[error 500 always]]', /failed: 500 internal_server_error/],
  ['cody', '[[error 400 always]]', /failed: 400 bad_request/],
  ['cody', '[[cut always]]', /failed: cut/],
])(
  'N04 M02 %s after %s: its message is consumed, the state says why the turn failed, the next one works',
  async (agent, fault, because) => {
    const word = `${agent}-${fault.replace(/\W+/g, '-')}`;
    const text = `try ${word} ${fault} [[say a long answer of ${word}]]`;
    const taken = await deliver(product, agent, text, '--expects', 'nothing');
    expect(taken).toMatchObject({ state: 'consumed', attempts: 1 });
    expect(lineOfReceipt(taken)).toContain(taken.delivery_id);
    await whyWhen(product, agent, 'provider_error', because);
    const outcomes = modelOf(agent)
      .requestsWith(word)
      .map(({ outcome }) => outcome);
    expect(new Set(outcomes)).toEqual(new Set([fault.startsWith('[[cut') ? 'cut' : 'refused']));
    await worksAgain(agent, `fine-after-${fault.replace(/\W+/g, '-')}`);
  },
);

test.each([
  ['claire', 1, /gave no whole answer; it tries again \(attempt 2\)/],
  // Codex repeats a request once without a word before it says that its stream was lost.
  ['cody', 2, /tries again after response_stream_disconnected/],
])('N04 %s says that it tries again while it does', async (agent, errors, because) => {
  const model = modelOf(agent);
  const word = `RETRY-${agent}`;
  const gate = model.holdAnswers(({ prompt }) => prompt.includes(word) && model.requestsWith(word).length > errors);
  await deliver(product, agent, `${word} [[error 500 ${errors}]] [[say well]]`, '--expects', 'nothing');
  await eventually('the next try', () => model.requestsWith(word).length > errors);
  await whyWhen(product, agent, 'provider_error', because);
  gate.release();
  await whyWhen(product, agent, 'idle');
});

test.each(['claire', 'cody'])('N04 %s is working as long as its model is silent, then idle', async (agent) => {
  const gate = modelOf(agent).holdAnswers();
  await deliver(product, agent, `think QUIET-${agent} [[say thought]]`, '--expects', 'nothing');
  await eventually('the model to be asked', () => modelOf(agent).requestWith(`QUIET-${agent}`));
  expect((await why(product, agent)).state).toBe('working');
  gate.release();
  await whyWhen(product, agent, 'idle');
});

test.each(['claire', 'cody'])(
  'N04 %s is interrupted by a person: the state says so, and the next message runs',
  async (agent) => {
    const gate = modelOf(agent).holdAnswers();
    await deliver(product, agent, `think LONG-${agent} [[say thought]]`, '--expects', 'nothing');
    await eventually('the model to be asked', () => modelOf(agent).requestWith(`LONG-${agent}`));
    // Its terminal may know of the turn later than its model: before that Escape means nothing.
    await eventually('its terminal to show the turn', () => shownBy(product, agent).includes('esc to interrupt'));
    tmux(product, 'send-keys', '-t', paneOf(product, agent), 'Escape');
    await whyWhen(product, agent, 'interrupted');
    gate.release();
    await worksAgain(agent, `after-escape-${agent}`);
  },
);

test('N04 a Claude Code whose command runs in the background is working, and takes mail', async () => {
  const end = path.join(product.workspace, 'end-of-background');
  const command = `until [ -e '${end}' ]; do sleep 0.1; done`;
  await deliver(product, 'beth', `start it [[background ${command}]] [[say started]]`, '--expects', 'nothing');
  await eventually('the turn to be over', () => product.anthropic.requestsWith('start it').length >= 2);
  await whyWhen(product, 'beth', 'working', /shell|background/);
  await deliver(product, 'beth', 'besides [[say fine]]', '--expects', 'nothing');
  fs.writeFileSync(end, '');
  await whyWhen(product, 'beth', 'idle');
});

test('N04 a Claude Code whose sub-agent runs in the background is working', async () => {
  const gate = product.anthropic.holdAnswers(({ prompt }) => prompt === 'SUBWORK');
  const input = { description: 'look around', prompt: 'SUBWORK', subagent_type: 'general-purpose' };
  await deliver(product, 'beth', `use [[tool Agent ${JSON.stringify(input)}]] [[say used]]`, '--expects', 'nothing');
  await eventually('the sub-agent to ask', () => product.anthropic.turns.some(({ prompt }) => prompt === 'SUBWORK'));
  await whyWhen(product, 'beth', 'working', /look around/);
  gate.release();
  await whyWhen(product, 'beth', 'idle');
});
