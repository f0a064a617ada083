import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { identifyProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import { ask, deliver, LISTENER, lifeOf, pathWith, start } from './journey.ts';

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(() => product.end());

interface Plan {
  readonly code: number | null;
  readonly ok: boolean;
  readonly dry_run: boolean;
  readonly team: string;
  readonly agents: readonly {
    readonly agent_id: string;
    readonly action: string;
    readonly session_id?: string;
    readonly argv?: readonly string[];
    readonly permission: string;
    readonly tools: readonly { tool: string; granted: boolean; enforcement: string }[];
  }[];
  readonly safety: Readonly<Record<string, unknown>>;
  readonly routes: readonly object[];
  readonly warnings: readonly string[];
  readonly next: readonly string[];
}

const planOf = (...args: string[]): Promise<Plan> => product.json<Plan>([...args, '--dry-run']);
const actionsOf = ({ agents }: Plan) => Object.fromEntries(agents.map(({ agent_id, action }) => [agent_id, action]));

/** Every byte below `.team/` but the log and the lock of a coordinator that runs. */
function bytesOf(): string {
  const hash = createHash('sha256');
  const names = fs.readdirSync(product.paths.team, { recursive: true, encoding: 'utf8' }).sort();
  for (const name of names.filter((one) => !one.endsWith('coordinator.log'))) {
    const file = path.join(product.paths.team, name);
    const stat = fs.statSync(file);
    hash.update(`${name}\0${stat.mtimeMs}\0`).update(stat.isFile() ? fs.readFileSync(file) : '');
  }
  return hash.digest('hex');
}

/** What runs in the pane of an agent, with the ids of its life as a plan writes them. */
function runningArgv(agent: string): readonly string[] {
  const { handle, incarnation } = lifeOf(product, agent);
  const words = fs.readFileSync(`/proc/${handle.pane.process.pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  // A script is run by its interpreter, which stands before it.
  const from = words.findIndex((word) => word.endsWith('agent-wrapper'));
  return words.slice(from).map((word) => word.replaceAll(incarnation, '<incarnation>'));
}

const sessionOf = (agent: string): unknown =>
  product.rows(`select session_id from sessions where agent_id = '${agent}' order by opened_at desc`)[0]?.session_id;

describe('a dry run', () => {
  test('C05 B09 Z15 in a fresh project shows the plan of a launch, its dangers and its routes, and leaves nothing', async () => {
    const tasks = 'tasks: [{ id: t1, title: Build, assignee: b }, { id: t2, title: Look }]\n';
    const agents = [
      { id: 'a', head: 'permission_mode: bypass\n' },
      { id: 'b' },
      { id: 'c', head: 'paused: true\npermission_mode: bypass\n' },
    ];
    const folder = product.writeTeam('crew', agents, tasks);
    const before = fs.readdirSync(product.workspace);
    const plan = await planOf('quick-start', folder);
    expect(plan).toMatchObject({ code: 0, ok: true, dry_run: true, team: 'crew' });
    expect(actionsOf(plan)).toEqual({ a: 'start', b: 'start', c: 'keep' });
    expect(plan.safety).toEqual({
      dangerous_auto_approve: true,
      source: 'documents',
      requires_explicit_yes: true,
      agents: [{ agent_id: 'a', granted_by: null, granted_at: null }],
    });
    expect(plan.routes).toEqual([
      { task_id: 't1', agent_id: 'b', reason: 'assignee' },
      { task_id: 't2', agent_id: null, reason: 'unrouted' },
    ]);
    expect(plan.agents[0]?.tools).toContainEqual({ tool: 'execute_bash', granted: true, enforcement: 'prompt_only' });
    expect(plan.next).toEqual([`team-agent quick-start ${folder} --yes`]);
    expect(fs.readdirSync(product.workspace)).toEqual(before);
    expect(fs.existsSync(product.paths.sockets)).toBe(false);
    const text = await product.run(['quick-start', folder, '--dry-run']);
    // A command is never cut, however long the path in it.
    const lines = text.stdout.split('\n').filter((line) => !line.startsWith('next: '));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test('C05 what a dry run refuses a launch for is what the launch is refused for', async () => {
    const folder = product.writeTeam('crew', [{ id: 'a', script: 'rules: [{ do: [{ dance: 1 }] }]\n' }]);
    const { code, reason, message } = await ask(product, 'quick-start', folder, '--dry-run');
    expect({ code, reason }).toEqual({ code: 1, reason: 'team_document_invalid' });
    expect(await ask(product, 'quick-start', folder)).toMatchObject({ code, reason, message });
  });

  test('C05 C11 Z44 what the plan of each verb says is what then happens', async () => {
    const agents = ['a', 'b', 'c'].map((id) => ({ id, script: LISTENER }));
    const folder = product.writeTeam('crew', agents, 'max_active_agents: 2\n');
    const launch = await planOf('quick-start', folder);
    expect(actionsOf(launch)).toEqual({ a: 'start', b: 'start', c: 'keep' });
    await start(product, folder);
    const ports = (argv: readonly string[] = []) => argv.map((word) => word.replace(/127\.0\.0\.1:[^/]+/, 'HERE'));
    for (const agent of ['a', 'b']) {
      const planned = launch.agents.find(({ agent_id }) => agent_id === agent);
      expect(ports(runningArgv(agent))).toEqual(ports(planned?.argv));
    }
    const intents = () =>
      Object.fromEntries(product.rows('select agent_id, intent from agents').map((row) => [row.agent_id, row.intent]));
    expect(intents()).toEqual({ a: 'running', b: 'running', c: 'stopped' });
    await deliver(product, 'a', 'remember this');

    const untouched = bytesOf();
    expect(actionsOf(await planOf('start-agent', 'a'))).toEqual({ a: 'keep' });
    const stop = await planOf('stop-agent', 'a');
    const reset = await planOf('reset-agent', 'a');
    const shutdown = await planOf('shutdown');
    expect([stop, reset, shutdown].map(actionsOf)).toEqual([
      { a: 'stop' },
      { a: 'fresh' },
      { a: 'stop', b: 'stop', c: 'keep' },
    ]);
    expect(bytesOf()).toBe(untouched);

    const remembered = sessionOf('a');
    expect(await ask(product, 'stop-agent', 'a')).toMatchObject({ ok: true, stopped: true });
    const again = await planOf('start-agent', 'a');
    expect(again.agents).toMatchObject([{ action: 'resume', session_id: remembered }]);
    expect(await ask(product, 'start-agent', 'a')).toMatchObject({ start_mode: 'resumed', session_id: remembered });
    expect(await ask(product, 'shutdown')).toMatchObject({ ok: true });

    const down = bytesOf();
    const restart = await planOf('restart');
    expect(bytesOf()).toBe(down);
    expect(product.coordinator()).toBeUndefined();
    expect(actionsOf(restart)).toEqual({ a: 'resume', b: 'resume', c: 'keep' });
    const restarted = await product.json<{ agents: readonly { agent_id: string; session_id: string }[] }>(['restart']);
    expect(restarted.agents.map(({ agent_id, session_id }) => ({ agent_id, session_id }))).toEqual(
      restart.agents.slice(0, 2).map(({ agent_id, session_id }) => ({ agent_id, session_id })),
    );
  });

  test('C05 starts no coordinator, also where one was killed, and tells of the agents that live on', async () => {
    await start(product, product.writeTeam('crew', [{ id: 'a' }]));
    const { handle } = lifeOf(product, 'a');
    await ask(product, 'coordinator', 'stop');
    await eventually('the coordinator to end', () => product.coordinator() === undefined);
    expect(actionsOf(await planOf('shutdown'))).toEqual({ a: 'stop' });
    expect(actionsOf(await planOf('start-agent', 'a'))).toEqual({ a: 'keep' });
    expect(await ask(product, 'restart', '--dry-run')).toMatchObject({ reason: 'team_already_running' });
    expect(product.coordinator()).toBeUndefined();
    expect(identifyProcess(handle.process.pid)).toEqual(handle.process);
  });
});

describe('how many run, and who first', () => {
  test('C11 an agent that startup_order names starts once the one before it is ready, the others beside them', async () => {
    // `first` greets when the file is there, which `beside` makes once it is up.
    const mark = path.join(product.workspace, 'beside-is-up');
    const waiting = `before_greeting: [{ run: "sh -c 'until test -e ${mark}; do sleep 0.05; done'" }]\n${LISTENER}`;
    const making = `on_start: [{ run: "touch ${mark}" }]\n${LISTENER}`;
    const agents = [
      { id: 'beside', script: making },
      { id: 'first', script: waiting },
      { id: 'second', script: LISTENER },
    ];
    await start(product, product.writeTeam('crew', agents, 'startup_order: [first, second]\n'));
    const spawned = () =>
      product
        .rows(`select data from events where type = 'agent.spawned' order by seq`)
        .map((row) => JSON.parse(String(row.data)).agent_id);
    expect(spawned().toSorted()).toEqual(['beside', 'first', 'second']);
    expect(spawned().at(-1)).toBe('second');
    await ask(product, 'shutdown');
    fs.rmSync(mark);
    expect(await ask(product, 'restart')).toMatchObject({ ok: true });
    expect(spawned().at(-1)).toBe('second');
  });

  test('C03 C11 --fresh leaves the conversations of those behind, too, that do not start now', async () => {
    const agents = ['a', 'b'].map((id) => ({ id, script: LISTENER }));
    const folder = product.writeTeam('crew', agents, 'max_active_agents: 1\n');
    await start(product, folder);
    await ask(product, 'stop-agent', 'a');
    expect(await ask(product, 'start-agent', 'b')).toMatchObject({ ok: true });
    await deliver(product, 'b', 'remember me');
    await ask(product, 'shutdown');
    await start(product, folder, '--fresh');
    await ask(product, 'stop-agent', 'a');
    expect(await ask(product, 'start-agent', 'b')).toMatchObject({ ok: true, start_mode: 'fresh' });
  });

  test('C11 C13 one more than max_active_agents is refused with who could be stopped; of two at once one gets the place', async () => {
    const agents = [...['a', 'b', 'c', 'd'].map((id) => ({ id })), { id: 'resting', head: 'paused: true\n' }];
    await start(product, product.writeTeam('crew', agents, 'max_active_agents: 2\n'));
    const status = await product.json<{ agents: Record<string, { intent: string; incarnation: string | null }> }>([
      'status',
    ]);
    expect(
      Object.entries(status.agents).map(([id, { intent, incarnation }]) => [id, intent, incarnation !== null]),
    ).toEqual([
      ['a', 'running', true],
      ['b', 'running', true],
      ['c', 'stopped', false],
      ['d', 'stopped', false],
      ['resting', 'paused', false],
    ]);
    expect(await ask(product, 'send', 'c', 'for later')).toMatchObject({ ok: true });
    const refused = await ask(product, 'start-agent', 'c');
    expect(refused).toMatchObject({ code: 1, reason: 'max_active_agents', evidence: { running: ['a', 'b'] } });
    expect(refused.next).toEqual(['team-agent stop-agent a --team crew', 'team-agent stop-agent b --team crew']);
    expect(await ask(product, 'reset-agent', 'd', '--discard-session')).toMatchObject({ reason: 'max_active_agents' });
    expect(await ask(product, 'start-agent', 'resting')).toMatchObject({ reason: 'agent_paused' });

    await ask(product, 'stop-agent', 'a');
    const both = await Promise.all([ask(product, 'start-agent', 'c'), ask(product, 'start-agent', 'd')]);
    expect(both.map(({ ok, reason }) => (ok ? 'started' : reason)).toSorted()).toEqual([
      'max_active_agents',
      'started',
    ]);
    // One that runs keeps its own place.
    expect(await ask(product, 'start-agent', 'b', '--force')).toMatchObject({ ok: true, start_mode: 'resumed' });
  });
});

describe('preflight', () => {
  test('C06 Z14 tells everything that stands in the way of a launch, and does nothing', async () => {
    const agents = [{ id: 'a', script: 'rules: [{ do: [{ dance: 1 }] }]\n' }, { id: 'b' }, { id: 'c' }];
    const folder = product.writeTeam('crew', agents);
    for (const id of ['b', 'c']) {
      const file = path.join(folder, 'agents', `${id}.md`);
      fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('provider: scripted', 'provider: codex'));
    }
    const before = fs.readdirSync(product.workspace);
    type Found = {
      ok: boolean;
      checks: readonly { name: string; agent_id?: string; ok: boolean; reason?: string }[];
      blockers: readonly string[];
      next_actions: readonly string[];
    };
    const found = await product.json<Found>(['preflight', '--team', folder], { environment: { PATH: pathWith() } });
    expect(found).toMatchObject({ code: 1, ok: false });
    expect(found.checks.filter(({ ok }) => !ok).map(({ name, agent_id, reason }) => [name, agent_id, reason])).toEqual([
      ['agent', 'a', 'team_document_invalid'],
      ['agent', 'b', 'provider_missing'],
      ['agent', 'c', 'provider_missing'],
      ['tmux', undefined, 'tmux_missing'],
    ]);
    expect(found.blockers).toHaveLength(4);
    expect(found.next_actions).toContain('npm install --global @openai/codex');
    expect(fs.readdirSync(product.workspace)).toEqual(before);

    fs.writeFileSync(path.join(folder, 'TEAM.md'), '---\nnonsense: 1\n---\n');
    expect(await product.json<Found>(['preflight', folder])).toMatchObject({
      code: 1,
      checks: [{ name: 'documents', ok: false, reason: 'team_document_invalid' }],
    });
  });

  test('C06 says how a team that can be started is started, with the yes that it takes; and that it runs', async () => {
    const folder = product.writeTeam('crew', [{ id: 'a', head: 'permission_mode: bypass\n' }]);
    const found = await product.json<{ next_actions: readonly string[] }>(['preflight', folder]);
    expect(found).toMatchObject({ code: 0, ok: true, blockers: [] });
    expect(found.next_actions).toEqual([`team-agent quick-start ${folder} --yes`]);
    expect(fs.existsSync(product.paths.team)).toBe(false);
    await start(product, folder, '--yes');
    expect(await product.json(['preflight', '--team', 'crew'])).toMatchObject({ code: 1, ok: false });
  });
});

describe('launch and start', () => {
  const specOf = (more: string) => `version: 1
team: { name: crew, mode: supervisor_worker, objective: Try it. }
leader: { id: leader, role: leader, provider: scripted, model: null }
agents:
  - { id: bob, role: worker, provider: scripted, model: null, system_prompt: { inline: Do it., file: null }, tools: [] }
  - { id: amy, role: worker, provider: scripted, model: null, system_prompt: { inline: Do it., file: null }, tools: [] }
runtime: { max_active_agents: 1${more} }
`;

  test('C05 a spec is launched only after a yes, and what was shown before is what runs', async () => {
    const spec = path.join(product.workspace, 'team.spec.yaml');
    fs.writeFileSync(spec, specOf(''));
    const refused = await ask(product, 'launch', spec);
    expect(refused).toMatchObject({ code: 1, reason: 'launch_needs_yes' });
    expect(refused.next).toEqual([`team-agent launch ${spec} --dry-run`, `team-agent launch ${spec} --yes`]);
    expect(fs.existsSync(product.paths.team)).toBe(false);
    const plan = await planOf('launch', spec);
    expect(plan.safety).toMatchObject({ requires_explicit_yes: true, dangerous_auto_approve: false });
    expect(actionsOf(plan)).toEqual({ bob: 'start', amy: 'keep' });
    expect(plan.next).toEqual([`team-agent launch ${spec} --yes`]);
    const launched = await product.json<{ agents: readonly { agent_id: string }[] }>(['launch', spec, '--yes']);
    expect(launched.agents.map(({ agent_id }) => agent_id)).toEqual(['bob']);
  });

  test('C05 a spec that says so is launched without one, and start takes the folder that --team names', async () => {
    const spec = path.join(product.workspace, 'team.spec.yaml');
    fs.writeFileSync(spec, specOf(', require_user_approval_before_launch: false'));
    expect(await ask(product, 'launch', spec)).toMatchObject({ code: 0, ok: true });
    await ask(product, 'shutdown');
    expect(await ask(product, 'start', '--team', path.join(product.paths.team, 'crew'))).toMatchObject({ ok: true });
  });
});

describe('wait-ready', () => {
  const FACTS = { process_started: true, cli_prompt_ready: true, mcp_ready: true, task_prompt_delivered: false };

  test('C07 ends when every agent that is to run has its three facts, while the launch goes on', async () => {
    const mark = path.join(product.workspace, 'go');
    const waiting = `before_greeting: [{ run: "sh -c 'until test -e ${mark}; do sleep 0.05; done'" }]\n${LISTENER}`;
    const agents = [
      { id: 'a', script: LISTENER },
      { id: 'slow', script: waiting },
      { id: 'p', head: 'paused: true\n' },
    ];
    const launch = ask(product, 'quick-start', product.writeTeam('crew', agents));
    await expect
      .poll(() => fs.existsSync(product.paths.ledger) && product.rows('select agent_id from agents').length, {
        timeout: 15_000,
      })
      .toBe(3);
    const late = await ask(product, 'wait-ready', '--timeout', '0.2');
    expect(late).toMatchObject({ code: 1, ok: false, reason: 'timeout' });
    expect(late.evidence).toMatchObject({ readiness: { cli_prompt_ready: false } });
    const ready = ask(product, 'wait-ready', '--timeout', '30');
    fs.writeFileSync(mark, '');
    expect(await ready).toMatchObject({
      code: 0,
      ok: true,
      readiness: FACTS,
      agents: [
        { agent_id: 'a', readiness: FACTS },
        { agent_id: 'slow', readiness: FACTS },
      ],
    });
    expect(await launch).toMatchObject({ ok: true });
    await deliver(product, 'a', 'begin');
    expect(await ask(product, 'wait-ready')).toMatchObject({
      readiness: FACTS,
      agents: [{ readiness: { ...FACTS, task_prompt_delivered: true } }, { readiness: FACTS }],
    });
    await ask(product, 'shutdown');
    expect(await ask(product, 'wait-ready')).toMatchObject({ code: 4, reason: 'coordinator_absent' });
  });
});

describe('a yes', () => {
  test('C04 Z16 is kept with who said it: a restart of the same policy honours it, one that may more asks again', async () => {
    const agents = [{ id: 'bold', script: LISTENER, head: 'permission_mode: bypass\n' }];
    const folder = product.writeTeam('crew', agents);
    expect(await ask(product, 'quick-start', folder)).toMatchObject({ code: 1, reason: 'dangerous_needs_yes' });
    await start(product, folder, '--yes');
    const safety = { dangerous_auto_approve: true, agents: [{ agent_id: 'bold', granted_by: 'person' }] };
    expect(await product.json(['status'])).toMatchObject({ safety });
    await ask(product, 'shutdown');
    expect((await planOf('restart')).safety).toMatchObject({ ...safety, requires_explicit_yes: false });
    expect(await ask(product, 'restart')).toMatchObject({ code: 0, ok: true });
    expect(await ask(product, 'start-agent', 'bold', '--force')).toMatchObject({ ok: true });

    const document = path.join(product.paths.team, 'crew', 'agents', 'bold.md');
    const edit = (from: string, to: string) =>
      fs.writeFileSync(document, fs.readFileSync(document, 'utf8').replace(from, to));
    edit('tools: []', 'tools: ["*"]');
    await ask(product, 'shutdown');
    const more = await ask(product, 'restart');
    expect(more).toMatchObject({
      code: 1,
      reason: 'dangerous_needs_yes',
      next: ['team-agent restart --team crew --yes'],
    });
    expect((await planOf('restart')).safety).toMatchObject({ requires_explicit_yes: true });

    // Started under a policy that asks, the old yes is over.
    edit('tools: ["*"]', 'tools: []');
    edit('permission_mode: bypass', 'permission_mode: manual');
    expect(await ask(product, 'restart')).toMatchObject({ ok: true });
    edit('permission_mode: manual', 'permission_mode: bypass');
    await ask(product, 'shutdown');
    expect(await ask(product, 'restart')).toMatchObject({ code: 1, reason: 'dangerous_needs_yes' });
  });
});
