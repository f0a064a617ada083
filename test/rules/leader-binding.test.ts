import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { tokenHash } from '../../src/agents/index.ts';
import { rebindResumed } from '../../src/coordinator/leadership.ts';
import { type IncarnationId, mint } from '../../src/kernel/index.ts';
import { personId } from '../../src/leader/index.ts';
import { findLeader, leaseOf } from '../../src/ledger/index.ts';
import { followFound } from '../../src/lifecycle/index.ts';
import { eventually } from '../support/eventually.ts';
import { agentIn, conversationIn, type House, house, lead, living, NOBODY, ONE, TWO } from './house.ts';

const bind = (home: House, { conversation }: Awaited<ReturnType<typeof conversationIn>>, team = ONE) =>
  lead(home, team, conversation);

test('D05 a conversation that is bound leads from then on: the epoch grows, one event says so, and it shows no secret', async () => {
  const home = await house();
  const claude = await conversationIn(home);
  expect(home.leaders.receiver(ONE)).toBeUndefined();
  expect(await bind(home, claude)).toBe(true);
  const session = createHash('sha256').update(claude.session).digest('hex').slice(0, 12);
  const bound = await home.events('leader.bound');
  expect(bound).toMatchObject([
    { team: ONE, actor: 'coordinator', data: { epoch: 1, incarnation: claude.incarnation, identity: { session } } },
  ]);
  const lease = await leaseOf(home.ledger.db, ONE);
  expect(lease).toMatchObject({ epoch: 1, receiver: claude.incarnation });
  for (const secret of [claude.session, claude.token, tokenHash(claude.token)])
    expect(JSON.stringify([bound, lease])).not.toContain(secret);
  expect(home.leaders.receiver(ONE)).toBe(claude.incarnation);
  expect(home.changed).toEqual([ONE]);
});

test('D07 binding the leader once more changes nothing and says nothing', async () => {
  const home = await house();
  const claude = await conversationIn(home);
  await bind(home, claude);
  const before = await leaseOf(home.ledger.db, ONE);
  expect(await bind(home, claude)).toBe(false);
  expect(await leaseOf(home.ledger.db, ONE)).toEqual(before);
  expect(await home.events('leader.bound')).toHaveLength(1);
  expect(home.changed).toEqual([ONE]);
});

test.each(['alive', 'unknown'] as const)('D07 a leader that is %s is never replaced', async (liveness) => {
  const home = await house();
  const [first, second] = [await conversationIn(home), await conversationIn(home)];
  await bind(home, first);
  const puppet = home.puppets.get(first.incarnation);
  if (puppet) puppet.liveness = liveness;
  expect(await bind(home, second)).toBe(false);
  expect(home.leaders.receiver(ONE)).toBe(first.incarnation);
  expect(await leaseOf(home.ledger.db, ONE)).toMatchObject({ epoch: 1, receiver: first.incarnation });
});

test.each([
  [
    'whose process died',
    (home: House, who: IncarnationId) => Object.assign(home.puppets.get(who) ?? {}, { liveness: 'dead' }),
  ],
  ['that was ended', (home: House, who: IncarnationId) => home.leaders.end(who)],
])('D07 a leader %s is replaced, in the next epoch', async (_, end) => {
  const home = await house();
  const [first, second] = [await conversationIn(home), await conversationIn(home)];
  await bind(home, first);
  await end(home, first.incarnation);
  expect(await bind(home, second)).toBe(true);
  expect(home.leaders.receiver(ONE)).toBe(second.incarnation);
  expect(await leaseOf(home.ledger.db, ONE)).toMatchObject({ epoch: 2, receiver: second.incarnation });
  expect(await home.events('leader.bound')).toHaveLength(2);
});

test('D05 of two that are bound at once exactly one leads', async () => {
  const home = await house();
  const [first, second] = [await conversationIn(home), await conversationIn(home)];
  const bound = await Promise.all([bind(home, first), bind(home, second)]);
  expect(bound.filter(Boolean)).toHaveLength(1);
  expect(await home.events('leader.bound')).toHaveLength(1);
});

