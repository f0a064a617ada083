import { type AgentId, isRefusal, type Refusal, refuse, shellWord } from '../kernel/index.ts';
import {
  type Change,
  findIncarnation,
  insertIncarnation,
  putTeam,
  setTeamIntent,
  trustFolder,
  updateAgent,
  updateIncarnation,
  upsertAgent,
} from '../ledger/index.ts';
import { defineTasks } from '../results/index.ts';
import { type AgentSpec, installTeam, type Team } from '../team/index.ts';
import type { Effects } from './effects.ts';
import { endLife } from './ending.ts';
import { Saga } from './journal.ts';
import { type LaunchOrder, type PlannedAgent, planTeam, readDocuments, type TeamPlan } from './plan.ts';
import { type Failure, type Started, startAgent } from './starting.ts';

export interface Launched {
  readonly ok: true;
  readonly team: Team;
  readonly agents: readonly Started[];
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
  await journal(effects, saga, plan, order);
  await effects.reach('launch.journalled');

  const starts = await Promise.all(plan.agents.map((agent) => startOrSay(effects, plan, agent, started)));
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

async function journal(effects: Effects, saga: Saga, plan: TeamPlan, order: LaunchOrder): Promise<void> {
  const { team } = plan;
  await effects.ledger.change(team.id, 'coordinator', async (change) => {
    await putTeam(change, {
      name: team.name,
      session_name: team.sessionName,
      documents: team.folder,
      objective: team.objective,
      intent: 'running',
      notify: team.notify,
      approvals: team.approvals,
      worker_to_worker: team.workerToWorker ? 1 : 0,
      peer_mirror: team.peerMirror ? 1 : 0,
      peer_limits: JSON.stringify(team.peerLimits),
      routing: JSON.stringify(team.routing),
    });
    for (const [position, spec] of team.agents.entries()) await upsertAgent(change, agentRow(team, spec, position));
    await defineTasks(change, team.tasks);
    for (const agent of plan.agents) await insertLife(change, effects, team, agent);
    await saga.open(change, 'launch', { incarnations: plan.agents.map((agent) => agent.incarnation) });
    await change.event('team.launching', { agents: plan.agents.map((agent) => agent.spec.id) });
    await grant(change, plan, order);
  });
  const rows = await Promise.all(plan.agents.map((agent) => findIncarnation(effects.ledger.db, agent.incarnation)));
  for (const [position, spec] of team.agents.entries())
    effects.roster.enrol({ ...agentRow(team, spec, position), interacted_at: null });
  for (const row of rows) if (row) effects.roster.honour(row);
}

/** What the person said yes to is written down with the launch that needed it. */
async function grant(change: Change, { agents }: TeamPlan, { trust, yes, asked_by }: LaunchOrder): Promise<void> {
  const folders = trust ? [...new Set(agents.map(({ spec }) => spec.folder))] : [];
  for (const folder of folders) await trustFolder(change, folder, asked_by);
  if (folders.length > 0) await change.event('folders.trusted', { folders, said_by: asked_by });
  const dangerous = agents.filter(({ spec }) => spec.permission === 'bypass').map(({ spec }) => spec.id);
  if (yes && dangerous.length > 0) await change.event('permission.granted', { agents: dangerous, said_by: asked_by });
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
    permission: spec.permission,
    tools: JSON.stringify(spec.tools),
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
}

async function commitReady(change: Change, plan: TeamPlan): Promise<void> {
  for (const agent of plan.agents) {
    await updateIncarnation(change, agent.incarnation, { ready_at: change.now });
    await change.event('agent.ready', { agent_id: agent.spec.id, incarnation: agent.incarnation });
  }
  await change.event('team.launched', { agents: plan.agents.map((agent) => agent.spec.id) });
}

/** A fault in the start of one agent undoes the launch like any other failure. */
async function startOrSay(effects: Effects, { team }: TeamPlan, agent: PlannedAgent, began: number) {
  try {
    return await startAgent(effects, team, agent, began);
  } catch (error) {
    return {
      agent_id: agent.spec.id,
      what: `it could not be followed: ${error instanceof Error ? error.message : String(error)}`,
    } satisfies Failure;
  }
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
  // Its own CLI may have said what stands in the way, and what helps.
  const said = failures.flatMap(({ refusal }) => refusal ?? []);
  const named = said.find(({ reason }) => reason !== 'launch_failed');
  return refuse(
    named?.reason ?? 'agents_not_ready',
    `${failures.map((failure) => `${failure.agent_id}: ${failure.what.replace(/\.$/, '')}`).join('; ')}. The team was not started; what was started is ended again.${screen}`,
    {
      evidence: { failures },
      next: [
        ...new Set([
          ...said.flatMap(({ next }) => next),
          `team-agent events --team ${shellWord(plan.team.id)}`,
          `team-agent quick-start ${shellWord(plan.team.folder)}`,
        ]),
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
