import { describe, expect, test } from 'vitest';
import type { Caller } from '../../src/coordinator/api/callers.ts';
import { VERBS } from '../../src/coordinator/verbs/index.ts';
import { type AgentId, agentId, LEADER, mint, type TaskId } from '../../src/kernel/index.ts';
import { findTask, upsertAgent } from '../../src/ledger/index.ts';
import { defineTasks } from '../../src/results/index.ts';
import type { TaskSpec } from '../../src/team/index.ts';
import { agentIn, agentRow, type House, house, NOBODY, ONE, WORKER } from './house.ts';

const READER = agentId('reader') ?? expect.unreachable();
const PERSON: Caller = { kind: 'person', pid: 1, chain: [] };
const LEADS: Caller = { kind: 'leader', incarnation: mint.incarnation(), teams: [ONE] };
const AGENT: Caller = { kind: 'agent', team: ONE, agent: WORKER, incarnation: mint.incarnation() };

const spec = (id: string, facts: Partial<TaskSpec> = {}): TaskSpec => ({
  id,
  title: `Do ${id}`,
  deps: [],
  requiresTools: [],
  files: [],
  retryLimit: 0,
  humanConfirmation: false,
  ...facts,
});

/** A team with `w`, who may do everything, and `reader`, who reads. */
async function staffed(tasks: readonly TaskSpec[], options: Parameters<typeof house>[0] = {}): Promise<House> {
  const home = await house(options);
  const tools: [AgentId, string[]][] = [
    [WORKER, ['execute_bash', 'fs_read', 'fs_write', 'git_diff']],
    [READER, ['fs_read']],
  ];
  await home.ledger.change(ONE, 'x', async (change) => {
    for (const [id, own] of tools) await upsertAgent(change, { ...agentRow(ONE, id), tools: JSON.stringify(own) });
    await defineTasks(change, tasks);
  });
  for (const [id] of tools) agentIn(home, ONE, NOBODY, id);
  return home;
}

async function ask(home: House, verb: string, caller: Caller, input: object) {
  const answer = await VERBS[verb]?.run({ runtime: home.runtime, caller, gone: new AbortController().signal }, input);
  return answer as Record<string, never> & { message_id: string; deliveries: { state: string; reason?: string }[] };
}

const send = (home: House, caller: Caller, task: string, more: object = {}) =>
  ask(home, 'send', caller, { message_id: mint.message(), text: 'go', task, team: ONE, ...more });

const taskOf = async (home: House, id: string) =>
  (await findTask(home.ledger.db, ONE, id as TaskId)) ?? expect.unreachable();
const messages = (home: House) => home.ledger.db.selectFrom('messages').selectAll().execute();

