import { expect, test } from 'vitest';
import { tokenHash } from '../../src/agents/index.ts';
import { type IncarnationId, mint, type ProcessIdentity } from '../../src/kernel/index.ts';
import type { Launch, Leaders } from '../../src/leader/index.ts';
import { findLeader, insertLeader, leaseOf } from '../../src/ledger/index.ts';
import { followFound } from '../../src/lifecycle/index.ts';
import type { FoundLeader } from '../../src/providers/index.ts';
import { conversationIn, type House, house, lead, living, NOBODY, ONE } from './house.ts';

const HERE = living(process.pid);

/** A launcher has asked for a conversation that has no session yet: it shows a dialog. */
async function launchIn({ ledger, leaders }: House, facts: Partial<Launch> = {}) {
  const incarnation = mint.incarnation();
  const launch: Launch = { provider: 'claude', launcher: HERE, socket: '/its.sock', details: {}, ...facts };
  const token = mint.token();
  await insertLeader(ledger.db, {
    incarnation,
    host: 'h',
    provider: 'claude',
    found: 'launched',
    token_hash: tokenHash(token),
    handle: null,
    began_at: 1,
    ended_at: null,
  });
  leaders.honour({ incarnation, token_hash: tokenHash(token) });
  await leaders.launches(incarnation, launch);
  return { incarnation, launch, token };
}

async function restarted(home: House): Promise<Leaders> {
  const again = home.newLeaders();
  await again.takeUp();
  return again;
}

test('D01 M10 a launch without a session counts as a life, and a coordinator that comes back goes on with it', async () => {
  const home = await house();
  expect(home.leaders.someLaunched()).toBe(false);
  const { incarnation, launch, token } = await launchIn(home, { team: 'crew' });
  expect(home.leaders.someLaunched()).toBe(true);
  expect(home.leaders.launched()).toEqual([]);
  const again = await restarted(home);
  expect(again.launching()).toEqual([incarnation]);
  expect(again.launch(incarnation)).toEqual(launch);
  expect(again.byToken(tokenHash(token))).toBe(incarnation);
  expect(again.someLaunched()).toBe(true);
  expect(again.conversation(incarnation)).toBeUndefined();
});

test.each<[string, Partial<Launch>, boolean]>([
  ['whose launcher lives', {}, true],
  ['whose launcher has gone before anything ran', { launcher: NOBODY }, false],
  ['whose launcher was killed, but not what it runs', { launcher: NOBODY, terminal: HERE }, true],
  ['whose terminal part has ended', { terminal: NOBODY }, false],
])('D04 M10 a launch %s: does it live?', async (_, facts, lives) => {
  const home = await house();
  const { incarnation } = await launchIn(home, facts);
  for (const leaders of [home.leaders, await restarted(home)])
    expect([leaders.isAlive(incarnation), leaders.someLaunched()]).toEqual([lives, lives]);
});

test('D04 a launch is over when it is followed, and when it is ended', async () => {
  const home = await house();
  const { incarnation } = await launchIn(home);
  await home.leaders.end(incarnation);
  expect([home.leaders.launching(), home.leaders.isAlive(incarnation)]).toEqual([[], false]);
  expect((await restarted(home)).launching()).toEqual([]);
  const { incarnation: other } = await launchIn(home);
  const row = (await findLeader(home.ledger.db, other)) ?? expect.unreachable();
  const { handle } = (await conversationIn(home)).conversation;
  home.leaders.follow(row, handle);
  expect(home.leaders.launching()).toEqual([]);
});

/** A Claude Code that its registry tells of. */
const foundAs = (process: ProcessIdentity, socket: string): FoundLeader => ({
  process,
  session: 'a-session' as FoundLeader['session'],
  record: '/record',
  socket,
  details: {},
});

test('D05 one process that is found by many in the same moment is one conversation', async () => {
  const home = await house();
  const found = { provider: 'claude', leader: foundAs(HERE, '/other.sock') };
  const followed = await Promise.all([1, 2, 3].map(() => followFound(home.runtime.effects, found)));
  expect(new Set(followed).size).toBe(1);
  const [one = expect.unreachable()] = followed;
  expect(await followFound(home.runtime.effects, found)).toBe(one);
  expect(home.leaders.all()).toEqual([one]);
  // The one that leads is the one by whose process its calls are known.
  await lead(home, ONE, one);
  expect((await leaseOf(home.ledger.db, ONE))?.receiver).toBe(home.leaders.byProcess([HERE])?.incarnation);
});

test('D05 a conversation of our launcher that is found before it has told its session is not followed as another one', async () => {
  const home = await house();
  const { launch } = await launchIn(home, { terminal: HERE });
  const found = { provider: 'claude', leader: foundAs(HERE, launch.socket) };
  expect(await followFound(home.runtime.effects, found)).toBeUndefined();
  expect(home.leaders.all()).toEqual([]);
});

test('M10 rows of conversations that were begun without a handle are no launches', async () => {
  const home = await house();
  const incarnation: IncarnationId = mint.incarnation();
  const row = { incarnation, host: 'h', provider: 'codex', found: 'launched', handle: null } as const;
  await insertLeader(home.ledger.db, { ...row, token_hash: 'x', began_at: 1, ended_at: null });
  const again = await restarted(home);
  expect([again.launching(), again.isAlive(incarnation), again.someLaunched()]).toEqual([[], false, false]);
});