test('E08 mail waits in the mailbox while nobody leads, goes while somebody does, and waits again when that one ended', async () => {
  const home = await house();
  const { leaders, puppets } = home;
  const recipient = leaders.recipient(ONE);
  expect(await recipient.availability(false)).toMatchObject({
    hold: 'leader_unbound',
    evidence: 'nobody leads this team now',
  });
  const claude = await conversationIn(home);
  await bind(home, claude);
  const puppet = puppets.get(claude.incarnation) ?? expect.unreachable();
  expect(await recipient.availability(false)).toMatchObject({
    channel: { name: 'protocol' },
    incarnation: claude.incarnation,
  });
  expect(recipient.together).toBeGreaterThan(1);
  expect(recipient.liveness(claude.incarnation)).toBe('alive');
  puppet.hold = 'dialog_open';
  expect(await recipient.availability(false)).toMatchObject({ hold: 'dialog_open' });
  expect(await recipient.availability(true)).toMatchObject({ hold: 'dialog_open' });
  puppet.hold = 'working';
  expect(await recipient.availability(false)).toMatchObject({ hold: 'working' });
  expect(await recipient.availability(true)).toMatchObject({ channel: { name: 'protocol' } });
  puppet.hold = 'channel_down';
  expect(await recipient.availability(false)).toMatchObject({ hold: 'channel_down' });
  puppet.hold = undefined;
  puppet.liveness = 'dead';
  expect(await recipient.availability(false)).toMatchObject({
    hold: 'leader_unbound',
    evidence: expect.stringContaining('ended'),
  });
  await leaders.end(claude.incarnation);
  expect(await recipient.availability(false)).toMatchObject({ hold: 'leader_unbound' });
  expect(recipient.liveness(claude.incarnation)).toBe('dead');
});

test('E22 what a conversation took before it ended is still proved by its record, and nothing else is believed', async () => {
  const home = await house();
  const claude = await conversationIn(home);
  await bind(home, claude);
  await home.leaders.end(claude.incarnation);
  const recipient = home.leaders.recipient(ONE);
  const offer = { delivery: mint.delivery(), number: 1, channel: 'protocol', position: 0 } as const;
  expect(await recipient.settle({ ...offer, incarnation: claude.incarnation })).toMatchObject({ outcome: 'taken' });
  expect(await recipient.settle({ ...offer, incarnation: mint.incarnation() })).toMatchObject({ outcome: 'unknown' });
});

test('D13 one conversation may lead several teams, and its end is told to each', async () => {
  const home = await house();
  const claude = await conversationIn(home);
  expect(home.leaders.teamsOf(claude.incarnation)).toEqual([]);
  await bind(home, claude);
  await bind(home, claude, TWO);
  expect(home.leaders.teamsOf(claude.incarnation)).toEqual([ONE, TWO]);
  home.changed.length = 0;
  await home.leaders.end(claude.incarnation);
  expect(home.changed).toEqual([ONE, TWO]);
});

test('M08 a conversation that ended has no token and no process any more, and that is written down', async () => {
  const home = await house();
  const claude = await conversationIn(home, living(process.pid));
  const own = [living(process.pid)];
  expect(home.leaders.byToken(tokenHash(claude.token))).toBe(claude.incarnation);
  expect(home.leaders.byProcess(own)?.incarnation).toBe(claude.incarnation);
  await home.leaders.end(claude.incarnation);
  expect(home.leaders.byToken(tokenHash(claude.token))).toBeUndefined();
  expect(home.leaders.byProcess(own)).toBeUndefined();
  expect((await findLeader(home.ledger.db, claude.incarnation))?.ended_at).toBeGreaterThan(0);
  expect(home.puppets.get(claude.incarnation)?.closed).toBe(true);
});

test('D04 a leader whose terminal has ended is over, whatever still runs behind it', async () => {
  const home = await house();
  const codex = await conversationIn(home, living(process.pid), NOBODY);
  await bind(home, codex);
  expect(home.puppets.get(codex.incarnation)?.liveness).toBe('alive');
  expect(home.leaders.isAlive(codex.incarnation)).toBe(false);
  expect(await home.leaders.recipient(ONE).availability(false)).toMatchObject({ hold: 'leader_unbound' });
});

test('M10 a coordinator that comes back knows who leads what, by which token, and who has ended', async () => {
  const home = await house();
  const [claude, ended] = [await conversationIn(home), await conversationIn(home)];
  await bind(home, claude);
  await bind(home, ended, TWO);
  await home.leaders.end(ended.incarnation);
  const again = home.newLeaders();
  await again.takeUp();
  expect(again.receiver(ONE)).toBe(claude.incarnation);
  expect(again.isAlive(claude.incarnation)).toBe(true);
  expect(again.byToken(tokenHash(claude.token))).toBe(claude.incarnation);
  expect(again.byToken(tokenHash(ended.token))).toBeUndefined();
  expect(await again.recipient(ONE).availability(false)).toMatchObject({ incarnation: claude.incarnation });
  expect(await again.recipient(TWO).availability(false)).toMatchObject({ hold: 'leader_unbound' });
});

