import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ask } from '../tmux/journey.ts';
import { offeredAndFrozen } from './crash-stage.ts';
import { handleOf, holderOf, killLeader, leadEvents, runsIn, Terminals, toldOnce, work } from './lease-stage.ts';
import { leaderOf } from './stage.ts';
import { TEAM_AGENT, type UserTerminal } from './user-terminal.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;
let terminals: Terminals;
let leading: UserTerminal;
let former: UserTerminal;

beforeAll(async () => {
  product = await RealProduct.open();
  terminals = new Terminals(product);
  product.writeTeam('solo', [{ id: 'sam', provider: 'scripted' }]);
});
afterAll(async () => {
  await terminals?.end();
  await product?.end();
});

/** Everything `sam` was sent, by whom. */
const letters = async () => (await ask(product, 'inbox', 'sam')).messages.map(({ sender, body }) => [sender, body]);
const sam = () => product.rows("select incarnation from incarnations where agent_id = 'sam'");

test('D07 D12 Z48 the leader is killed; another conversation claims and gets what waited, each once, and its count', async () => {
  former = await terminals.claude();
  expect(await runsIn(product, 'claude', former, 'quick-start docs/solo')).toMatchObject({ ok: true });
  expect(await leaderOf(product)).toMatchObject({ receiver: 'claude', epoch: 1 });
  await work(product, 'one');
  await toldOnce(product, 'claude', 'one');
  await killLeader(product);
  for (const task of ['two', 'three']) await work(product, task);
  leading = await terminals.claude();
  const claimed = await runsIn(product, 'claude', leading, 'claim-leader');
  expect(claimed).toMatchObject({
    ok: true,
    status: 'claimed',
    reason: 'previous_owner_dead',
    owner_epoch: 2,
    waiting: 2,
    perhaps_seen: [],
  });
  await toldOnce(product, 'claude', 'one', 'two', 'three');
  expect(await runsIn(product, 'claude', leading, 'claim-leader')).toMatchObject({
    status: 'already_bound',
    owner_epoch: 2,
  });
  expect(leadEvents(product)).toEqual([
    { type: 'leader.bound', reason: 'vacant_acquired' },
    { type: 'leader.bound', reason: 'previous_owner_dead' },
  ]);
});

test('D07 D08 Z49 Z54 one that lives is replaced with --confirm alone; then it is a person, and results go to the new one', async () => {
  former = leading;
  const held = holderOf(product).session;
  leading = await terminals.claude();
  for (const verb of ['claim-leader', 'takeover']) {
    const refused = await runsIn(product, 'claude', leading, verb);
    expect(refused).toMatchObject({ ok: false, reason: 'force_confirm_required' });
    expect(refused.next?.[0]).toBe(`team-agent ${verb} --confirm --team solo`);
  }
  expect(await leaderOf(product)).toMatchObject({ epoch: 2 });
  expect(await runsIn(product, 'claude', leading, 'takeover --confirm')).toMatchObject({
    status: 'claimed',
    reason: 'takeover_confirmed',
    owner_epoch: 3,
    previous: { provider: 'claude' },
  });
  await runsIn(product, 'claude', former, 'send sam "from the former"');
  await runsIn(product, 'claude', leading, 'send sam "from the leader"');
  expect((await letters()).slice(-2)).toEqual([
    ['person', 'from the former'],
    ['leader', 'from the leader'],
  ]);
  await work(product, 'four');
  await toldOnce(product, 'claude', 'four');
  const { session } = holderOf(product);
  expect(session).not.toBe(held);
  const told = product.anthropic.turns.filter(({ history }) => JSON.stringify(history).includes(' for task four: '));
  expect(new Set(told.map((turn) => turn.session))).toEqual(new Set([session]));
});

