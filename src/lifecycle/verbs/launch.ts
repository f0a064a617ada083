import { isRefusal, type Refusal, refuse, shellWord } from '../../kernel/index.ts';
import { type Change, putTeam, setTeamIntent, trustFolder, updateAgent, upsertAgent } from '../../ledger/index.ts';
import { defineTasks } from '../../results/index.ts';
import { type AgentSpec, installTeam, type Team } from '../../team/index.ts';
import type { Effects } from '../effects.ts';
import { enrol } from '../enrolling.ts';
import type { Saga } from '../journal.ts';
import type { Failure, Started } from '../starting/agent.ts';
import { type FailedLives, startLives, undoLives } from '../starting/lives.ts';
import { type LaunchOrder, planTeam, readDocuments, type TeamPlan } from '../starting/plan.ts';

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
  const read = readDocuments(effects.workspace, order);
  return isRefusal(read) ? read : effects.queue.run({ team: read.id }, (cut) => launch(effects, order, cut));
}

async function launch(effects: Effects, order: LaunchOrder, cut: AbortSignal): Promise<Launched | Refusal> {
  const plan = await planAndInstall(effects, { ...order, asked: new Map() });
  if (isRefusal(plan)) return plan;
  const launched = await startLives(effects, {
    verb: 'launch',
    team: plan.team,
    agents: plan.agents,
    cut,
    asked: (change) => asked(change, plan, order),
    enrol: () => enrol(effects, plan.team.id),
    ready: async (change) => {
      await change.event('team.launched', { agents: plan.agents.map((agent) => agent.spec.id) });
    },
  });
  if (!launched.ok) return undo(effects, launched, plan);
  return { ok: true, team: plan.team, agents: launched.started };
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

/** A team that runs as its documents say. */
export async function putRunning(change: Change, team: Team): Promise<void> {
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
}

async function asked(change: Change, plan: TeamPlan, order: LaunchOrder): Promise<void> {
  await putRunning(change, plan.team);
  await change.event('team.launching', { agents: plan.agents.map((agent) => agent.spec.id) });
  await grant(change, plan, order);
}

/** What the person said yes to is written down with the launch that needed it. */
export async function grant(
  change: Change,
  { agents }: Pick<TeamPlan, 'agents'>,
  { trust, yes, asked_by }: Pick<LaunchOrder, 'trust' | 'yes' | 'asked_by'>,
): Promise<void> {
  const folders = trust ? [...new Set(agents.map(({ spec }) => spec.folder))] : [];
  for (const folder of folders) await trustFolder(change, folder, asked_by);
  if (folders.length > 0) await change.event('folders.trusted', { folders, said_by: asked_by });
  const dangerous = agents.filter(({ spec }) => spec.permission === 'bypass').map(({ spec }) => spec.id);
  if (yes && dangerous.length > 0) await change.event('permission.granted', { agents: dangerous, said_by: asked_by });
}

export function agentRow(team: Pick<Team, 'id'>, spec: AgentSpec, position: number) {
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

/** Before the point of no return: every pane that was opened is closed again, the team is as it was. */
async function undo(effects: Effects, { saga, failures }: FailedLives, plan: TeamPlan): Promise<Refusal> {
  await undoLaunch(
    effects,
    saga,
    plan.agents.map((agent) => agent.incarnation),
    plan.team.sessionName,
  );
  return failed(failures, 'The team was not started; what was started is ended again.', [
    `team-agent events --team ${shellWord(plan.team.id)}`,
    `team-agent quick-start ${shellWord(plan.team.folder)}`,
  ]);
}

/** Why agents did not get ready, with the screen of the first one, and what their own CLIs say that helps. */
export function failed(failures: readonly Failure[], outcome: string, next: readonly string[]): Refusal {
  const [first] = failures;
  const screen = first?.screen?.length ? `\nIts screen:\n${first.screen.map((line) => `  | ${line}`).join('\n')}` : '';
  // Its own CLI may have said what stands in the way, and what helps.
  const said = failures.flatMap(({ refusal }) => refusal ?? []);
  const named = said.find(({ reason }) => reason !== 'launch_failed');
  return refuse(
    named?.reason ?? 'agents_not_ready',
    `${failures.map((failure) => `${failure.agent_id}: ${failure.what.replace(/\.$/, '')}`).join('; ')}. ${outcome}${screen}`,
    { evidence: { failures }, next: [...new Set([...said.flatMap((refusal) => refusal.next), ...next])] },
  );
}

/** Ends all lives of a launch that did not come to its end; used at once after a failure, and by boot after a crash. */
export async function undoLaunch(
  effects: Effects,
  saga: Saga,
  incarnations: readonly string[],
  sessionName: string,
): Promise<void> {
  await undoLives(effects, saga, incarnations, {
    ended: () => effects.terminals.closeSession(sessionName),
    undone: async (change, agents) => {
      await setTeamIntent(change, 'stopped');
      for (const agent of agents) await updateAgent(change, agent, { intent: 'stopped' });
      await change.event('team.launch_undone', { agents });
    },
  });
}