test('D10 Z45 the id of a person at a team: one formula, another id for each input, none where two could be one', () => {
  const person = { machine: 'm', workspace: '/w', user: 'u', team: 't' };
  const formula = createHash('sha256').update('m\0/w\0u\0t').digest('hex').slice(0, 32);
  expect(personId(person)).toBe(formula);
  const others = Object.keys(person).map((input) => personId({ ...person, [input]: 'other' }));
  expect(new Set([formula, ...others]).size).toBe(5);
  for (const input of Object.keys(person)) expect(personId({ ...person, [input]: 'a\0b' })).toBeUndefined();
});

test('M12 a leader on another session is the same leader in the same epoch, and its lease shows that session', async () => {
  const home = await house();
  const claude = await conversationIn(home);
  await bind(home, claude);
  await bind(home, claude, TWO);
  home.puppets.get(claude.incarnation)?.moveTo('another-session', '/another-record');
  await eventually('both leases to follow', async () => (await home.events('leader.session_changed')).length === 2);
  const session = createHash('sha256').update('another-session').digest('hex').slice(0, 12);
  for (const team of [ONE, TWO]) {
    const lease = await leaseOf(home.ledger.db, team);
    expect(lease).toMatchObject({ epoch: 1, receiver: claude.incarnation });
    expect(JSON.parse(lease?.identity ?? '')).toMatchObject({ session });
  }
});

test('D06 the conversation of an agent is never followed as one that could lead, by whatever way it is found', async () => {
  const home = await house();
  agentIn(home, ONE, living(process.ppid));
  const leader = { process: living(process.pid), session: mint.session(), record: '/record', details: {} };
  expect(await followFound(home.runtime.effects, { provider: 'claude', leader })).toBeUndefined();
  expect(home.leaders.all()).toEqual([]);
  const alone = await house();
  expect((await followFound(alone.runtime.effects, { provider: 'claude', leader }))?.handle).toMatchObject(leader);
});

test('M12 D12 that a session is open in a second process is told once to each team that its conversation leads', async () => {
  const home = await house();
  const claude = await conversationIn(home);
  await bind(home, claude);
  await bind(home, claude, TWO);
  for (const pid of [4711, 4711, 4712]) home.puppets.get(claude.incarnation)?.shareWith(pid);
  await eventually('both to be told', async () => (await home.events('leader.session_shared')).length === 4);
  const { incarnation } = claude;
  const told = (pid: number) => ({ incarnation, text: `Its session is open in ${pid} too.` });
  const events = await home.events('leader.session_shared');
  for (const team of [ONE, TWO]) {
    const here = events.filter((event) => event.team === team);
    expect(here.map(({ data }) => data)).toEqual([told(4711), told(4712)]);
  }
  const notices = await home.ledger.db.selectFrom('messages').select(['team', 'body']).execute();
  expect(notices).toHaveLength(4);
  expect(notices).toContainEqual({ team: TWO, body: 'leader: Its session is open in 4711 too.' });
});

test('Z55 a sweep, a read and the end of the one before, all in flight, undo no claim', async () => {
  const home = await house();
  const [first, second] = [await conversationIn(home), await conversationIn(home)];
  await bind(home, first);
  Object.assign(home.puppets.get(first.incarnation) ?? {}, { liveness: 'dead' });
  const [, claimed] = await Promise.all([
    rebindResumed(home.runtime),
    lead(home, ONE, second.conversation, { intent: 'claim' }),
    home.leaders.end(first.incarnation),
    leaseOf(home.ledger.db, ONE),
    rebindResumed(home.runtime),
  ]);
  expect(claimed).toBe(true);
  await rebindResumed(home.runtime);
  expect(home.leaders.receiver(ONE)).toBe(second.incarnation);
  expect(await leaseOf(home.ledger.db, ONE)).toMatchObject({ epoch: 2, receiver: second.incarnation });
  expect(await home.events('leader.bound')).toHaveLength(2);
});