describe('E17 a task that a person must say yes to', () => {
  const risky = [spec('release', { humanConfirmation: true, assignee: 'w' })];
  const HELD = { deliveries: [{ state: 'held', reason: 'human_confirmation' }] };

  test('is held until somebody says so, and the answer says how', async () => {
    const home = await staffed(risky);
    const sent = await send(home, PERSON, 'release');
    expect(sent).toMatchObject({ ok: true, ...HELD, next: [`team-agent approve ${sent.message_id}`] });
    expect(await taskOf(home, 'release')).toMatchObject({ status: 'pending', assignee: 'w', confirmed_by: null });
  });

  test.each([
    ['a person', PERSON, 'person', 'person'],
    ['the leader of a team that lets it', LEADS, 'leader', 'leader'],
  ] as const)('%s confirms it once, for what waits and for what comes', async (_, caller, approvals, by) => {
    const home = await staffed(risky, { approvals });
    const waits = await send(home, LEADS, 'release');
    expect(waits).toMatchObject(HELD);
    expect(await send(home, caller, 'release', { confirm_human: true })).toMatchObject({
      deliveries: [{ state: 'queued' }],
    });
    expect(await taskOf(home, 'release')).toMatchObject({ status: 'running', confirmed_by: by });
    expect(await send(home, LEADS, 'release')).toMatchObject({ deliveries: [{ state: 'queued' }] });
    expect((await messages(home)).map(({ confirmation, confirmed_by }) => [confirmation, confirmed_by])).toEqual([
      ['given', by],
      ['given', by],
      [null, null],
    ]);
    expect(await home.events('task.confirmed')).toHaveLength(1);
  });

  test.each([
    ['an agent', AGENT, 'leader'],
    ['a leader that may not', LEADS, 'person'],
    ['a conversation that leads another team', { ...LEADS, teams: [] }, 'leader'],
  ] as const)('%s confirms nothing, and nothing is stored', async (_, caller, approvals) => {
    const home = await staffed(risky, { approvals });
    const refused = await send(home, caller, 'release', { confirm_human: true, expects: 'result' });
    expect(refused).toMatchObject({ ok: false, reason: 'person_may_not' });
    expect(await messages(home)).toEqual([]);
    expect(await taskOf(home, 'release')).toMatchObject({ confirmed_by: null, status: 'pending' });
  });

  test('the yes to its message is a yes to the task', async () => {
    const home = await staffed(risky);
    const [first, second] = [await send(home, LEADS, 'release'), await send(home, LEADS, 'release')];
    expect(await ask(home, 'approve', PERSON, { id: first.message_id, team: ONE })).toMatchObject({ ok: true });
    const states = await home.ledger.db.selectFrom('deliveries').select(['message_id', 'state']).execute();
    expect(states).toEqual([first, second].map(({ message_id }) => ({ message_id, state: 'queued' })));
    expect(await taskOf(home, 'release')).toMatchObject({ status: 'running', confirmed_by: 'person' });
  });

  test.each(['approve', 'deny'])(
    '%s of a message that was taken back meanwhile is refused, and decides nothing',
    async (verb) => {
      const home = await staffed(risky);
      const [over, waits] = [
        await send(home, AGENT, 'release', { expects: 'result' }),
        await send(home, LEADS, 'release'),
      ];
      expect(await ask(home, 'cancel', AGENT, { message_id: over.message_id })).toMatchObject({ ok: true });
      const before = await taskOf(home, 'release');
      const refused = await ask(home, verb, PERSON, { id: over.message_id, team: ONE });
      expect(refused).toMatchObject({ ok: false, reason: 'approval_unknown' });
      expect(await taskOf(home, 'release')).toEqual(before);
      const states = await home.ledger.db.selectFrom('deliveries').select(['message_id', 'state']).execute();
      expect(states).toEqual([
        { message_id: over.message_id, state: 'cancelled' },
        { message_id: waits.message_id, state: 'held' },
      ]);
      expect((await messages(home)).map(({ confirmation }) => confirmation)).toEqual(['wanted', 'wanted']);
    },
  );

  test('a question about it needs no yes', async () => {
    const home = await staffed(risky);
    const sent = await send(home, PERSON, 'release', { expects: 'reply' });
    expect(sent).toMatchObject({ deliveries: [{ state: 'queued' }] });
    expect(await taskOf(home, 'release')).toMatchObject({ status: 'pending' });
  });
});

describe('E18 an agent without the tools', () => {
  const build = [spec('build', { type: 'implementation', requiresTools: ['git_diff'] })];

  test('is refused before anything is stored, with who could do it', async () => {
    const home = await staffed(build);
    expect(await send(home, PERSON, 'build', { to: ['reader'] })).toMatchObject({
      ok: false,
      reason: 'tools_missing',
      evidence: { task: 'build', agent: 'reader', missing: ['execute_bash', 'fs_write', 'git_diff'], able: ['w'] },
      next: ['team-agent send w "text" --task build'],
    });
    expect(await messages(home)).toEqual([]);
    expect(await taskOf(home, 'build')).toMatchObject({ status: 'pending', assignee: null });
    expect(await send(home, PERSON, 'build', { to: ['w'] })).toMatchObject({ ok: true });
  });

  test('is told about it, and may be asked about it', async () => {
    const home = await staffed(build);
    expect(await send(home, PERSON, 'build', { to: ['reader'], expects: 'nothing' })).toMatchObject({ ok: true });
    expect(await send(home, PERSON, 'other', { to: ['reader'] })).toMatchObject({ ok: true });
  });
});

describe('E02 a task without a name for whom', () => {
  test('goes to whom the team has for it, and the decision is on record', async () => {
    const home = await staffed([spec('a', { type: 'review' }), spec('b', { assignee: 'reader' })]);
    const rules = [{ id: 'reviews', assign_to: 'w', priority: 0, match: { type: ['review'] } }];
    await home.ledger.db
      .updateTable('teams')
      .set({ routing: JSON.stringify({ rules }) })
      .execute();
    expect(await send(home, LEADS, 'a')).toMatchObject({ to: ['w'] });
    expect(await send(home, LEADS, 'b')).toMatchObject({ to: ['reader'] });
    expect(await send(home, LEADS, 'b', { to: ['w'] })).toMatchObject({ to: ['w'] });
    expect((await home.events('routing.decision')).map(({ data }) => data)).toEqual([
      { task_id: 'a', agent: 'w', reason: 'rule', rule: 'reviews', manual: false },
      { task_id: 'b', agent: 'reader', reason: 'assignee', manual: false },
      { task_id: 'b', agent: 'w', reason: 'named', manual: true },
    ]);
    expect(await taskOf(home, 'b')).toMatchObject({ assignee: 'w', status: 'running' });
  });

  test.each(['a', 'nobody-named-it'])('%s for which there is nobody is refused', async (task) => {
    const home = await staffed([spec('a')]);
    expect(await send(home, PERSON, task)).toMatchObject({
      reason: 'task_unknown',
      next: [`team-agent send AGENT "text" --task ${task}`],
    });
    expect(await messages(home)).toEqual([]);
  });
});

