import fs from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { shellWord } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { Product, type ScriptedAgent } from '../support/product.ts';
import { CrashScene } from './crash-scene.ts';
import { ask, bodyOf, callTool, deliver, inputsOf, LISTENER, RUNNER, reached, start } from './journey.ts';

const BIN = path.resolve(import.meta.dirname, '../../bin/team-agent');

/** Reports what it is told: `fails`, or success once a file of that name lies in its folder. */
const WORKER = `rules:
  - match: '^fails'
    do: [{ report: { summary: "no luck", status: failed } }]
  - match: '^after (\\S+)'
    do: [{ run: "until [ -e {{1}} ]; do sleep 0.02; done" }, { report: { summary: "after {{1}}" } }]
`;

interface Status {
  readonly tasks: readonly {
    readonly id: string;
    readonly status: string;
    readonly assignee: string | null;
    readonly ready: boolean;
    readonly waits_for: readonly string[];
  }[];
}

async function taskOf(product: Product, id: string) {
  const { tasks } = await product.json<Status>(['status']);
  return tasks.find((task) => task.id === id) ?? expect.unreachable();
}

const taskIs = (product: Product, id: string, status: string) =>
  eventually(`${id} to be ${status}`, async () => (await taskOf(product, id)).status === status);

const eventsOf = (product: Product, type: string): unknown[] =>
  product
    .rows(`select data from events where type = '${type}' order by seq`)
    .map(({ data }) => JSON.parse(String(data)));

const bodiesOf = (product: Product, agent: string): string[] =>
  inputsOf(product, agent).map(({ text }) => bodyOf(text));

/** Lets whoever waits for this file go on. */
const touch = (product: Product, name: string): void => fs.writeFileSync(path.join(product.workspace, name), '');

/** What the command answers to the agent `runs`, which types it in its own pane. */
async function asAgent(product: Product, ...words: readonly string[]): Promise<unknown> {
  const command = `run: ${shellWord(BIN)} --json ${words.map(shellWord).join(' ')}`;
  const { results } = await ask(product, 'send', 'runs', command, '--wait=result');
  const summary = results[0]?.summary ?? '';
  return JSON.parse(summary.slice(summary.indexOf('|') + 1));
}

const CHAIN = `tasks:
  - {id: first, title: First, assignee: ann}
  - {id: second, title: Second, assignee: bob, deps: [first]}
`;
const PAIR: readonly ScriptedAgent[] = [
  { id: 'ann', script: WORKER },
  { id: 'bob', script: WORKER },
];

