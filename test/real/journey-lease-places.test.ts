import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shellWord } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';
import { ask } from '../tmux/journey.ts';
import { CLAUDE, holderOf, type Lead, leadEvents, runsIn, Terminals, toldOnce, work } from './lease-stage.ts';
import { leaderOf } from './stage.ts';
import { TEAM_AGENT } from './user-terminal.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;
let terminals: Terminals;

beforeEach(async () => {
  product = await RealProduct.open({ claudeRetries: 0 });
  terminals = new Terminals(product);
  product.writeTeam('solo', [{ id: 'sam', provider: 'scripted' }]);
});
afterEach(async () => {
  await terminals?.end();
  await product?.end();
});

const start = () => ask(product, 'quick-start', 'docs/solo');
const digest = (session: string): string => createHash('sha256').update(session).digest('hex').slice(0, 12);

/** A Claude Code that was started in a folder as the person calls it, which need not be its real path. */
async function claudeIn(folder: string, environment: Readonly<Record<string, string>> = {}) {
  const command = [...CLAUDE, '--', 'hello [[say READY]]'].map(shellWord).join(' ');
  const terminal = terminals.run(['sh', '-c', `cd ${shellWord(folder)} && ${command}; exit`], environment);
  await terminal.shows(/^● READY/m);
  return terminal;
}

test('D09 Z46 attach-leader takes the pane of the server that its shell is in; a pane id says nothing by itself', async () => {
  await start();
  const [one, two] = [await terminals.claude(), await terminals.claude()];
  const attach = (terminal: typeof one, ...words: readonly string[]) =>
    product.json<Lead>(['attach-leader', '--pane', '%0', ...words], { environment: { TMUX: terminal.inside } });
  expect(await attach(two)).toMatchObject({ ok: true, status: 'claimed', owner_epoch: 1 });
  await work(product, 'first');
  await toldOnce(product, 'claude', 'first');
  await two.shows('do first');
  expect(one.screen()).not.toContain('do first');
  expect(await attach(one)).toMatchObject({ ok: false, reason: 'force_confirm_required' });
  expect(await attach(one, '--confirm')).toMatchObject({ ok: true, status: 'claimed', owner_epoch: 2 });
  await work(product, 'second');
  await toldOnce(product, 'claude', 'second');
  await one.shows('do second');
  expect(two.screen()).not.toContain('do second');
  await two.end();
  const again = terminals.run(['sh', '-c', 'sleep 3600; exit']);
  expect(await attach(again, '--confirm')).toMatchObject({ ok: false, reason: 'caller_not_leader_shaped' });
  expect(await leaderOf(product)).toMatchObject({ epoch: 2, receiver: 'claude' });
});

test('Z53 Z49 a leader in a folder below, by a link, that changed its folder and runs something else is the leader', async () => {
  await start();
  const below = path.join(product.workspace, 'packages', 'inner');
  fs.mkdirSync(below, { recursive: true });
  const link = path.join(freshFolder('links'), 'project');
  fs.symlinkSync(product.workspace, link);
  for (const folder of [below, link]) product.home.trust(folder);
  const leading = await claudeIn(path.join(link, 'packages', 'inner'));
  expect(await runsIn(product, 'claude', leading, 'claim-leader')).toMatchObject({ status: 'claimed', owner_epoch: 1 });
  await leading.type('[[shell cd .. && pwd]] [[say MOVED]]');
  await leading.shows(/^● MOVED/m);
  const program = "import time; open('runs', 'w').close(); time.sleep(600)";
  await leading.type(`[[background python3 -c ${shellWord(program)}]] [[say RUNS]]`);
  await leading.shows(/^● RUNS/m);
  expect(await runsIn(product, 'claude', leading, 'claim-leader')).toMatchObject({ status: 'already_bound' });
  const other = await terminals.claude();
  expect(await runsIn(product, 'claude', other, 'claim-leader')).toMatchObject({ reason: 'force_confirm_required' });
  await work(product, 'first');
  await toldOnce(product, 'claude', 'first');
  const outside = freshFolder('outside');
  product.home.trust(outside);
  const stranger = await claudeIn(outside, { TEAM_AGENT_WORKSPACE: product.workspace });
  const refused = await runsIn(product, 'claude', stranger, 'takeover --confirm');
  expect(refused).toMatchObject({ ok: false, reason: 'caller_cwd_mismatch' });
});

