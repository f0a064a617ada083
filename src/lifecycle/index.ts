/** Starting and ending agents: plan, journal, steps, commit. */
export type { Effects } from './effects.ts';
export { recordEnd } from './ending.ts';
export {
  endLeader,
  findConversation,
  followFound,
  introduceLeader,
  onSessionOf,
  prepareLeader,
  twinsOf,
} from './leading.ts';
export { handleOf } from './life.ts';
export { firstBlocker } from './planning/checks.ts';
export { planShutdown, planStop } from './planning/ending.ts';
export { type Grant, grantsOf, isDangerous } from './planning/grants.ts';
export { type AddOrder, addedNewcomer, type ForkOrder, planAdd, planFork } from './planning/joining.ts';
export { planTeam, surveyLaunch } from './planning/launching.ts';
export { type AgentPlan, startingOf } from './planning/plan.ts';
export { type Preflight, preflight } from './planning/preflight.ts';
export { planRemove, type RemoveOrder } from './planning/removing.ts';
export { planRestart, type RestartOrder } from './planning/restarting.ts';
export { routesOf, type Safety, type ShownAgent, type ShownRoute, safetyOf, shownAgent } from './planning/shown.ts';
export { planReset, planStart, type ResetOrder, type StartAgentOrder, teamNotRunning } from './planning/starting.ts';
export { checkProfiles, readCredential } from './profiles/credential.ts';
export type { SmokeCheck } from './profiles/smoke.ts';
export { VerbQueue } from './queue.ts';
export { recover, settleCutOff } from './recovery.ts';
export { livesOf, type Sight, sightOver } from './sight.ts';
export { type Asking, readOrdered, whoAsks, whoLaunches } from './starting/members.ts';
export { commandOf as launchCommand, type LaunchOrder, readDocuments } from './starting/plan.ts';
export { type Left, unended } from './survivors.ts';
export { addAgent, forkAgent } from './verbs/add.ts';
export { type Launched, launchTeam } from './verbs/launch.ts';
export { removeAgent } from './verbs/remove.ts';
export { resetAgent } from './verbs/reset.ts';
export { restartTeam } from './verbs/restart.ts';
export { shutDownTeam } from './verbs/shutdown.ts';
export { startOne } from './verbs/start.ts';
export { stopAgent } from './verbs/stop.ts';
export { reopenView } from './views.ts';