describe('a team with tasks', () => {
  let product: Product;
  beforeAll(async () => {
    product = new Product();
    const agents = [...PAIR, { id: 'reads', script: LISTENER }, { id: 'runs', script: RUNNER }, { id: 'cara' }];
    const head = `${CHAIN}  - {id: flaky, title: Flaky, assignee: ann, retry_limit: 1}
  - {id: on-flaky, title: On flaky, assignee: bob, deps: [flaky]}
  - {id: hopeless, title: Hopeless, assignee: ann}
  - {id: on-hopeless, title: On hopeless, assignee: bob, deps: [hopeless]}
  - {id: look, title: Look, type: review}
  - {id: build, title: Build, type: implementation}
  - {id: release, title: Release, assignee: ann, human_confirmation: true}
  - {id: closed, title: Closed, assignee: reads}
routing:
  default_assignee: cara
  rules:
    - {id: reviews, assign_to: bob, priority: 2, match: {type: [review, risk_check]}}
    - {id: late, assign_to: ann, match: {type: review}}
`;
    const folder = product.writeTeam('crew', agents, head);
    const role = path.join(folder, 'agents', 'reads.md');
    fs.writeFileSync(role, fs.readFileSync(role, 'utf8').replace('tools: []', 'tools: [fs_read]'));
    await start(product, folder);
  });
  afterAll(() => product.end());

  test('E02 a message about a task alone goes to whom the team has for it', async () => {
    const look = await ask(product, 'send', '--task', 'look', 'look at it');
    expect(look).toMatchObject({ ok: true, to: ['bob'] });
    expect(await reached(product, look.message_id, ['answered'])).toMatchObject([{ to: 'bob' }]);
    expect(await ask(product, 'send', 'task:build', 'build it')).toMatchObject({ to: ['cara'] });
    expect(await ask(product, 'send', 'ann', 'no, you', '--task', 'build')).toMatchObject({ to: ['ann'] });
    expect(await ask(product, 'send', '--task', 'no-such', 'do it')).toMatchObject({ code: 1, reason: 'task_unknown' });
    expect(eventsOf(product, 'routing.decision')).toEqual([
      { task_id: 'look', agent: 'bob', reason: 'rule', rule: 'reviews', manual: false },
      { task_id: 'build', agent: 'cara', reason: 'default_assignee', manual: false },
      { task_id: 'build', agent: 'ann', reason: 'named', manual: true },
    ]);
    expect(await taskOf(product, 'look')).toMatchObject({ status: 'done', assignee: 'bob' });
  });

  test('E18 an agent without the tools is refused before anything is stored', async () => {
    const before = product.rows('select count(*) as n from messages');
    const refused = await ask(product, 'send', 'reads', 'build it', '--task', 'build');
    expect(refused).toMatchObject({
      code: 1,
      reason: 'tools_missing',
      evidence: { task: 'build', agent: 'reads', missing: ['execute_bash', 'fs_write'] },
    });
    expect(refused.next).toContain('team-agent send ann "text" --task build');
    expect(product.rows('select count(*) as n from messages')).toEqual(before);
  });

  test('E17 a task that wants a yes is held, whatever an agent passes, until a person confirms it', async () => {
    const held = await ask(product, 'send', '--task', 'release', 'go');
    expect(held).toMatchObject({ ok: true, deliveries: [{ to: 'ann', state: 'held', reason: 'human_confirmation' }] });
    const words = ['send', 'ann', 'go, I say', '--task', 'release', '--expects', 'result', '--confirm-human'];
    expect(await asAgent(product, ...words)).toMatchObject({ ok: false, reason: 'person_may_not' });
    expect(await taskOf(product, 'release')).toMatchObject({ status: 'pending' });
    expect(bodiesOf(product, 'ann')).not.toContain('go');
    const confirmed = await ask(product, 'send', '--task', 'release', 'go now', '--confirm-human');
    await reached(product, held.message_id, ['answered']);
    await reached(product, confirmed.message_id, ['answered']);
    const later = await ask(product, 'send', '--task', 'release', 'once more');
    await reached(product, later.message_id, ['answered']);
    expect(bodiesOf(product, 'ann').filter((body) => body.startsWith('go'))).toEqual(['go', 'go now']);
    expect(eventsOf(product, 'task.confirmed')).toEqual([{ task_id: 'release', by: 'person' }]);
  });

  test('F10 what needs another task waits for it, and goes when it is done', async () => {
    const second = await ask(product, 'send', '--task', 'second', 'the second');
    const first = await ask(product, 'send', '--task', 'first', 'after first-may-end');
    await reached(product, first.message_id);
    expect(await ask(product, 'deliveries', second.message_id)).toMatchObject({
      deliveries: [{ to: 'bob', state: 'held', reason: 'dependencies', waits_for: ['first'], attempts: 0 }],
    });
    expect(await taskOf(product, 'second')).toMatchObject({ status: 'pending', ready: false, waits_for: ['first'] });
    touch(product, 'first-may-end');
    await reached(product, second.message_id, ['answered']);
    expect(await taskOf(product, 'second')).toMatchObject({ status: 'done', waits_for: [] });
    const order = product.rows(`select task_id from results where task_id in ('first', 'second') order by seq`);
    expect(order).toEqual([{ task_id: 'first' }, { task_id: 'second' }]);
    expect(bodiesOf(product, 'bob').filter((body) => body === 'the second')).toHaveLength(1);
  });

  test('F10 a failed task is tried again as often as it may, and what needs it waits', async () => {
    const waits = await ask(product, 'send', '--task', 'on-flaky', 'on flaky');
    await ask(product, 'send', '--task', 'flaky', 'fails', '--wait=result');
    expect(await taskOf(product, 'flaky')).toMatchObject({ status: 'needs_retry', ready: true });
    expect((await ask(product, 'deliveries', waits.message_id)).deliveries[0]?.state).toBe('held');
    await ask(product, 'send', '--task', 'flaky', 'try again', '--wait=result');
    expect(await taskOf(product, 'flaky')).toMatchObject({ status: 'done' });
    await reached(product, waits.message_id, ['answered']);
  });

  test('F11 a task that failed for good holds what needs it, until a person sets it right', async () => {
    const waits = await ask(product, 'send', '--task', 'on-hopeless', 'on hopeless');
    await ask(product, 'send', '--task', 'hopeless', 'fails', '--wait=result');
    expect(await taskOf(product, 'hopeless')).toMatchObject({ status: 'failed' });
    expect(await ask(product, 'deliveries', waits.message_id)).toMatchObject({
      deliveries: [{ state: 'held', reason: 'dependencies', waits_for: ['hopeless'] }],
    });
    const words = ['repair-state', '--task', 'hopeless', '--status', 'done'];
    expect(await asAgent(product, ...words)).toMatchObject({ ok: false, reason: 'worker_may_not' });
    const repaired = await ask(
      product,
      'repair-state',
      '--task',
      'hopeless',
      '--status',
      'done',
      '--summary',
      'by hand',
    );
    const [before, after] = [
      { status: 'failed', assignee: 'ann' },
      { status: 'done', assignee: 'ann' },
    ];
    expect(repaired).toEqual({
      ok: true,
      code: 0,
      task_id: 'hopeless',
      before,
      after,
      state_file: path.join(product.paths.team, 'crew', 'export', 'team_state.md'),
    });
    expect(eventsOf(product, 'repair_state.task')).toEqual([
      { task_id: 'hopeless', before, after, summary: 'by hand' },
    ]);
    await reached(product, waits.message_id, ['answered']);
  });

  test('F10 a result for a closed task that nobody asked for is kept and changes nothing', async () => {
    await deliver(product, 'reads', 'do it', '--task', 'closed');
    const first = await callTool(product, 'reads', 'report_result', { summary: 'done' });
    const second = await callTool(product, 'reads', 'report_result', {
      summary: 'no, it failed',
      status: 'failed',
      task: 'closed',
    });
    expect([first, second]).toMatchObject([
      { unattributed: false },
      { ok: true, unattributed: true, task_id: 'closed' },
    ]);
    expect(await taskOf(product, 'closed')).toMatchObject({ status: 'done' });
    expect(product.rows(`select accepted_result_id from tasks where task_id = 'closed'`)).toEqual([
      { accepted_result_id: first.result_id },
    ]);
  });
});

