import { isRefusal, type Refusal, refuse } from '../../kernel/index.ts';
import { lastSession } from '../../ledger/index.ts';
import { type AgentSpec, asksBeforeLaunch, planHome, type Team } from '../../team/index.ts';
import { tmuxVersion } from '../../tmux/index.ts';
import { livesOf, type Sight } from '../sight.ts';
import { type Beginning, commandOf, type LaunchOrder, planAgent } from '../starting/plan.ts';
import { type Check, check, firstBlocker, mayLaunch, sessionTaken } from './checks.ts';
import { withoutYes } from './grants.ts';
import { withinLimit } from './order.ts';
import type { AgentPlan, Kept, TeamPlan } from './plan.ts';

/** All that a start looked at, and what it would do; no plan while an agent cannot be started. */
export interface Survey {
  readonly checks: readonly Check[];
  readonly plan: TeamPlan | undefined;
}

/** What a launch would do. Every check is made, whatever the ones before it say; nothing is changed. */
export async function surveyLaunch(sight: Sight, team: Team, order: LaunchOrder): Promise<Survey> {
  const command = commandOf(order);
  const asked = order.asked ?? new Map();
  const { starting, kept } = divide(team);
  const [mayStart, taken, tmux, planned] = await Promise.all([
    mayLaunch(sight, team, { ...order, command }),
    sessionTaken(sight, team),
    tmuxVersion(order.environment),
    Promise.all(
      starting.map((spec) => planAgent(sight, team, spec, { ...order, asked, command }, () => anew(sight, team, spec))),
    ),
  ]);
  const { gone } = await livesOf(sight, team.id);
  const home = planHome(order.folder, sight.workspace, team);
  const checks = [
    check('team', mayStart),
    check('session_name', taken),
    // A launch begins something: it is asked for anew, whatever somebody said yes to in an earlier one.
    check('consent', withoutYes(starting, { ...order, command }) ?? unasked(order, command)),
    ...planned.map((one, index) => check('agent', isRefusal(one) ? one : undefined, starting[index]?.id)),
    check('tmux', isRefusal(tmux) ? tmux : undefined),
    check('folder', isRefusal(home) ? home : undefined),
  ];
  const agents = together(planned, kept);
  return { checks, plan: isRefusal(agents) ? undefined : { team, agents, granted: [], gone } };
}

/** A spec that somebody else may have written starts nothing unless somebody here says yes to it. */
function unasked({ folder, yes }: LaunchOrder, command: string): Refusal | undefined {
  if (yes || !asksBeforeLaunch(folder)) return undefined;
  return refuse(
    'launch_needs_yes',
    `${folder} is a spec, and a spec is started only after a yes: look at what it would do, then say --yes. (One that says require_user_approval_before_launch: false does not ask.)`,
    { evidence: { spec: folder }, next: [`${command} --dry-run`, `${command} --yes`] },
  );
}

/** Everything a launch will do; all its refusals come from here, before any effect. */
export async function planTeam(sight: Sight, team: Team, order: LaunchOrder): Promise<TeamPlan | Refusal> {
  return planOf(await surveyLaunch(sight, team, order));
}

/** The plan, or the first thing that stands in its way. */
export function planOf({ checks, plan }: Survey): TeamPlan | Refusal {
  const blocker = firstBlocker(checks);
  if (blocker) return blocker;
  if (!plan) throw new Error('a survey without a plan names no blocker');
  return plan;
}

/** Who of a team starts; the others are members that do not run. */
export function divide(team: Team): { readonly starting: readonly AgentSpec[]; readonly kept: readonly Kept[] } {
  const { starting, waiting } = withinLimit(
    team.agents.filter(({ paused }) => !paused),
    team.maxActive,
  );
  const over = `max_active_agents is ${team.maxActive}: it waits`;
  return {
    starting,
    kept: [
      ...waiting.map((spec): Kept => ({ action: 'keep', spec, intent: 'stopped', reason: over })),
      ...team.agents
        .filter(({ paused }) => paused)
        .map((spec): Kept => ({ action: 'keep', spec, intent: 'paused', reason: 'its document says paused' })),
    ],
  };
}

/** Those who start, then those who do not; the first refusal when there is one. */
export function together<Planned extends AgentPlan>(
  planned: readonly (Planned | Refusal)[],
  kept: readonly Kept[],
): readonly AgentPlan[] | Refusal {
  const agents: AgentPlan[] = [];
  for (const one of planned) {
    if (isRefusal(one)) return one;
    agents.push(one);
  }
  return [...agents, ...kept];
}

/** A launch goes on with no conversation. */
async function anew({ ledger }: Sight, team: Team, spec: AgentSpec): Promise<Beginning> {
  const left = await lastSession(ledger.db, team.id, spec.id);
  return left
    ? { action: 'fresh', reason: 'a launch begins a new conversation; the one it had is left behind' }
    : { action: 'start', reason: 'it has no conversation yet' };
}
