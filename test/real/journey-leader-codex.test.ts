import fs from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ask } from '../tmux/journey.ts';
import { leadsOnAfterCrash, turnsToldOf } from './crash-stage.ts';
import { managesMembers } from './members-stage.ts';
import { call, leaderOf, lineOfReceipt } from './stage.ts';
import { TEAM_AGENT, UserTerminal } from './user-terminal.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;
let terminal: UserTerminal;
let config: string;

beforeAll(async () => {
  product = await RealProduct.open();
  config = fs.readFileSync(`${product.home.codex}/config.toml`, 'utf8');
  terminal = new UserTerminal(product);
  product.writeTeam('duo', [
    { id: 'claire', provider: 'claude' },
    { id: 'sam', provider: 'scripted' },
  ]);
});
afterAll(async () => {
  await terminal?.end();
  await product?.end();
});

test('N02 D02 the shell of a Codex in its sandbox is told what to do, and starts nothing', async () => {
  terminal.run([TEAM_AGENT, 'codex']);
  await terminal.shows('Ask Codex');
  await terminal.type(`start [[shell ${TEAM_AGENT} --json quick-start docs/duo]] [[say TRIED]]`);
  await terminal.shows(/^• TRIED/m);
  const said = product.openai.turns.at(-1)?.results.join('');
  expect(said).toContain('"reason": "sandboxed_caller"');
  expect(product.rows('select * from teams')).toEqual([]);
});

test('N02 D05 it leads the team that the person starts beside it', async () => {
  const started = await product.json<{ leader: object }>(['quick-start', 'docs/duo']);
  expect(started).toMatchObject({ ok: true, leader: { receiver: 'codex', epoch: 1 } });
  await terminal.type(`tell [[escalate ${TEAM_AGENT} send sam hello]] [[say TOLD]]`);
  await terminal.letsCodexRun();
  await terminal.shows(/^• TOLD/m);
  const letters = (await ask(product, 'inbox', 'sam')).messages;
  expect(letters.map(({ sender, body }) => [sender, body])).toEqual([['leader', 'hello']]);
});

test('N02 E07 F05 what the leader gives away comes back into its conversation, each once', async () => {
  const work = `go ${call('report_result', { summary: 'CLAIRE-DONE' })}`;
  await terminal.type(`give ${call('assign_task', { to: 'claire', task: 'look', content: work })} [[say GIVEN]]`);
  const notice = await eventually('its receipt', async () => {
    const { deliveries } = await ask(product, 'deliveries');
    return deliveries.find(({ to, state }) => to === 'leader' && state === 'consumed');
  });
  expect(notice).toMatchObject({ channel: 'protocol', attempts: 1 });
  await eventually('its rollout to hold it', () => lineOfReceipt(notice)?.includes(notice.delivery_id));
  const told = () => turnsToldOf(product, 'codex', 'CLAIRE-DONE');
  await eventually('the model of the leader to be told', () => told().length > 0);
  expect(told()).toHaveLength(1);
});

test('G06 G08 G10 the leader adds, forks, stops and removes agents by its tools, with the environment of its team', () =>
  managesMembers(product, terminal, 'codex'));

test('M10 E22 a coordinator that was killed knows who leads, and tells of each result once', () =>
  leadsOnAfterCrash(product, 'codex'));

test('D04 E08 the conversation ends with its server, its team lives on, and its mail waits', async () => {
  await terminal.type('/quit');
  await eventually('the conversation to end', () => terminal.sessions().length === 0);
  await eventually('the mailbox to take over', async () => (await leaderOf(product)).receiver === 'mailbox');
  await ask(product, 'send', 'sam', '--task', 'four', 'four!', '--wait=result');
  const { deliveries } = await ask(product, 'deliveries');
  const last = deliveries.filter(({ to }) => to === 'leader').at(-1);
  expect(last).toMatchObject({ state: 'held', reason: 'leader_unbound' });
  expect(fs.readFileSync(`${product.home.codex}/config.toml`, 'utf8')).toBe(config);
});
