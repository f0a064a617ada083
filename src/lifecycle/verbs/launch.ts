import { type AgentId, isRefusal, type Mint, type Refusal, refuse, shellWord } from '../../kernel/index.ts';
import {
  agentsOf,
  type Change,
  discardSessions,
  lastBearer,
  putTeam,
  setTeamIntent,
  trustFolder,
  updateAgent,
  upsertAgent,
} from '../../ledger/index.ts';
import { removeRecipient } from '../../messages/index.ts';
import { defineTasks } from '../../results/index.ts';
import { type AgentSpec, installTeam, type Team } from '../../team/index.ts';
import type { Effects } from '../effects.ts';
import { type Ended, recordEnd } from '../ending.ts';
import { enrol } from '../enrolling.ts';
import type { Saga } from '../journal.ts';
import { type GrantedPlan, isDangerous, policyOf } from '../planning/grants.ts';
import { planTeam } from '../planning/launching.ts';
import { intentOf, startingOf, type TeamPlan } from '../planning/plan.ts';
import type { Failure, Started } from '../starting/agent.ts';
import { recordDeprecated } from '../starting/deprecated.ts';
import { type FailedLives, startLives, undoLives } from '../starting/lives.ts';
import { readOrdered } from '../starting/members.ts';
import type { LaunchOrder, PlannedAgent } from '../starting/plan.ts';
import { unended } from '../survivors.ts';

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
  const read = await readOrdered(effects, order);
  return isRefusal(read) ? read : effects.queue.run({ team: read.id }, (cut) => launch(effects, order, cut));
}

async function launch(effects: Effects, order: LaunchOrder, cut: AbortSignal): Promise<Launched | Refusal> {
  const plan = await planAndInstall(effects, { ...order, asked: new Map() });
  if (isRefusal(plan)) return plan;
  const agents = startingOf(plan.agents);
  for (const life of plan.gone) await recordEnd(effects, life, { why: 'it was found gone', asked: false });
  const launched = await startLives(effects, {
    verb: 'launch',
    team: plan.team,
    agents,
    journal: grantedBy(agents, order),
    cut,
    asked: async (change) => {
      await putRunning(change, plan);
      await change.event('team.launching', { agents: agents.map(({ spec }) => spec.id) });
      await grant(change, agents, order);
    },
    enrol: () => enrol(effects, plan.team.id),
    ready: async (change) => {
      await dropUndescribed(change, effects.mint, plan.team);
      if (order.fresh) await leaveBehind(change, plan);
      await change.event('team.launched', { agents: agents.map(({ spec }) => spec.id) });
    },
  });
  if (!launched.ok) return undo(effects, launched, plan);
  return { ok: true, team: plan.team, agents: launched.started };
}

/** Those that do not start now leave behind what they knew, as the others do: nobody goes on with it later. */
async function leaveBehind(change: Change, { agents }: TeamPlan): Promise<void> {
  for (const { action, spec } of agents) {
    if (action !== 'keep') continue;
    const sessions = await discardSessions(change, spec.id);
    if (sessions.length > 0) await change.event('session.discarded', { agent_id: spec.id, sessions });
  }
}

/** Plans twice: against the documents where they are, so that a refusal changes nothing, then where they will stay. */
async function planAndInstall(effects: Effects, order: LaunchOrder): Promise<TeamPlan | Refusal> {
  const read = await readOrdered(effects, order);
  if (isRefusal(read)) return read;
  const plan = await planTeam(effects, read, order);
  if (isRefusal(plan)) return plan;
  const installed = installTeam(order.folder, effects.workspace, read);
  if (isRefusal(installed)) return installed;
  if (installed.folder === order.folder) return plan;
  const kept = await readOrdered(effects, { ...order, folder: installed.folder });
  return isRefusal(kept) ? kept : planTeam(effects, kept, { ...order, folder: installed.folder });
}

/** A team that runs as its documents say. */
export async function putRunning(change: Change, { team, agents }: TeamPlan): Promise<void> {
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
  for (const [position, spec] of team.agents.entries()) {
    const plan = agents.find((one) => one.spec.id === spec.id);
    if (plan) await putAgent(change, spec, { position, intent: intentOf(plan) });
  }
  await defineTasks(change, team.tasks);
  await recordDeprecated(change, team);
}

/** Once the team is up: whom no document describes any more is no member; what it was told stays on record. */
export async function dropUndescribed(change: Change, mint: Mint, team: TeamPlan['team']): Promise<void> {
  const described = new Set<string>(team.agents.map(({ id }) => id));
  for (const { agent_id, generation } of await agentsOf(change.tx, change.team)) {
    const agent = agent_id as AgentId;
    if (described.has(agent)) continue;
    await removeRecipient(change, mint, agent, generation);
    await updateAgent(change, agent, { intent: 'removed' });
    await change.event('agent.removed', { agent_id, generation, why: 'no document describes it any more' });
  }
}