test('M12 Z49 /clear in the leader: the same process leads in the same epoch, and what is shown of it is the new session', async () => {
  await start();
  const leading = await terminals.claude();
  await runsIn(product, 'claude', leading, 'claim-leader');
  const before = holderOf(product);
  expect(await leaderOf(product)).toMatchObject({ identity: { session: digest(before.session) } });
  await leading.type('/clear');
  await eventually('the other session to be known', () => holderOf(product).session !== before.session);
  const { session, process } = holderOf(product);
  expect(process).toEqual(before.process);
  await eventually('the lease to show it', async () => {
    const { identity } = await leaderOf(product);
    return JSON.stringify(identity).includes(digest(session));
  });
  expect(await runsIn(product, 'claude', leading, 'identity')).toMatchObject({
    you: { kind: 'conversation', leads: true },
    leader: { epoch: 1, identity: { session: digest(session) } },
  });
  expect(await runsIn(product, 'claude', leading, 'claim-leader')).toMatchObject({
    status: 'already_bound',
    owner_epoch: 1,
  });
  expect(leadEvents(product).map(({ type }) => type)).toEqual(['leader.bound', 'leader.session_changed']);
});

test.each([
  ['that the person started', [...CLAUDE]],
  ['of the launcher', [TEAM_AGENT, ...CLAUDE]],
])('I05 what the provider refuses a leader %s is in status and in the events, and ends', async (_whose, command) => {
  await start();
  const leading = terminals.run([...command, '--', 'hello [[say READY]]']);
  await leading.shows(/^● READY/m);
  await runsIn(product, 'claude', leading, 'claim-leader');
  const errors = () => product.rows("select data from events where type = 'leader.provider_error'");
  let told = 0;
  for (const status of [429, 401, 529]) {
    await leading.type(`fail [[error ${status} always]]`);
    await eventually(`status to tell of ${status}`, async () => {
      const { leader } = await product.json<{ leader: { state: string } }>(['status']);
      return leader.state === 'provider_error';
    });
    told += 1;
    await eventually('an event to tell of it', () => errors().length >= told);
    expect(errors()).toHaveLength(told);
    expect((await product.run(['status'])).stdout).toContain('provider_error');
    await leading.type(`go on [[say FINE-${status}]]`);
    await leading.shows(new RegExp(`^● FINE-${status}`, 'm'));
    await eventually('it to end', async () => {
      const { leader } = await product.json<{ leader: { state: string } }>(['status']);
      return leader.state === 'idle';
    });
  }
});

test('N02 D06 a Codex that was started without us is told how its conversation can lead, and that works', async () => {
  await start();
  const codex = terminals.run(['codex']);
  await codex.shows('Ask Codex');
  const refused = await runsIn(product, 'codex', codex, 'claim-leader');
  expect(refused).toMatchObject({ ok: false, reason: 'caller_not_leader_shaped' });
  const [, thread] = / codex resume (\S+)$/.exec(refused.next?.[0] ?? '') ?? [];
  expect(thread).toBe(refused.evidence?.thread);
  await codex.type('/quit');
  await eventually('it to end', () => codex.sessions().length === 0);
  const ours = terminals.run([TEAM_AGENT, '--team', 'solo', 'codex', 'resume', thread ?? '']);
  await ours.shows('claim-leader');
  await eventually('it to lead', async () => (await leaderOf(product)).receiver === 'codex');
  expect(holderOf(product).session).toBe(thread);
  await work(product, 'first');
  await toldOnce(product, 'codex', 'first');
});