describe('F10 tasks of the documents', () => {
  test('are new once, follow the documents until somebody begins them, and keep their status', async () => {
    const home = await staffed([spec('a'), spec('b')]);
    await send(home, LEADS, 'a', { to: ['w'] });
    const again = [spec('a', { title: 'New a', assignee: 'reader' }), spec('b', { title: 'New b', retryLimit: 3 })];
    for (const _ of [1, 2]) await home.ledger.change(ONE, 'x', (change) => defineTasks(change, again));
    expect(await taskOf(home, 'a')).toMatchObject({ title: 'Do a', assignee: 'w', status: 'running' });
    expect(await taskOf(home, 'b')).toMatchObject({ title: 'New b', retry_limit: 3, status: 'pending' });
    expect((await home.events('task.defined')).map(({ data }) => data)).toEqual([
      { task_id: 'a', title: 'Do a' },
      { task_id: 'b', title: 'Do b' },
      { task_id: 'b', title: 'New b', changed: true },
    ]);
  });

  test('a message for a task that waits is held; it runs when the other is done by hand', async () => {
    const home = await staffed([spec('a'), spec('b', { deps: ['a'] })]);
    const sent = await send(home, LEADS, 'b', { to: ['w'] });
    expect(sent).toMatchObject({ deliveries: [{ state: 'held', reason: 'dependencies', waits_for: ['a'] }] });
    expect(await ask(home, 'deliveries', PERSON, { message_id: sent.message_id })).toMatchObject({
      deliveries: [{ reason: 'dependencies', waits_for: ['a'] }],
    });
    expect(await taskOf(home, 'b')).toMatchObject({ status: 'pending', assignee: 'w' });
    await ask(home, 'repair-state', PERSON, { task: 'a', status: 'done', team: ONE });
    expect(await taskOf(home, 'b')).toMatchObject({ status: 'running' });
  });
});

describe('F11 a task set right by hand', () => {
  const repair = (home: House, caller: Caller, facts: object) =>
    ask(home, 'repair-state', caller, { team: ONE, ...facts });

  test('what it was stays on record', async () => {
    const home = await staffed([spec('a')]);
    const before = { status: 'pending', assignee: null };
    const after = { status: 'blocked', assignee: LEADER };
    expect(await repair(home, LEADS, { task: 'a', assignee: 'leader', status: 'blocked', summary: 'no key' })).toEqual({
      ok: true,
      task_id: 'a',
      before,
      after,
      state_file: expect.stringMatching(/export\/team_state\.md$/),
    });
    expect(await taskOf(home, 'a')).toMatchObject(after);
    expect(await home.events('repair_state.task')).toEqual([
      { team: ONE, actor: 'leader', data: { task_id: 'a', before, after, summary: 'no key' } },
    ]);
  });

  test.each([
    ['no such task', { task: 'b', status: 'done' }, 'task_unknown', { known: ['a'] }],
    ['no such agent', { task: 'a', assignee: 'bob' }, 'agent_not_found', { agent: 'bob' }],
    ['no such status', { task: 'a', status: 'dnoe' }, 'usage', { status: 'dnoe' }],
    ['nothing to set', { task: 'a' }, 'usage', undefined],
  ])('%s: refused, and nothing changes', async (_, facts, reason, evidence) => {
    const home = await staffed([spec('a')]);
    expect(await repair(home, PERSON, facts)).toMatchObject({ ok: false, reason, ...(evidence ? { evidence } : {}) });
    expect(await taskOf(home, 'a')).toMatchObject({ status: 'pending', assignee: null });
    expect(await home.events('repair_state.task')).toEqual([]);
  });

  test('no agent may', () => {
    expect(VERBS['repair-state']?.agents).toBe(false);
  });
});
