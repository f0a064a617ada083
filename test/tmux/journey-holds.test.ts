import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { probeProcess, signalProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import { ask, bodyOf, type Delivery, inputsOf, lifeOf, reached, recordOf, screenOf, start, tmux } from './journey.ts';

/** Plays what a test needs; everything else is heard. */
const rules = `rules:
  - match: '^ask'
    do: [{ ask_approval: "May I?" }, { say: "was {{answer}}" }]
  - match: '^question'
    do: [{ show_dialog: "Read this" }, { say: "read" }]
  - match: '^work'
    do: [{ run: "until [ -e go-$TEAM_AGENT_ID ]; do sleep 0.05; done" }, { say: "worked" }]
  - match: '^draft'
    do: [{ draft: "half typed" }]
  - match: '^hang'
    do: [{ hang: true }]
  - match: '^die'
    do: [{ crash: SIGKILL }]
otherwise: [{ say: "heard" }]
`;

let product: Product;
beforeAll(async () => {
  product = new Product();
  const jobs = ['asks', 'shows', 'works', 'drafts', 'modes', 'types', 'dies', 'killed', 'ttl'];
  const agents = jobs.flatMap((job) => [
    { id: job, script: rules },
    { id: `${job}-p`, script: `channel: paste\n${rules}` },
  ]);
  await start(product, product.writeTeam('crew', agents));
});
afterAll(() => product.end());

const pane = (agent: string): string => lifeOf(product, agent).handle.pane.pane;
const keys = (agent: string, ...pressed: string[]): string => tmux(product, 'send-keys', '-t', pane(agent), ...pressed);
const stateOf = async (agent: string): Promise<string> => {
  const status = await product.json<{ agents: Record<string, { state: string }> }>(['status']);
  return status.agents[agent]?.state ?? 'none';
};
const inState = (agent: string, state: string): Promise<boolean> =>
  eventually(`${agent} to be ${state}`, async () => (await stateOf(agent)) === state);

async function sendTo(agent: string, text: string, ...flags: string[]): Promise<string> {
  const sent = await ask(product, 'send', agent, text, '--expects', 'nothing', ...flags);
  if (!sent.ok) throw new Error(JSON.stringify(sent));
  return sent.message_id;
}

const deliveryOf = async (message: string): Promise<Delivery | undefined> =>
  (await ask(product, 'deliveries', message)).deliveries[0];

const heldFor = (message: string, reason: string): Promise<Delivery> =>
  eventually(`${message} to wait for ${reason}`, async () => {
    const delivery = await deliveryOf(message);
    return delivery?.reason === reason ? delivery : undefined;
  });

describe.each([
  ['protocol', ''],
  ['paste', '-p'],
])('over %s', (_, suffix) => {
  test('M07 an open approval is not touched: the message is held, says why, and comes after the answer', async () => {
    const agent = `asks${suffix}`;
    await reached(product, await sendTo(agent, 'ask'));
    await inState(agent, 'waiting_approval');
    const message = await sendTo(agent, 'y');
    expect(await heldFor(message, 'dialog_open')).toMatchObject({ state: 'held', attempts: 0 });
    // A look of the safety net and of a person change nothing.
    await ask(product, 'why', agent);
    expect(await stateOf(agent)).toBe('waiting_approval');
    await eventually('the question to stand', () => screenOf(product, agent).includes('? May I?'));
    keys(agent, 'n');
    expect((await reached(product, message))[0]?.attempts).toBe(1);
    const said = () => recordOf(product, agent).flatMap((line) => (line.type === 'assistant' ? [line.text] : []));
    await eventually('both to be answered', () => said().length >= 2);
    expect(said()).toEqual(['was denied', 'heard']);
  });

  test('M07 a question that waits for Enter is not answered by a delivery', async () => {
    const agent = `shows${suffix}`;
    await reached(product, await sendTo(agent, 'question'));
    await inState(agent, 'waiting_input');
    const message = await sendTo(agent, 'anything');
    await heldFor(message, 'dialog_open');
    expect(screenOf(product, agent)).toContain('? Read this');
    keys(agent, 'Enter');
    await reached(product, message);
  });

  test('E13 a busy agent gets its next message after its turn', async () => {
    const agent = `works${suffix}`;
    const first = await sendTo(agent, 'work');
    const second = await sendTo(agent, 'then this');
    await reached(product, first);
    const waiting = await deliveryOf(second);
    expect(waiting).toMatchObject({ state: 'queued', attempts: 0 });
    fs.writeFileSync(path.join(product.workspace, `go-${agent}`), '');
    expect((await reached(product, second))[0]?.attempts).toBe(1);
    const order = () =>
      recordOf(product, agent).flatMap((line) =>
        line.type === 'user' ? [bodyOf(line.text)] : line.type === 'turn' ? [line.state] : [],
      );
    await eventually('both turns to end', () => order().length >= 6);
    expect(order()).toEqual(['work', 'started', 'ended', 'then this', 'started', 'ended']);
  });

  test('M06 half-typed text survives a delivery', async () => {
    const agent = `types${suffix}`;
    keys(agent, '-l', 'a half typed thought');
    await eventually('the draft', () => screenOf(product, agent).includes('> a half typed thought'));
    const message = await sendTo(agent, 'not in the way');
    if (suffix === '') await reached(product, message);
    else expect(await heldFor(message, 'draft_in_composer')).toMatchObject({ state: 'held', attempts: 0 });
    expect(screenOf(product, agent)).toContain('> a half typed thought');
    keys(agent, '-l', ' of mine');
    keys(agent, 'Enter');
    await eventually('what was typed', () =>
      inputsOf(product, agent).some(({ text }) => text === 'a half typed thought of mine'),
    );
    await reached(product, message);
    expect(inputsOf(product, agent).filter(({ text }) => text.includes('not in the way'))).toHaveLength(1);
  });

  test('M06 a draft of the agent itself survives a delivery', async () => {
    const agent = `drafts${suffix}`;
    await reached(product, await sendTo(agent, 'draft'));
    await eventually('the draft', () => screenOf(product, agent).includes('> half typed'));
    const message = await sendTo(agent, 'while you type');
    if (suffix === '') await reached(product, message);
    else await heldFor(message, 'draft_in_composer');
    expect(screenOf(product, agent)).toContain('> half typed');
    keys(agent, 'C-c');
    await reached(product, message);
    expect(inputsOf(product, agent).map(({ text }) => bodyOf(text))).toEqual(['draft', 'while you type']);
  });

  test('M05 what is not delivered in time is dead, and the leader is told once', async () => {
    const agent = `ttl${suffix}`;
    await reached(product, await sendTo(agent, 'hang'));
    const message = await sendTo(agent, 'too late soon', '--ttl', '1');
    expect((await reached(product, message, ['dead']))[0]).toMatchObject({ reason: 'expired', attempts: 0 });
    const { messages } = await ask(product, 'inbox', 'leader', '--limit', '100');
    expect(messages.filter(({ body }) => body.includes(message))).toEqual([
      expect.objectContaining({ sender: 'team-agent', body: expect.stringContaining('was not read in time') }),
    ]);
    expect(inputsOf(product, agent).map(({ text }) => bodyOf(text))).toEqual(['hang']);
  });

  test('M01 an agent that is killed while messages wait: they wait on, and the status says for what', async () => {
    const agent = `killed${suffix}`;
    await reached(product, await sendTo(agent, 'hang'));
    const message = await sendTo(agent, 'for whoever comes');
    const { pid, start: began } = recordOf(product, agent).flatMap((line) =>
      line.type === 'session' ? [line] : [],
    )[0] ?? {
      pid: 0,
      start: '',
    };
    signalProcess({ pid, start: began }, 'SIGKILL');
    await eventually('its end', () => probeProcess({ pid, start: began }) === 'dead');
    expect(await heldFor(message, 'agent_not_running')).toMatchObject({ state: 'held', attempts: 0 });
    expect(await stateOf(agent)).toBe('exited');
    const ended = product.rows(`select exit from incarnations where agent_id = '${agent}'`);
    expect(ended).toEqual([{ exit: expect.stringMatching(/^code 137 /) }]);
    const later = await sendTo(agent, 'and this');
    expect((await heldFor(later, 'agent_not_running')).state).toBe('held');
  });

  test('M01 an agent that dies while it reads has read: consumed, and the next one waits', async () => {
    const agent = `dies${suffix}`;
    const first = await sendTo(agent, 'die');
    const second = await sendTo(agent, 'next');
    expect((await reached(product, first))[0]).toMatchObject({ state: 'consumed', attempts: 1 });
    await heldFor(second, 'agent_not_running');
  });
});

test('E14 E16 a pane in copy-mode takes no paste and keeps nothing of it: held, then delivered once when the mode ends', async () => {
  tmux(product, 'copy-mode', '-t', pane('modes-p'));
  const message = await sendTo('modes-p', 'after the mode');
  expect(await heldFor(message, 'pane_in_mode')).toMatchObject({ state: 'held', attempts: 0 });
  expect(tmux(product, 'list-buffers')).toBe('');
  tmux(product, 'send-keys', '-t', pane('modes-p'), '-X', 'cancel');
  expect((await reached(product, message))[0]?.attempts).toBe(1);
  expect(inputsOf(product, 'modes-p').map(({ text }) => bodyOf(text))).toEqual(['after the mode']);
  await eventually('an empty composer', () => /\n>\s*\n--/.test(screenOf(product, 'modes-p')));
});

test('E14 copy-mode does not matter to an agent with a protocol', async () => {
  tmux(product, 'copy-mode', '-t', pane('modes'));
  await reached(product, await sendTo('modes', 'in the mode'));
  expect(tmux(product, 'display-message', '-p', '-t', pane('modes'), '#{pane_in_mode}').trim()).toBe('1');
});