/** What a person said yes to goes into the journal of the verb that needed it: a later start of the same policy honours it. */
export function grantedBy(
  agents: readonly PlannedAgent[],
  { yes, asked_by }: Pick<LaunchOrder, 'yes' | 'asked_by'>,
): GrantedPlan | undefined {
  const policies = agents.map(({ spec }) => policyOf(spec)).filter(isDangerous);
  return yes && policies.length > 0 ? { granted: { said_by: asked_by, policies } } : undefined;
}

/** The same as events, with the folders that may be trusted. */
export async function grant(
  change: Change,
  agents: readonly PlannedAgent[],
  order: Pick<LaunchOrder, 'trust' | 'yes' | 'asked_by'>,
): Promise<void> {
  const { trust, asked_by } = order;
  const folders = trust ? [...new Set(agents.map(({ spec }) => spec.folder))] : [];
  for (const folder of folders) await trustFolder(change, folder, asked_by);
  if (folders.length > 0) await change.event('folders.trusted', { folders, said_by: asked_by });
  const said = grantedBy(agents, order)?.granted;
  if (!said) return;
  await change.event('permission.granted', {
    agents: said.policies.map(({ agent_id }) => agent_id),
    said_by: said.said_by,
  });
}

/** What of a member stands in no document. */
interface Place {
  readonly position: number;
  readonly intent: 'running' | 'paused' | 'stopped';
  /** Of a fork: when its source was first spoken to. */
  readonly interacted_at?: number | null | undefined;
}

/**
 * Puts an agent in as its document tells it. One whose name a removed one bore is another generation: it has that one's
 * conversation when that was not given up.
 */
export async function putAgent(
  change: Change,
  spec: AgentSpec,
  { position, intent, interacted_at }: Place,
): Promise<void> {
  const last = await lastBearer(change.tx, change.team, spec.id);
  await upsertAgent(change, {
    team: change.team,
    agent_id: spec.id,
    generation: last ? last.generation + (last.intent === 'removed' ? 1 : 0) : 1,
    provider: spec.provider,
    role: spec.role,
    model: spec.model,
    folder: spec.folder,
    script: spec.script ?? null,
    prompt: spec.prompt,
    permission: spec.permission,
    tools: JSON.stringify(spec.tools),
    position,
    intent,
    interacted_at: interacted_at ?? last?.interacted_at ?? null,
  });
}

/** Before the point of no return: every pane that was opened is closed again, the team is as it was. */
async function undo(effects: Effects, { saga, failures }: FailedLives, plan: TeamPlan): Promise<Refusal> {
  const left = await undoLaunch(
    effects,
    saga,
    startingOf(plan.agents).map((agent) => agent.incarnation),
    plan.team.sessionName,
  );
  return failed({ failures, left }, 'The team was not started', [
    `team-agent events --team ${shellWord(plan.team.id)}`,
    `team-agent quick-start ${shellWord(plan.team.folder)}`,
  ]);
}

/**
 * Why agents did not get ready, with the screen of the first one, and what their own CLIs say that helps. `left`: what was
 * started and could not be ended again.
 */
export function failed(
  { failures, left }: { readonly failures: readonly Failure[]; readonly left: readonly Ended[] },
  outcome: string,
  next: readonly string[],
): Refusal {
  const [first] = failures;
  const screen = first?.screen?.length ? `\nIts screen:\n${first.screen.map((line) => `  | ${line}`).join('\n')}` : '';
  // Its own CLI may have said what stands in the way, and what helps.
  const said = failures.flatMap(({ refusal }) => refusal ?? []);
  const named = said.find(({ reason }) => reason !== 'launch_failed');
  const again = left.length === 0 ? undefined : unended(left, 'team-agent status');
  const undone = again === undefined ? '; what was started is ended again.' : `. ${again.message}`;
  const what = failures.map((failure) => `${failure.agent_id}: ${failure.what.replace(/\.$/, '')}`).join('; ');
  return refuse(named?.reason ?? 'agents_not_ready', `${what}. ${outcome}${undone}${screen}`, {
    evidence: { failures, ...(left.length === 0 ? {} : { left }) },
    next: [...new Set([...(again?.next ?? []), ...said.flatMap((refusal) => refusal.next), ...next])],
  });
}

/** Ends all lives of a launch that did not come to its end; used at once after a failure, and by boot after a crash. */
export async function undoLaunch(
  effects: Effects,
  saga: Saga,
  incarnations: readonly string[],
  sessionName: string,
): Promise<readonly Ended[]> {
  const left = await undoLives(effects, saga, incarnations, {
    ended: async ({ alone }) => alone && effects.terminals.closeSession(sessionName),
    undone: async (change, { agents, alone }) => {
      if (alone) await setTeamIntent(change, 'stopped');
      for (const agent of agents) await updateAgent(change, agent, { intent: 'stopped' });
      await change.event('team.launch_undone', { agents });
    },
  });
  await enrol(effects, saga.team);
  return left;
}
