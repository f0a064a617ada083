import fs from 'node:fs';
import path from 'node:path';
import {
  type AgentId,
  ensurePrivateFolder,
  isRefusal,
  printable,
  type Refusal,
  refuse,
  shellWord,
  writePrivateFile,
} from '../kernel/index.ts';
import {
  type Change,
  findIncarnation,
  type IncarnationRow,
  insertIncarnation,
  insertSession,
  putTeam,
  setTeamIntent,
  updateAgent,
  updateIncarnation,
  upsertAgent,
} from '../ledger/index.ts';
import type { AgentHandle } from '../providers/index.ts';
import { type AgentSpec, installTeam, type Team } from '../team/index.ts';
import type { PaneHandle } from '../tmux/index.ts';
import { type Effects, READY_DEADLINE } from './effects.ts';
import { endLife } from './ending.ts';
import { Saga } from './journal.ts';
import { type LaunchOrder, type PlannedAgent, planTeam, readDocuments, type TeamPlan } from './plan.ts';

export interface Launched {
  readonly ok: true;
  readonly team: Team;
  readonly agents: readonly { readonly agent: PlannedAgent; readonly ready_ms: number }[];
}

interface Failure {
  readonly agent_id: string;
  readonly what: string;
  readonly screen?: readonly string[];
}

/**
 * Starts a team from its documents: plan, journal, all agents side by side, commit once every one of them is ready. When
 * one is not, everything that was started is ended again and the refusal shows the screen of the one that failed.
 */
export async function launchTeam(effects: Effects, order: LaunchOrder): Promise<Launched | Refusal> {
  const started = effects.clock.now();
  const plan = await planAndInstall(effects, order);
  if (isRefusal(plan)) return plan;
  const saga = new Saga(effects.ledger, plan.team.id);
  await journal(effects, saga, plan);
  await effects.reach('launch.journalled');

  const starts = await Promise.all(plan.agents.map((agent) => startAgent(effects, plan.team, agent, started)));
  const failures = starts.flatMap((start) => ('what' in start ? [start] : []));
  if (failures.length > 0) return undo(effects, saga, plan, failures);

  await effects.reach('launch.before_ready');
  await saga.end('done', (change) => commitReady(change, plan));
  for (const { incarnation } of plan.agents) effects.roster.byIncarnation(incarnation)?.markReady();
  effects.changes.notify();
  return { ok: true, team: plan.team, agents: starts.flatMap((start) => ('ready_ms' in start ? [start] : [])) };
}

/** Plans twice: against the documents where they are, so that a refusal changes nothing, then where they will stay. */
async function planAndInstall(effects: Effects, order: LaunchOrder): Promise<TeamPlan | Refusal> {
  const read = readDocuments(effects.workspace, order);
  if (isRefusal(read)) return read;
  const plan = await planTeam(effects, read, order);
  if (isRefusal(plan)) return plan;
  const installed = installTeam(order.folder, effects.workspace, read);
  if (isRefusal(installed)) return installed;
  if (installed.folder === order.folder) return plan;
  const kept = readDocuments(effects.workspace, { ...order, folder: installed.folder });
  return isRefusal(kept) ? kept : planTeam(effects, kept, order);
}

async function journal(effects: Effects, saga: Saga, plan: TeamPlan): Promise<void> {
  const { team } = plan;
  await effects.ledger.change(team.id, 'coordinator', async (change) => {
    await putTeam(change, {
      name: team.name,
      session_name: team.sessionName,
      documents: team.folder,
      objective: team.objective,
      intent: 'running',
      notify: team.notify,
    });
    for (const [position, spec] of team.agents.entries()) await upsertAgent(change, agentRow(team, spec, position));
    for (const agent of plan.agents) await insertLife(change, effects, team, agent);
    await saga.open(change, 'launch', { incarnations: plan.agents.map((agent) => agent.incarnation) });
    await change.event('team.launching', { agents: plan.agents.map((agent) => agent.spec.id) });
  });
  const rows = await Promise.all(plan.agents.map((agent) => findIncarnation(effects.ledger.db, agent.incarnation)));
  for (const [position, spec] of team.agents.entries())
    effects.roster.enrol({ ...agentRow(team, spec, position), interacted_at: null });
  for (const row of rows) if (row) effects.roster.honour(row);
}

function agentRow(team: Team, spec: AgentSpec, position: number) {
  return {
    team: team.id,
    agent_id: spec.id,
    generation: 1,
    provider: spec.provider,
    role: spec.role,
    model: spec.model,
    folder: spec.folder,
    script: spec.script ?? null,
    prompt: spec.prompt,
    position,
    intent: spec.paused ? ('paused' as const) : ('running' as const),
    interacted_at: null,
  };
}

async function insertLife(change: Change, effects: Effects, team: Team, agent: PlannedAgent): Promise<void> {
  await insertIncarnation(change, {
    incarnation: agent.incarnation,
    team: team.id,
    agent_id: agent.spec.id,
    generation: 1,
    host: effects.ledger.ownership.host,
    token_hash: agent.tokenHash,
    handle: null,
    calls_read: 0,
    launched_at: change.now,
    ready_at: null,
    ended_at: null,
    exit: null,
  });
  await insertSession(change, {
    team: team.id,
    session_id: agent.launch.session,
    agent_id: agent.spec.id,
    generation: 1,
    provider: agent.spec.provider,
    incarnation: agent.incarnation,
    record: agent.launch.record,
    opened_at: change.now,
    closed_at: null,
  });
}

