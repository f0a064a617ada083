import { expect, test } from 'vitest';
import { HEADERS } from '../../src/client/index.ts';
import {
  type Caller,
  identifyCaller,
  ownTeamOnly,
  ownTeamsOf,
  senderIn,
  workerMayNot,
} from '../../src/coordinator/api/callers.ts';
import { selectTeam } from '../../src/coordinator/teams.ts';
import { isRefusal, mint, type ProcessIdentity } from '../../src/kernel/index.ts';
import { setTeamIntent } from '../../src/ledger/index.ts';
import { agentIn, conversationIn, type House, house, lead, living, NOBODY, ONE, TWO, WORKER } from './house.ts';

/** This test's own process calls, with a token or without. */
function identify(home: House, token?: string, process_ = living(process.pid)) {
  const headers: Record<string, string> = { [HEADERS.caller]: `${process_.pid}:${process_.start}` };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  return identifyCaller(home, (name) => headers[name]);
}

const parent = (): ProcessIdentity => living(process.ppid);

test('E10 an agent is known by its token, or by a process around the call', async () => {
  const home = await house();
  const { token, incarnation } = agentIn(home, ONE);
  const known = { kind: 'agent', team: ONE, agent: WORKER, incarnation };
  expect(identify(home, token)).toEqual(known);
  const other = await house();
  const around = agentIn(other, ONE, parent());
  expect(identify(other)).toEqual({ ...known, incarnation: around.incarnation });
});

test('D05 a conversation that may lead is known by its token, its own process or its terminal', async () => {
  const home = await house();
  const claude = await conversationIn(home);
  expect(identify(home, claude.token)).toEqual({ kind: 'leader', incarnation: claude.incarnation, teams: [] });
  await lead(home, ONE, claude.conversation);
  expect(identify(home, claude.token)).toEqual({ kind: 'leader', incarnation: claude.incarnation, teams: [ONE] });
  for (const processes of [[parent()], [NOBODY, parent()]] as const) {
    const other = await house();
    const { incarnation } = await conversationIn(other, ...processes);
    expect(identify(other)).toEqual({ kind: 'leader', incarnation, teams: [] });
  }
});

test('M02 inside an agent nobody is a leader, however near a conversation runs', async () => {
  const home = await house();
  agentIn(home, ONE, parent());
  await conversationIn(home, living(process.pid));
  expect(identify(home)).toMatchObject({ kind: 'agent', agent: WORKER });
});

test('E10 anybody else is a person, with the processes around the call', async () => {
  const home = await house();
  agentIn(home, ONE);
  await conversationIn(home);
  const chain = [living(process.pid), parent()];
  expect(identify(home)).toMatchObject({ kind: 'person', pid: process.pid, chain: expect.arrayContaining(chain) });
});

test('E10 a token of nobody who lives opens nothing, wherever it is used', async () => {
  const home = await house();
  const agent = agentIn(home, ONE, parent());
  const claude = await conversationIn(home);
  home.roster.end(agent.incarnation);
  await home.leaders.end(claude.incarnation);
  for (const token of [agent.token, claude.token, mint.token(), 'x'])
    expect(identify(home, token), token).toMatchObject({
      ok: false,
      reason: 'untrusted_caller',
      next: ['env -u TEAM_AGENT_TOKEN team-agent status'],
    });
});

test('E10 a caller that is not the process it says it is, is refused', async () => {
  const home = await house();
  const own = living(process.pid);
  for (const said of [{ ...own, start: `${own.start}1` }, NOBODY, { pid: Number.NaN, start: '' }])
    expect(identify(home, undefined, said)).toMatchObject({ ok: false, reason: 'untrusted_caller' });
  expect(identifyCaller(home, () => undefined)).toMatchObject({ ok: false, reason: 'untrusted_caller' });
});

const agent: Caller = { kind: 'agent', team: ONE, agent: WORKER, incarnation: mint.incarnation() };
const leaderOf = (...teams: (typeof ONE)[]): Caller => ({ kind: 'leader', incarnation: mint.incarnation(), teams });
const person: Caller = { kind: 'person', pid: 1, chain: [] };

test.each([
  ['an agent', agent, ONE, { sender: WORKER, authority: 'peer' }],
  ['a leader in the team that it leads', leaderOf(ONE, TWO), TWO, { sender: 'leader', authority: 'leader' }],
  ['a leader in another team', leaderOf(ONE), TWO, { sender: 'person', authority: 'user' }],
  ['a conversation that leads nobody', leaderOf(), ONE, { sender: 'person', authority: 'user' }],
  ['a person', person, ONE, { sender: 'person', authority: 'user' }],
])('M08 %s writes under its own name and with its own authority', (_, caller, team, expected) => {
  expect(senderIn(team, caller)).toEqual(expected);
});

test('D13 without --team an agent means its own, a leader those that it leads', () => {
  expect(ownTeamsOf(agent)).toEqual([ONE]);
  expect(ownTeamsOf(leaderOf(TWO))).toEqual([TWO]);
  expect(ownTeamsOf(leaderOf(ONE, TWO))).toEqual([ONE, TWO]);
  expect(ownTeamsOf(leaderOf())).toEqual([]);
  expect(ownTeamsOf(person)).toEqual([]);
});

test('D13 of the teams that a leader leads the one that runs is meant, and of all teams only its own', async () => {
  const home = await house();
  const { db } = home.ledger;
  const meant = async (...own: (typeof ONE)[]) => {
    const selected = await selectTeam(db, undefined, own);
    return isRefusal(selected) ? selected.reason : selected.team;
  };
  expect([await meant(), await meant(ONE, TWO), await meant(TWO)]).toEqual(['team_ambiguous', 'team_ambiguous', TWO]);
  await home.ledger.change(ONE, 'person', (change) => setTeamIntent(change, 'stopped'));
  expect([await meant(), await meant(ONE, TWO), await meant(ONE)]).toEqual([TWO, TWO, ONE]);
});

test('M02 an agent sees its own team alone and may not change it; leaders and people are not held to that', () => {
  expect(ownTeamOnly(agent, ONE)).toBeUndefined();
  expect(ownTeamOnly(agent, TWO)).toMatchObject({ reason: 'worker_may_not' });
  expect(workerMayNot(agent, 'approve')).toMatchObject({ reason: 'worker_may_not', evidence: { agent: WORKER } });
  for (const caller of [leaderOf(ONE), leaderOf(), person]) {
    expect(ownTeamOnly(caller, TWO)).toBeUndefined();
    expect(workerMayNot(caller, 'approve')).toBeUndefined();
  }
});