test('D08 D12 what is in flight at the one that led is settled there; what comes after it goes to the one that leads', async () => {
  const { process: stands, session: first } = holderOf(product);
  const next = await terminals.claude();
  const { posted, goOn } = await offeredAndFrozen(product, 'leader', 'IN-FLIGHT');
  process.kill(stands.pid, 'SIGSTOP');
  try {
    goOn();
    const message = await posted;
    const delivery = async () => (await ask(product, 'deliveries', message)).deliveries[0];
    await eventually('it to be in flight', async () => (await delivery())?.state === 'submitted');
    const claimed = await runsIn(product, 'claude', next, 'claim-leader --confirm');
    expect(claimed).toMatchObject({ status: 'claimed', owner_epoch: 4, waiting: 0 });
    expect(claimed.perhaps_seen).toEqual([(await delivery())?.delivery_id]);
    const hint = claimed.inbox_hint?.command ?? '';
    const { messages } = await ask(product, ...hint.split(' ').slice(1));
    expect(messages.map(({ body }) => body)).toContain('IN-FLIGHT');
    await work(product, 'six');
    const states = (await ask(product, 'deliveries')).deliveries.filter(({ to }) => to === 'leader');
    expect(states.slice(-2).map(({ state }) => state)).toEqual(['submitted', 'queued']);
  } finally {
    process.kill(stands.pid, 'SIGCONT');
  }
  await toldOnce(product, 'claude', 'six');
  const sessionsTold = (words: string) =>
    new Set(product.anthropic.turns.flatMap(({ session, prompt }) => (prompt.includes(words) ? [session] : [])));
  expect(sessionsTold('IN-FLIGHT')).toEqual(new Set([first]));
  expect(sessionsTold(' for task six: ')).toEqual(new Set([holderOf(product).session]));
  leading = next;
});

test('D07 S05 a Codex takes over from a Claude Code and hands it back, with the same agents, in order and each once', async () => {
  const before = sam();
  const codex = terminals.run([TEAM_AGENT, 'codex']);
  await codex.shows('Ask Codex');
  expect(await runsIn(product, 'codex', codex, 'claim-leader')).toMatchObject({ reason: 'force_confirm_required' });
  expect(await runsIn(product, 'codex', codex, 'takeover --confirm')).toMatchObject({
    status: 'claimed',
    owner_epoch: 5,
  });
  expect(await leaderOf(product)).toMatchObject({ receiver: 'codex', identity: { provider: 'codex' } });
  for (const task of ['seven', 'eight']) await work(product, task);
  await toldOnce(product, 'codex', 'seven', 'eight');
  await runsIn(product, 'claude', leading, 'takeover --confirm');
  expect(await leaderOf(product)).toMatchObject({ receiver: 'claude', epoch: 6 });
  for (const task of ['nine', 'ten']) await work(product, task);
  await toldOnce(product, 'claude', 'nine', 'ten');
  expect(sam()).toEqual(before);
});

test('D07 a conversation of the launcher leads by itself when the one before has died, and no one that lives is touched', async () => {
  const beside = terminals.run([TEAM_AGENT, 'claude', '--permission-mode', 'manual', '--', 'hello [[say BESIDE]]']);
  await beside.shows(/^● BESIDE/m);
  await eventually('its try to be on record', () =>
    leadEvents(product).some(({ reason }) => reason === 'previous_owner_alive_refused'),
  );
  expect(await leaderOf(product)).toMatchObject({ receiver: 'claude', epoch: 6 });
  await killLeader(product);
  await work(product, 'eleven');
  const after = terminals.run([TEAM_AGENT, 'claude', '--permission-mode', 'manual', '--', 'hello [[say AFTER]]']);
  await after.shows(/^● AFTER/m);
  await toldOnce(product, 'claude', 'eleven');
  expect(await leaderOf(product)).toMatchObject({ receiver: 'claude', epoch: 7 });
  await after.shows('do eleven');
  expect(handleOf(product, product.rows('select receiver from leases')[0]?.receiver).session).toBeTruthy();
});
