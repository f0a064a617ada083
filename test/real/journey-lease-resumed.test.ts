import { afterEach, beforeEach, expect, test } from 'vitest';
import { signalProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { ask } from '../tmux/journey.ts';
import { CLAUDE, holderOf, killLeader, leadEvents, runsIn, Terminals, toldOnce, work } from './lease-stage.ts';
import { leaderOf } from './stage.ts';
import { TEAM_AGENT, type UserTerminal } from './user-terminal.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;
let terminals: Terminals;
let first: UserTerminal;

beforeEach(async () => {
  product = await RealProduct.open();
  terminals = new Terminals(product);
  product.writeTeam('solo', [{ id: 'sam', provider: 'scripted' }]);
  first = await terminals.claude();
  expect(await runsIn(product, 'claude', first, 'quick-start docs/solo')).toMatchObject({ ok: true });
  await work(product, 'one');
  await toldOnce(product, 'claude', 'one');
});
afterEach(async () => {
  await terminals?.end();
  await product?.end();
});

/** Another terminal that goes on with the session of the leader. */
async function resumed(words: readonly string[] = CLAUDE): Promise<UserTerminal> {
  const { session } = holderOf(product);
  const terminal = terminals.run([...words, '--resume', session, '--', 'again [[say AGAIN]]']);
  await terminal.shows(/^● AGAIN/m);
  return terminal;
}

/** Those whose input was told of a result, by process: what a conversation was told stands on its screen. */
const mailbox = async () => (await ask(product, 'deliveries')).deliveries.filter(({ to }) => to === 'leader');

test('D11 Z51 the session of a leader that lives, resumed elsewhere, is never bound; when the first one dies it leads on by itself', async () => {
  const before = holderOf(product).process;
  const second = await resumed();
  const refused = await runsIn(product, 'claude', second, 'claim-leader');
  expect(refused).toMatchObject({ ok: false, reason: 'owner_epoch_advanced' });
  expect(holderOf(product).process).toEqual(before);
  signalProcess(before, 'SIGKILL');
  await work(product, 'two');
  await eventually('it to lead', async () => (await leaderOf(product)).receiver === 'claude');
  expect(await leaderOf(product)).toMatchObject({ epoch: 1 });
  expect(holderOf(product).process).not.toEqual(before);
  await toldOnce(product, 'claude', 'one', 'two');
  expect(leadEvents(product)).toEqual([
    { type: 'leader.bound', reason: 'vacant_acquired' },
    { type: 'leader.refused', reason: 'owner_epoch_advanced' },
    { type: 'leader.rebound', reason: 'same_session_rebound' },
  ]);
});

test('D11 Z51 of two that go on with a dead leader none leads before one says so; the first wins, and the other is told', async () => {
  const [one, two] = [await resumed(), await resumed()];
  await killLeader(product);
  await work(product, 'two');
  const plain = await runsIn(product, 'claude', one, 'claim-leader');
  expect(plain).toMatchObject({ ok: false, reason: 'ambiguous_candidates' });
  expect(plain.next?.[0]).toBe('team-agent claim-leader --confirm --team solo');
  await runsIn(product, 'claude', two, 'claim-leader');
  const notices = product.rows("select body from messages where dedupe_key like 'ambiguous:%'");
  expect(notices).toHaveLength(1);
  expect(leadEvents(product).filter(({ type }) => type === 'leader.ambiguous')).toHaveLength(1);
  for (const { state } of (await mailbox()).slice(1)) expect(state).toBe('held');
  for (const terminal of [one, two]) expect(terminal.screen()).not.toContain('None of them leads');
  const won = await runsIn(product, 'claude', two, 'claim-leader --confirm');
  expect(won).toMatchObject({ status: 'claimed', owner_epoch: 2, waiting: 1 });
  const lost = await runsIn(product, 'claude', one, 'claim-leader --confirm');
  expect(lost).toMatchObject({ ok: false, reason: 'owner_epoch_advanced' });
  expect(lost.next).toContain('team-agent takeover --confirm --team solo');
  expect(await leaderOf(product)).toMatchObject({ epoch: 2 });
  // Two that write one transcript: nothing is handed to it before the other one has gone.
  expect(won.held).toMatchObject({ hold: 'session_changed' });
  await one.type('/exit');
  await eventually('nothing to wait', async () =>
    (await mailbox()).every(({ state }) => state === 'consumed' || state === 'cancelled'),
  );
  expect(two.screen()).not.toContain('None of them leads');
  await two.shows('do two');
  await toldOnce(product, 'claude', 'one', 'two');
});

test('D11 Z51 the launcher goes on with the session of a leader that died: it leads in the same epoch', async () => {
  await killLeader(product);
  await work(product, 'two');
  await resumed([TEAM_AGENT, ...CLAUDE]);
  await toldOnce(product, 'claude', 'one', 'two');
  expect(await leaderOf(product)).toMatchObject({ receiver: 'claude', epoch: 1 });
});
