import { expect, test } from 'vitest';
import type { Caller } from '../../src/coordinator/api/callers.ts';
import { approvals, approve, deny } from '../../src/coordinator/verbs/approving/approvals.ts';
import { agentId, mint, type TeamId } from '../../src/kernel/index.ts';
import type { Approval } from '../../src/providers/index.ts';
import { agentIn, house, NOBODY, ONE, TWO, WORKER } from './house.ts';

const OTHER = agentId('x') ?? expect.unreachable();
const person: Caller = { kind: 'person', pid: 1, chain: [] };
const leaderOf = (...teams: TeamId[]): Caller => ({ kind: 'leader', incarnation: mint.incarnation(), teams });
const question = (id: string, more: Partial<Approval> = {}): Approval => ({
  id,
  kind: 'command',
  text: `May I ${id}?`,
  since: 5,
  answerable: true,
  ...more,
});

/** A team of two agents that ask these questions. */
async function asking(questions: Record<string, Approval[]>, policy: 'person' | 'leader' = 'person') {
  const home = await house({ approvals: policy });
  const puppets = [WORKER, OTHER].map((id) => {
    const { incarnation } = agentIn(home, ONE, NOBODY, id);
    const puppet = home.puppets.get(incarnation) ?? expect.unreachable();
    puppet.approvals = questions[id] ?? [];
    return puppet;
  });
  const [w = expect.unreachable(), x = expect.unreachable()] = puppets;
  const as = (caller: Caller) => ({ runtime: home.runtime, caller, gone: new AbortController().signal });
  const decided = () => home.events('approval.decided');
  return { w, x, as, decided };
}

const yes = { session: false, team: ONE };

test('N03 the open questions of a team are listed with who asks, since when, and whether they can be answered', async () => {
  const { as } = await asking({ w: [question('ap_1'), question('ap_2', { kind: 'edit' })], x: [question('ap_3')] });
  const all = await approvals.run(as(person), { team: ONE });
  const first = { id: 'ap_1', agent_id: 'w', provider: 'scripted', kind: 'command', text: 'May I ap_1?', since: 5 };
  expect(all).toEqual({
    ok: true,
    team: ONE,
    approvals: [
      { ...first, answerable: true },
      expect.objectContaining({ id: 'ap_2', kind: 'edit', agent_id: 'w' }),
      expect.objectContaining({ id: 'ap_3', agent_id: 'x' }),
    ],
  });
  expect(await approvals.run(as(person), { team: ONE, agent: 'x' })).toMatchObject({ approvals: [{ id: 'ap_3' }] });
  expect(await approvals.run(as(person), { team: TWO })).toMatchObject({ ok: true, approvals: [] });
});

test('N03 a person answers by the id of the question, or by the agent that asks one thing only', async () => {
  const { w, x, as, decided } = await asking({ w: [question('ap_1'), question('ap_2')], x: [question('ap_3')] });
  expect(await approve.run(as(person), { ...yes, id: 'ap_2', session: true })).toMatchObject({
    ok: true,
    agent_id: 'w',
    decision: 'approve',
  });
  expect(await deny.run(as(person), { id: 'x', message: 'not now', team: ONE })).toMatchObject({ decision: 'deny' });
  expect(w.decided).toEqual([['ap_2', { decision: 'approve', scope: 'session' }]]);
  expect(x.decided).toEqual([['ap_3', { decision: 'deny', message: 'not now' }]]);
  expect(await decided()).toMatchObject([
    { team: ONE, actor: 'person', data: { agent_id: 'w', approval: 'ap_2', decision: 'approve', scope: 'session' } },
    { team: ONE, actor: 'person', data: { agent_id: 'x', approval: 'ap_3', decision: 'deny', message: 'not now' } },
  ]);
});

test('N03 what is meant by nobody or by several is refused with the candidates, and nothing is decided', async () => {
  const { w, x, as, decided } = await asking({ w: [question('ap_1'), question('ap_2')], x: [question('ap_3')] });
  for (const id of ['ap_9', 'w', 'nobody']) {
    const refused = await approve.run(as(person), { ...yes, id });
    expect(refused, id).toMatchObject({
      ok: false,
      reason: 'approval_unknown',
      evidence: { open: [{ id: 'ap_1' }, { id: 'ap_2' }, { id: 'ap_3' }] },
      next: ['team-agent approvals', ...['ap_1', 'ap_2', 'ap_3'].map((one) => `team-agent approve ${one}`)],
    });
  }
  expect([w.decided, x.decided, await decided()]).toEqual([[], [], []]);
});

test('N03 what only a terminal can answer is refused, and nothing is on record', async () => {
  const { w, as, decided } = await asking({ w: [question('ap_1', { answerable: false })] });
  expect(await approve.run(as(person), { ...yes, id: 'ap_1' })).toMatchObject({
    ok: false,
    reason: 'approval_unanswerable',
    evidence: { agent_id: 'w' },
  });
  expect([w.decided, await decided()]).toEqual([[], []]);
});

test('N03 an answer that comes too late says so, and stays on record', async () => {
  const { w, as, decided } = await asking({ w: [question('ap_1')] });
  w.answer = { not_taken: 'it is not open any more' };
  expect(await approve.run(as(person), { ...yes, id: 'ap_1' })).toMatchObject({
    ok: false,
    reason: 'approval_unanswerable',
  });
  expect(await decided()).toHaveLength(1);
});

test('N03 a leader answers for its own team, and only where TEAM.md says so', async () => {
  const asked = { w: [question('ap_1')] };
  const allowed = await asking(asked, 'leader');
  expect(await approve.run(allowed.as(leaderOf(ONE)), { ...yes, id: 'ap_1' })).toMatchObject({ ok: true });
  expect(await allowed.decided()).toMatchObject([{ actor: 'leader', data: { approval: 'ap_1' } }]);
  for (const [policy, caller] of [
    ['person', leaderOf(ONE)],
    // A conversation is no person: what it does not lead, it does not answer for.
    ['person', leaderOf()],
    ['person', leaderOf(TWO)],
    ['leader', leaderOf()],
    ['leader', leaderOf(TWO)],
  ] as const) {
    const { w, as, decided } = await asking(asked, policy);
    for (const run of [approve.run(as(caller), { ...yes, id: 'ap_1' }), deny.run(as(caller), { id: 'w', team: ONE })])
      expect(await run, policy).toMatchObject({ ok: false, reason: 'person_may_not' });
    expect([w.decided, await decided()]).toEqual([[], []]);
  }
});

test('M02 an agent may look at its own team, and the verbs that decide are not for agents', async () => {
  const { as } = await asking({ w: [question('ap_1')] });
  const agent: Caller = { kind: 'agent', team: TWO, agent: WORKER, incarnation: mint.incarnation() };
  expect(await approvals.run(as(agent), { team: ONE })).toMatchObject({ ok: false, reason: 'worker_may_not' });
  expect([approvals.agents, approve.agents, deny.agents]).toEqual([true, false, false]);
});
