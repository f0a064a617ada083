/** Starting and ending agents: plan, journal, steps, commit. */
export { type Effects, READY_DEADLINE } from './effects.ts';
export { handleOf, recordEnd } from './ending.ts';
export { type Launched, launchTeam } from './launch.ts';
export { type LaunchOrder, readDocuments } from './plan.ts';
export { recover } from './recovery.ts';
export { type ShutDown, shutDownTeam } from './shutdown.ts';
