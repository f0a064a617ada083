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
export { agentFolder, handleOf } from './life.ts';
export { checkProfiles, readCredential, refuseProfile } from './profiles/credential.ts';
export type { SmokeCheck } from './profiles/smoke.ts';
export { VerbQueue } from './queue.ts';
export { recover } from './recovery.ts';
export { type Asking, commandOf, readDocuments, whoAsks, withoutYes } from './starting/plan.ts';
export { type Launched, launchTeam } from './verbs/launch.ts';
export { resetAgent } from './verbs/reset.ts';
export { restartTeam } from './verbs/restart.ts';
export { shutDownTeam } from './verbs/shutdown.ts';
export { startOne, teamNotRunning } from './verbs/start.ts';
export { stopAgent } from './verbs/stop.ts';
export { reopenView } from './views.ts';
