import { expect, test } from 'vitest';
import type { AgentCaller, LeaderCaller } from '../../src/coordinator/index.ts';
import { agentId, mint, type TaskId, type TeamId } from '../../src/kernel/index.ts';
import { assignTask, setTeamIntent, updateTask, upsertAgent } from '../../src/ledger/index.ts';
import { mcpFront } from '../../src/mcp/index.ts';
import { agentIn, agentRow, type House, house, NOBODY, ONE, TWO, WORKER } from './house.ts';

const leaderOf = (...teams: TeamId[]): LeaderCaller => ({ kind: 'leader', incarnation: mint.incarnation(), teams });

interface Schema {
  readonly properties: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
}

const OTHER = agentId('other') ?? expect.unreachable();

/** Two teams, each with an agent `w`. */
async function staffed(): Promise<House> {
  const home = await house();
  for (const team of [ONE, TWO]) {
    agentIn(home, team);
    await home.ledger.change(team, 'x', (change) => upsertAgent(change, agentRow(team, WORKER)));
  }
  return home;
}

/** One request of MCP, and its result. */
async function ask(home: House, caller: AgentCaller | LeaderCaller, method: string, params: object): Promise<unknown> {
  const body = { jsonrpc: '2.0', id: 1, method, params };
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const request = new Request('http://127.0.0.1/mcp', { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await (await mcpFront(home.runtime).fetch(request, caller, body)).text();
  const [, data = text] = /^data: (.*)$/m.exec(text) ?? [];
  return JSON.parse(data).result;
}

const tools = async (home: House, caller: AgentCaller | LeaderCaller): Promise<string[]> => {
  const { tools } = (await ask(home, caller, 'tools/list', {})) as { tools: { name: string }[] };
  return tools.map(({ name }) => name).sort();
};

async function call(
  home: House,
  caller: AgentCaller | LeaderCaller,
  name: string,
  args: object,
  id = `${Math.random()}`,
) {
  const params = { name, arguments: args, _meta: { 'claudecode/toolUseId': id } };
  const { content, isError } = (await ask(home, caller, 'tools/call', params)) as {
    content: { text: string }[];
    isError?: boolean;
  };
  return { isError: isError === true, ...JSON.parse(content[0]?.text ?? '') };
}

const stored = (home: House) =>
  home.ledger.db
    .selectFrom('messages')
    .select(['team', 'sender', 'authority', 'task_id', 'expects', 'body'])
    .orderBy('seq')
    .execute();

const TASK = { to: 'w', task: 'survey', content: 'Count the files.' };

test('K01 a leader has the tools of a leader, an agent those of an agent', async () => {
  const home = await staffed();
  const shared = ['get_team_status', 'hello', 'inbox', 'read_message', 'send_message', 'update_state'];
  const agent: AgentCaller = { kind: 'agent', team: ONE, agent: WORKER, incarnation: mint.incarnation() };
  const members = ['add_agent', 'fork_agent', 'remove_agent', 'reset_agent', 'start_agent', 'stop_agent'];
  expect(await tools(home, leaderOf(ONE))).toEqual(['assign_task', 'wait_result', ...members, ...shared].sort());
  expect(await tools(home, agent)).toEqual([...shared, 'report_result', 'request_human'].sort());
});

test('E02 a leader gives a task with its own authority, and the same call twice is one task', async () => {
  const home = await staffed();
  const leader = leaderOf(TWO);
  const given = [
    await call(home, leader, 'assign_task', TASK, 'c-1'),
    await call(home, leader, 'assign_task', TASK, 'c-1'),
  ];
  expect(given).toMatchObject([
    { isError: false, ok: true, team: TWO, to: ['w'] },
    { isError: false, message_id: given[0].message_id },
  ]);
  expect(await stored(home)).toEqual([
    {
      team: TWO,
      sender: 'leader',
      authority: 'leader',
      task_id: 'survey',
      expects: 'result',
      body: 'Count the files.',
    },
  ]);
});

test('E02 a leader need not say who gets a task that the team has somebody for', async () => {
  const home = await staffed();
  await home.ledger.change(TWO, 'x', (change) => assignTask(change, 'survey' as TaskId, 'Count', WORKER));
  const { to: _, ...unnamed } = TASK;
  expect(await call(home, leaderOf(TWO), 'assign_task', unnamed)).toMatchObject({ isError: false, to: ['w'] });
  const unknown = { ...unnamed, task: 'nobody-has-it' };
  expect(await call(home, leaderOf(TWO), 'assign_task', unknown)).toMatchObject({
    isError: true,
    reason: 'task_unknown',
  });
  expect(await stored(home)).toMatchObject([{ task_id: 'survey', expects: 'result' }]);
});

const CALLS = [
  ['assign_task', TASK],
  ['send_message', { to: 'w', content: 'x' }],
  ['update_state', { note: 'x' }],
  ['inbox', {}],
  ['get_team_status', {}],
  ['hello', {}],
  ['read_message', { message_id: 'm_000000000000000000000000' }],
] as const;

test.each(CALLS)(
  'M08 of a conversation that leads no team %s is refused, and nothing is stored',
  async (name, args) => {
    const home = await staffed();
    expect(await call(home, leaderOf(), name, args)).toMatchObject({
      isError: true,
      reason: 'not_a_team',
      next: ['team-agent quick-start DIR'],
    });
    expect(await stored(home)).toEqual([]);
  },
);

test.each(CALLS)('D13 of a conversation that leads two teams %s is refused with both', async (name, args) => {
  const home = await staffed();
  const refused = await call(home, leaderOf(ONE, TWO), name, args);
  expect(refused).toMatchObject({ isError: true, reason: 'team_ambiguous', evidence: { candidates: [ONE, TWO] } });
  expect(await stored(home)).toEqual([]);
});

test.each(CALLS.slice(0, 6))(
  'D13 of a conversation whose other team was shut down %s goes to the one that runs',
  async (name, args) => {
    const home = await staffed();
    await home.ledger.change(ONE, 'x', (change) => setTeamIntent(change, 'stopped'));
    expect(await call(home, leaderOf(ONE, TWO), name, args)).toMatchObject({ isError: false });
    for (const { team } of await stored(home)) expect(team).toBe(TWO);
  },
);

test('K03 a leader waits for a result by a tool: it names what it waits for, and a time that is over says so', async () => {
  const home = await staffed();
  const leader = leaderOf(ONE);
  expect(await call(home, leader, 'wait_result', {})).toMatchObject({
    isError: true,
    reason: 'tool_arguments_invalid',
  });
  const late = await call(home, leader, 'wait_result', { task: 'survey', timeout_s: 0.05 });
  expect(late).toMatchObject({ isError: true, reason: 'timeout' });
});

test('F01 K05 what models write for nothing is nothing: null and "" leave an argument out', async () => {
  const home = await staffed();
  const leader = leaderOf(ONE);
  const blank = { to: 'w', content: 'x', reply_to: null, expects: '' };
  for (const task of [null, ''])
    expect(await call(home, leader, 'send_message', { ...blank, task })).toMatchObject({ isError: false, ok: true });
  expect(await stored(home)).toMatchObject([{ task_id: null }, { task_id: null }]);
  expect(await home.ledger.db.selectFrom('tasks').selectAll().execute()).toEqual([]);
  const wait = { task: 'survey', agent: null, message_id: '', timeout_s: null };
  expect(await call(home, leader, 'wait_result', { ...wait, timeout_s: 0.05 })).toMatchObject({ reason: 'timeout' });
});

test.each([
  [
    { summary: 'x', task: null, status: null },
    { summary: 'x', status: 'success', task_id: null },
  ],
  [
    { summary: ['one', 'two'], task: 3 },
    { summary: '["one","two"]', status: 'success', task_id: '3' },
  ],
  [
    { summary: { of: 'it' }, status: false },
    { summary: '{"of":"it"}', status: 'partial', task_id: null },
  ],
])('F01 a report like %j is taken in, though models are told to write text', async (input, taken) => {
  const home = await staffed();
  const { incarnation } = agentIn(home, ONE, NOBODY, OTHER);
  const agent: AgentCaller = { kind: 'agent', team: ONE, agent: OTHER, incarnation };
  const { tools } = (await ask(home, agent, 'tools/list', {})) as { tools: { name: string; inputSchema: Schema }[] };
  const schema = tools.find(({ name }) => name === 'report_result')?.inputSchema;
  expect(schema).toMatchObject({ properties: { summary: { type: 'string' }, task: { type: 'string' } } });
  expect(schema?.required ?? []).toEqual([]);
  expect(await call(home, agent, 'report_result', input)).toMatchObject({ isError: false, ok: true });
  expect(await home.ledger.db.selectFrom('results').selectAll().execute()).toMatchObject([taken]);
});

test('K03 an inbox fits into an answer: the beginning of a long text, and where the whole is', async () => {
  const home = await staffed();
  const agent: AgentCaller = { kind: 'agent', team: ONE, agent: WORKER, incarnation: mint.incarnation() };
  const content = 'é"'.repeat(50_000);
  for (let sent = 0; sent < 20; sent++) await call(home, leaderOf(ONE), 'send_message', { to: 'w', content });
  await call(home, leaderOf(ONE), 'send_message', { to: 'w', content: 'short' });
  const inbox = await call(home, agent, 'inbox', {});
  expect(Buffer.byteLength(JSON.stringify(inbox))).toBeLessThan(45_000);
  expect(inbox.messages).toHaveLength(20);
  expect(inbox.messages.at(-1).body).toBe('short');
  const [long] = inbox.messages;
  expect(long.body.startsWith(content.slice(0, 500))).toBe(true);
  expect(long.body).toContain(`read_message has all ${Buffer.byteLength(content)} bytes`);
  expect((await call(home, agent, 'read_message', { message_id: long.message_id })).body).toBe(content);
});

test('K03 a status for agents has the tasks that go on, and says how many others there are', async () => {
  const home = await staffed();
  await home.ledger.change(ONE, 'x', async (change) => {
    for (let index = 1; index <= 30; index++) {
      await assignTask(change, `t${index}` as TaskId, 'a task', WORKER);
      if (index <= 25) await updateTask(change, `t${index}` as TaskId, { status: 'done' });
    }
  });
  const { tasks, other_tasks } = await call(home, leaderOf(ONE), 'get_team_status', {});
  expect(tasks).toHaveLength(20);
  expect(
    tasks
      .slice(0, 5)
      .map(({ id }: { id: string }) => id)
      .sort(),
  ).toEqual(['t26', 't27', 't28', 't29', 't30']);
  expect(other_tasks).toBe(10);
});

test('K01 G06 a leader whose team has an environment that nobody knows is told the command that it asked for', async () => {
  const home = await staffed();
  const one = leaderOf(ONE);
  const add = await call(home, one, 'add_agent', { agent: 'x', role_file: '/roles/x.md' });
  expect(add).toMatchObject({
    reason: 'environment_unknown',
    next: ['team-agent add-agent x --role-file /roles/x.md --team one'],
  });
  expect(await call(home, one, 'fork_agent', { agent: 'w', as: 'x' })).toMatchObject({
    next: ['team-agent fork-agent w --as x --team one'],
  });
  expect(await call(home, one, 'start_agent', { agent: 'w' })).toMatchObject({
    next: ['team-agent start-agent w --team one'],
  });
});
