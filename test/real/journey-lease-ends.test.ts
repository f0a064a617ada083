import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identifyProcess, probeProcess, shellWord, signalProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { ask, lifeOf } from '../tmux/journey.ts';
import { holderOf, leadEvents, Terminals } from './lease-stage.ts';
import { leaderOf } from './stage.ts';
import { TEAM_AGENT } from './user-terminal.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;
let terminals: Terminals;

beforeEach(async () => {
  product = await RealProduct.open();
  terminals = new Terminals(product);
  product.writeTeam('solo', [{ id: 'sam', provider: 'scripted' }]);
  await ask(product, 'quick-start', 'docs/solo');
});
afterEach(async () => {
  await terminals?.end();
  await product?.end();
});

test.each([
  ['claude', ['--permission-mode', 'manual'], 'manual mode'],
  ['codex', [], 'Ask Codex'],
] as const)(
  'D04 Z57 two interrupts end what team-agent %s started, and nothing else',
  async (provider, words, ready) => {
    const terminal = terminals.run([TEAM_AGENT, provider, ...words]);
    await terminal.shows(ready);
    const launcher = Number(terminal.tmux('display-message', '-p', '-t', '=person:', '#{pane_pid}'));
    terminal.tmux('new-window', '-d', '-t', '=person:', 'sleep 3600');
    await eventually('it to lead', async () => (await leaderOf(product)).receiver === provider);
    const { process: own, terminal: shown } = holderOf(product);
    const interrupt = () => {
      const identity = identifyProcess(launcher);
      if (identity) signalProcess(identity, 'SIGINT');
    };
    interrupt();
    // The first is the conversation's own: it may end by it. A second one ends it.
    const isGone = () => probeProcess(shown ?? own) === 'dead';
    await eventually('the first to have ended it', isGone, 2_000).catch(interrupt);
    for (const process of [own, ...(shown ? [shown] : [])])
      await eventually('all of it to have ended', () => probeProcess(process) === 'dead');
    await eventually('the mailbox to take over', async () => (await leaderOf(product)).receiver === 'mailbox');
    expect(terminal.tmux('list-panes', '-s', '-t', '=person:', '-F', '#{pane_current_command}')).toContain('sleep');
    expect(probeProcess(lifeOf(product, 'sam').handle.process)).toBe('alive');
    expect(await ask(product, 'send', 'sam', 'still there', '--wait=result')).toMatchObject({ ok: true });
  },
);

test('Z58 a leader is found from any depth of its processes, and from another terminal line', async () => {
  const terminal = await terminals.claude();
  const file = path.join(product.workspace, 'deep');
  const command = `sh -c ${shellWord(`${TEAM_AGENT} claim-leader; true`)}; true`;
  fs.writeFileSync(file, `script -qec ${shellWord(command)} /dev/null; true\n`);
  await terminal.type('[[shell sh deep]] [[say DEEP]]');
  await terminal.shows(/^● DEEP/m);
  expect(await leaderOf(product)).toMatchObject({ receiver: 'claude', epoch: 1 });
  expect(leadEvents(product)).toEqual([{ type: 'leader.bound', reason: 'vacant_acquired' }]);
});