describe('F10 kill -9 of the coordinator between one task and the next', () => {
  const scenes: CrashScene[] = [];
  afterEach(async () => {
    for (const scene of scenes.splice(0)) await scene.end();
  });

  test.each(['result.before_commit', 'result.committed'])(
    'at %s: the second goes once, after the first',
    async (at) => {
      const made = new CrashScene('tasks');
      scenes.push(made);
      const daemon = await made.daemon(at);
      await start(made, made.writeTeam('crew', PAIR, CHAIN));
      const second = await ask(made, 'send', '--task', 'second', 'the second');
      await ask(made, 'send', '--task', 'first', 'the first');
      await made.crashedAndRevived(daemon, at);
      await reached(made, second.message_id, ['answered']);
      expect(made.rows(`select task_id, status from tasks order by task_id`)).toEqual([
        { task_id: 'first', status: 'done' },
        { task_id: 'second', status: 'done' },
      ]);
      expect(bodiesOf(made, 'bob')).toEqual(['the second']);
      expect(made.rows('select task_id from results order by seq')).toEqual([
        { task_id: 'first' },
        { task_id: 'second' },
      ]);
    },
  );

  test('while the first is worked on, and over an end of the team: what was begun is kept', async () => {
    const made = new CrashScene('tasks');
    scenes.push(made);
    const daemon = await made.daemon();
    const folder = made.writeTeam('crew', PAIR, CHAIN);
    await start(made, folder);
    const second = await ask(made, 'send', '--task', 'second', 'the second');
    const first = await ask(made, 'send', '--task', 'first', 'after first-may-end');
    await reached(made, first.message_id);
    process.kill(daemon.pid, 'SIGKILL');
    await made.crashedAndRevived(daemon, 'while it works');
    expect((await ask(made, 'deliveries', second.message_id)).deliveries).toMatchObject([
      { state: 'held', attempts: 0 },
    ]);
    touch(made, 'first-may-end');
    await taskIs(made, 'second', 'done');
    await made.run(['shutdown']);
    await start(made, folder, '--fresh');
    expect(await taskOf(made, 'first')).toMatchObject({ status: 'done', assignee: 'ann' });
    expect(eventsOf(made, 'task.defined')).toHaveLength(2);
  });
});
