import fs from 'node:fs';
import path from 'node:path';
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

beforeAll(async () => {
  product = await RealProduct.open();
  terminal = new UserTerminal(product);
  const agents = [
    { id: 'cody', provider: 'codex', tools: ['fs_read', 'fs_write', 'execute_bash'] },
    { id: 'sam', provider: 'scripted' },
  ] as const;
  product.writeTeam('duo', agents, 'approvals: leader\n');
});
afterAll(async () => {
  await terminal?.end();
  await product?.end();
});

test('N01 D02 D05 team-agent claude leads the team that it starts itself', async () => {
  const start = `start [[shell ${TEAM_AGENT} quick-start docs/duo]] [[say STARTED]]`;
  terminal.run([
    TEAM_AGENT,
    'claude',
    '--permission-mode',
    'manual',
    '--allowedTools',
    'Bash',
    '--model',
    'claude-sonnet-5',
    '--',
    start,
  ]);
  await terminal.shows(/^● STARTED/m);
  expect(await leaderOf(product)).toMatchObject({ receiver: 'claude', epoch: 1 });
  const [request] = product.anthropic.turns;
  expect(request).toMatchObject({ model: 'claude-sonnet-5', system: expect.stringContaining('You can lead a team') });
});

/**
 * What the leader's model can call of the team's tools. Claude Code asks about the first words without waiting for its MCP
 * servers: the tools of one that connects later are named in a note, for its ToolSearch, and this model's requests stay
 * without them. The person says something until either is there.
 */
async function teamTools(): Promise<readonly string[]> {
  let looks = 0;
  return eventually('its model to be offered the tools of the team', async () => {
    looks += 1;
    await terminal.type(`look ${looks} [[say LOOKED-${looks}]]`);
    await terminal.shows(new RegExp(`^● LOOKED-${looks}\\b`, 'm'));
    const turn = product.anthropic.turns.at(-1);
    const notes = turn?.history.filter(({ kind }) => kind === 'note').map(({ text }) => text) ?? [];
    const named = notes.flatMap((text) => text.match(/^mcp__team__\w+$/gm) ?? []);
    const tools = [...(turn?.tools ?? []), ...named].filter((tool) => tool.startsWith('mcp__team__'));
    return tools.length > 0 ? tools : undefined;
  });
}

test('N01 E07 F05 what the leader gives away comes back into its conversation, each once', async () => {
  const tools = await teamTools();
  expect(tools).toEqual(expect.arrayContaining(['mcp__team__assign_task', 'mcp__team__send_message']));
  expect(tools).not.toContain('mcp__team__report_result');
  const work = `go ${call('report_result', { summary: 'CODY-DONE' })}`;
  await terminal.type(`give ${call('assign_task', { to: 'cody', task: 'look', content: work })} [[say GIVEN]]`);
  const told = () => turnsToldOf(product, 'claude', 'CODY-DONE');
  await eventually('the model of the leader to be told', () => told().length > 0);
  expect(told()).toHaveLength(1);
  const notice = await eventually('its receipt', async () => {
    const { deliveries } = await ask(product, 'deliveries');
    return deliveries.find(({ to, state }) => to === 'leader' && state === 'consumed');
  });
  expect(notice).toMatchObject({ channel: 'protocol', attempts: 1, receipt: { offset: expect.any(Number) } });
  expect(lineOfReceipt(notice)).toContain(notice.delivery_id);
});

test('E07 results that come together reach the leader in one turn', async () => {
  const gate = product.anthropic.holdAnswers();
  await terminal.type('think [[say THOUGHT]]');
  await eventually('the leader to think', () => product.anthropic.requestsWith('THOUGHT').length > 0);
  for (const task of ['one', 'two', 'three']) await ask(product, 'send', 'sam', '--task', task, `${task}!`);
  for (const task of ['one', 'two', 'three']) await ask(product, 'wait', '--task', task, '--timeout', '20');
  gate.release();
  await eventually('all three to be consumed', async () => {
    const { deliveries } = await ask(product, 'deliveries');
    return deliveries.filter(({ to, state }) => to === 'leader' && state === 'consumed').length === 4;
  });
  const turns = product.anthropic.turns.filter(({ prompt }) => /^Result r_[\s\S]*done: (one|two|three)!/.test(prompt));
  expect(turns).toHaveLength(1);
  const read = turns[0]?.history.findLast(({ kind }) => kind === 'user')?.text;
  expect(read).toMatch(/done: one![\s\S]*done: two![\s\S]*done: three!/);
});

test('G06 G08 G10 the leader adds, forks, stops and removes agents by its tools, with the environment of its team', () =>
  managesMembers(product, terminal, 'claude'));

test('N03 the leader answers what an agent asks, where its team lets it', async () => {
  await ask(product, 'send', 'cody', '--expects', 'nothing', '[[escalate touch allowed]] [[say ALLOWED]]');
  const open = async () => (await product.json<{ approvals: { text: string }[] }>(['approvals'])).approvals;
  await eventually('cody to ask', async () => (await open()).length > 0);
  await terminal.type(`answer [[shell ${TEAM_AGENT} approve cody]] [[say APPROVED]]`);
  await terminal.shows(/^● APPROVED/m);
  await eventually('the command to run', () => fs.existsSync(path.join(product.workspace, 'allowed')));
  const decided = product.rows("select actor, data from events where type = 'approval.decided'");
  expect(decided).toEqual([{ actor: 'leader', data: expect.stringContaining('approve') }]);
});

test('M10 E22 a coordinator that was killed knows who leads, and tells of each result once', () =>
  leadsOnAfterCrash(product, 'claude'));

test('D04 E08 the conversation ends, its team lives on, and its mail waits', async () => {
  await terminal.type('/exit');
  await eventually('the conversation to end', () => terminal.sessions().length === 0);
  await eventually('the mailbox to take over', async () => (await leaderOf(product)).receiver === 'mailbox');
  await ask(product, 'send', 'sam', '--task', 'four', 'four!');
  const done = await ask(product, 'wait', '--task', 'four', '--timeout', '20');
  expect(done.results).toHaveLength(1);
  const { deliveries } = await ask(product, 'deliveries');
  expect(deliveries.filter(({ to }) => to === 'leader').at(-1)).toMatchObject({
    state: 'held',
    reason: 'leader_unbound',
  });
});