/** Opens the pane, follows the agent, waits until it is ready. */
async function startAgent(
  effects: Effects,
  team: Team,
  agent: PlannedAgent,
  began: number,
): Promise<{ agent: PlannedAgent; ready_ms: number } | Failure> {
  const agent_id = agent.spec.id;
  const pane = await spawn(effects, team, agent);
  if (isRefusal(pane)) return { agent_id, what: pane.message };
  await effects.reach('launch.spawned');
  const handle: AgentHandle = {
    pane,
    session: agent.launch.session,
    record: agent.launch.record,
    ...(agent.launch.socket === undefined ? {} : { socket: agent.launch.socket }),
    exitFile: path.join(agent.runFolder, 'exit'),
  };
  const row = await effects.ledger.change(team.id, 'coordinator', async (change) => {
    await updateIncarnation(change, agent.incarnation, { handle: JSON.stringify(handle) });
    await change.event('agent.spawned', { agent_id, incarnation: agent.incarnation });
    return findIncarnation(change.tx, agent.incarnation);
  });
  if (!row) return { agent_id, what: 'its row is gone' };
  return awaitReady(effects, row, handle, agent, began);
}

async function awaitReady(
  effects: Effects,
  row: IncarnationRow,
  handle: AgentHandle,
  agent: PlannedAgent,
  began: number,
) {
  const agent_id = agent.spec.id;
  const member = effects.roster.follow(row, handle);
  await effects.reach('launch.attached');
  const outcome = await effects.changes.until(
    () => (member?.canBeReady() ? 'ready' : member?.processLiveness() === 'dead' ? 'dead' : undefined),
    READY_DEADLINE,
  );
  if (outcome === 'ready') return { agent, ready_ms: effects.clock.now() - began };
  const screen = await effects.terminals.screen(handle.pane);
  const what =
    outcome === 'dead' ? 'it ended before it was ready' : `it was not ready after ${READY_DEADLINE / 1_000} s`;
  return { agent_id, what, ...(screen ? { screen: lastLines(screen) } : {}) };
}

async function spawn(effects: Effects, team: Team, agent: PlannedAgent): Promise<PaneHandle | Refusal> {
  const refused = ensurePrivateFolder(agent.runFolder) ?? ensurePrivateFolder(path.dirname(agent.launch.record));
  if (refused) return refused;
  writePrivateFile(path.join(agent.runFolder, 'token'), `${agent.token}\n`);
  for (const file of agent.launch.files) {
    fs.mkdirSync(path.dirname(file.path), { recursive: true, mode: 0o700 });
    writePrivateFile(file.path, file.content);
  }
  return effects.terminals.open({
    session: team.sessionName,
    window: agent.spec.id,
    incarnation: agent.incarnation,
    folder: agent.spec.folder,
    environment: agent.launch.environment,
    argv: agent.launch.argv,
  });
}

async function commitReady(change: Change, plan: TeamPlan): Promise<void> {
  for (const agent of plan.agents) {
    await updateIncarnation(change, agent.incarnation, { ready_at: change.now });
    await change.event('agent.ready', { agent_id: agent.spec.id, incarnation: agent.incarnation });
  }
  await change.event('team.launched', { agents: plan.agents.map((agent) => agent.spec.id) });
}

/** Before the point of no return: every pane that was opened is closed again, the team is as it was. */
async function undo(effects: Effects, saga: Saga, plan: TeamPlan, failures: readonly Failure[]): Promise<Refusal> {
  await undoLaunch(
    effects,
    saga,
    plan.agents.map((agent) => agent.incarnation),
    plan.team.sessionName,
  );
  const [first] = failures;
  const screen = first?.screen?.length ? `\nIts screen:\n${first.screen.map((line) => `  | ${line}`).join('\n')}` : '';
  return refuse(
    'agents_not_ready',
    `${failures.map((failure) => `${failure.agent_id}: ${failure.what}`).join('; ')}. The team was not started; what was started is ended again.${screen}`,
    {
      evidence: { failures },
      next: [
        `team-agent events --team ${shellWord(plan.team.id)}`,
        `team-agent quick-start ${shellWord(plan.team.folder)}`,
      ],
    },
  );
}

/** Ends all lives of a launch that did not come to its end; used at once after a failure, and by boot after a crash. */
export async function undoLaunch(
  effects: Effects,
  saga: Saga,
  incarnations: readonly string[],
  sessionName: string,
): Promise<void> {
  const agents: AgentId[] = [];
  for (const incarnation of incarnations) {
    const row = await findIncarnation(effects.ledger.db, incarnation as PlannedAgent['incarnation']);
    if (!row) continue;
    agents.push(row.agent_id as AgentId);
    await endLife(effects, row, 'its launch was undone');
  }
  await effects.terminals.closeSession(sessionName);
  await saga.end('undone', async (change) => {
    await setTeamIntent(change, 'stopped');
    for (const agent of agents) await updateAgent(change, agent, { intent: 'stopped' });
    await change.event('team.launch_undone', { agents });
  });
}

/** The end of a screen without its empty tail, printable. */
function lastLines(screen: readonly string[]): string[] {
  const lines = screen.map((line) => printable(line).trimEnd());
  while (lines.length > 0 && lines.at(-1) === '') lines.pop();
  return lines.slice(-12);
}
