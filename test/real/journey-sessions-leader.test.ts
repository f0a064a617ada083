import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ask } from '../tmux/journey.ts';
import { leadsOnAfterCrash } from './crash-stage.ts';
import { leaderOf } from './stage.ts';
import { TEAM_AGENT, UserTerminal } from './user-terminal.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;
let terminal: UserTerminal;

beforeEach(async () => {
  product = await RealProduct.open();
  terminal = new UserTerminal(product);
  product.writeTeam('solo', [{ id: 'sam', provider: 'scripted' }]);
});
afterEach(async () => {
  await terminal?.end();
  await product?.end();
});

/** The session that a leading conversation was handed to the ledger with last. */
function ledgerSession(): string {
  const [row] = product.rows('select handle from leaders where ended_at is null');
  return JSON.parse(String(row?.handle)).session;
}

/** Waits until the ledger knows that the conversation that leads works on another session. */
const movedFrom = (before: string): Promise<unknown> =>
  eventually('the other session to be known', () => ledgerSession() !== before);

/** How often the sessions of the leader hold a result, each as its model was shown it last. */
function shown(leader: 'claude' | 'codex', task: string): number {
  const turns = leader === 'claude' ? product.anthropic.turns : product.openai.turns;
  const newest = new Map(turns.map((request) => [request.session, request.history]));
  const texts = [...newest.values()].flatMap((history) => history.map(({ text }) => text));
  return texts.reduce((sum, text) => sum + text.split(` for task ${task}: `).length - 1, 0);
}

/**
 * Waits until the leader was told of the result of each task, and expects that it was told once. What is handed to a session
 * in the moment in which it is cleared is dropped by Claude Code and offered again.
 */
async function toldOnce(leader: 'claude' | 'codex', ...tasks: string[]): Promise<void> {
  for (const task of tasks) await eventually(`the leader to be told of ${task}`, () => shown(leader, task) > 0);
  const toLeader = async () => (await ask(product, 'deliveries')).deliveries.filter(({ to }) => to === 'leader');
  await eventually('nothing to wait', async () => (await toLeader()).every(({ state }) => state === 'consumed'));
  for (const task of tasks) expect(shown(leader, task), task).toBe(1);
}

async function work(task: string): Promise<void> {
  await ask(product, 'send', 'sam', '--task', task, `do ${task}`);
  await ask(product, 'wait', '--task', task, '--timeout', '20');
}

const START = `start [[shell ${TEAM_AGENT} quick-start docs/solo]] [[say STARTED]]`;
const MANUAL = ['--permission-mode', 'manual', '--allowedTools', 'Bash'];

describe.each([
  ['that the person started by itself', ['claude', ...MANUAL]],
  ['of the launcher', [TEAM_AGENT, 'claude', ...MANUAL]],
])('a Claude Code %s leads', (_whose, command) => {
  test('M12 D05 claude: /clear and /resume in its terminal: the same leader, its mail goes on, each once', async () => {
    terminal.run([...command, '--', START]);
    await terminal.shows(/^● STARTED/m);
    const first = ledgerSession();
    await work('one');
    await toldOnce('claude', 'one');

    const gate = product.anthropic.holdAnswers();
    await terminal.type('think [[say THOUGHT]]');
    await eventually('the leader to think', () => product.anthropic.requestsWith('THOUGHT').length > 0);
    for (const task of ['two', 'three']) await work(task);
    await terminal.type('/clear');
    await terminal.shows(/Queued/);
    gate.release();
    await toldOnce('claude', 'two', 'three');
    await movedFrom(first);
    const second = ledgerSession();

    await terminal.type('/clear');
    await movedFrom(second);
    await work('four');
    await toldOnce('claude', 'four');
    await leadsOnAfterCrash(product, 'claude');

    const third = ledgerSession();
    await terminal.type(`/resume ${first}`);
    await movedFrom(third);
    expect(ledgerSession()).toBe(first);
    await work('five');
    await toldOnce('claude', 'five');
    await terminal.type(`tell [[shell ${TEAM_AGENT} send sam more]] [[say TOLD]]`);
    await terminal.shows(/^● TOLD/m);
    expect((await ask(product, 'inbox', 'sam')).messages.at(-1)).toMatchObject({ sender: 'leader', body: 'more' });
    expect(await leaderOf(product)).toMatchObject({ receiver: 'claude', epoch: 1 });
  });
});

test('M12 D05 codex: /new in the terminal of a Codex that leads: the same leader, its mail goes on, each once', async () => {
  terminal.run([TEAM_AGENT, 'codex']);
  await terminal.shows('Ask Codex');
  expect(await product.json(['quick-start', 'docs/solo'])).toMatchObject({ ok: true, leader: { receiver: 'codex' } });
  const first = ledgerSession();
  await work('one');
  await toldOnce('codex', 'one');
  await terminal.type('/new');
  await movedFrom(first);
  const second = ledgerSession();
  await work('two');
  await toldOnce('codex', 'two');
  expect(product.openai.requestWith('do two')?.session).toBe(second);
  await terminal.shows('do two');
  const request = product.openai.requestWith('do two');
  expect(JSON.stringify([request?.system, request?.history])).toContain('lead');
  await leadsOnAfterCrash(product, 'codex');
  await terminal.type(`/resume ${first}`);
  await terminal.shows('do one');
  await terminal.type('here again');
  await movedFrom(second);
  expect(ledgerSession()).toBe(first);
  await work('three');
  await toldOnce('codex', 'three');
  expect(await leaderOf(product)).toMatchObject({ receiver: 'codex', epoch: 1 });
});
