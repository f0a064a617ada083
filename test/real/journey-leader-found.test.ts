import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ask } from '../tmux/journey.ts';
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
  await terminal.end();
  await product.end();
});

const START = `start [[shell ${TEAM_AGENT} quick-start docs/solo]] [[say STARTED]]`;

test('D05 N01 Z46 Z47 a Claude Code that a person started by itself leads the team that it starts', async () => {
  terminal.run(['claude', '--permission-mode', 'manual', '--allowedTools', 'Bash', '--', START]);
  await terminal.shows(/^● STARTED/m);
  expect(await leaderOf(product)).toMatchObject({ receiver: 'claude', epoch: 1, identity: { provider: 'claude' } });
  await ask(product, 'send', 'sam', '--task', 't', 'work');
  await terminal.shows('done: work');
  const notice = await eventually('its receipt', async () => {
    const { deliveries } = await ask(product, 'deliveries');
    return deliveries.find(({ to, state }) => to === 'leader' && state === 'consumed');
  });
  expect(notice).toMatchObject({ channel: 'protocol', attempts: 1 });
  await terminal.type(`tell [[shell ${TEAM_AGENT} send sam more]] [[say TOLD]]`);
  await terminal.shows(/^● TOLD/m);
  const letters = (await ask(product, 'inbox', 'sam')).messages;
  expect(letters.map(({ sender, body }) => [sender, body])).toEqual([
    ['person', 'work'],
    ['leader', 'more'],
  ]);
});

test('D05 E08 in a mode that holds mail the leader takes it by a command that waits in the background', async () => {
  const words = ['--dangerously-skip-permissions', '--settings', '{"skipDangerousModePermissionPrompt":true}'];
  terminal.run(['claude', ...words, '--', START], { IS_SANDBOX: '1' });
  await terminal.shows(/^● STARTED/m);
  expect(await leaderOf(product)).toMatchObject({ receiver: 'claude' });
  const told = product.anthropic.turns.at(-1)?.results.join('\n').replace(/\s+/g, ' ');
  expect(told).toContain('team-agent wait --mail');
  await terminal.type(`wait [[background ${TEAM_AGENT} wait --mail --timeout 60]] [[say WAITING]]`);
  await terminal.shows(/^● WAITING/m);
  await ask(product, 'send', 'sam', '--task', 't', 'work');
  await ask(product, 'wait', '--task', 't', '--timeout', '20');
  const woken = () => product.anthropic.turns.some(({ prompt }) => prompt === 'a background task has ended');
  await eventually('the end of the command to wake the conversation', woken);
  const { deliveries } = await ask(product, 'deliveries');
  expect(deliveries.find(({ to }) => to === 'leader')).toMatchObject({ state: 'consumed', channel: 'mailbox' });
  expect(terminal.screen()).not.toMatch(/held|Deny/);
});

test('D05 D06 a plain shell starts a team without leading it: its mail waits in the mailbox', async () => {
  terminal.run(['sh', '-c', `${TEAM_AGENT} quick-start docs/solo; exec cat`]);
  await terminal.shows('next:');
  expect(await leaderOf(product)).toMatchObject({ receiver: 'mailbox', epoch: 0, identity: null });
  await ask(product, 'send', 'sam', 'work', '--wait=result');
  const { deliveries } = await ask(product, 'deliveries');
  expect(deliveries.find(({ to }) => to === 'leader')).toMatchObject({ state: 'held', reason: 'leader_unbound' });
});
