/** Team documents: TEAM.md and role documents, read strictly, compiled into a team, kept under `.team/`. */
export { compileTeam } from './compile.ts';
export { installTeam, planHome, planInstall } from './install.ts';
export { teamIdOf } from './names.ts';
export { findTeamFolder, futureTeamFolder, type TeamPlace } from './place.ts';
export { checkProfile, credentialsOf, type ProfileCheck } from './profiles/check.ts';
export { isProfileName, modeOf, parseProfile } from './profiles/file.ts';
export { diagnoseProfile, type ProfileDiagnosis, type ProfileShown, showProfile } from './profiles/inspection.ts';
export { filesOfProfile, findProfile, initProfile, readProfile } from './profiles/store.ts';
export { addressOf, networkOf, smokeSwitchedOff } from './profiles/values.ts';
export { asksBeforeLaunch, readTeam } from './read.ts';
export { adoptRole } from './role-text.ts';
export { redacted } from './secrets.ts';
export type { AgentSpec, FoundProfile, MemberChange, ProviderNames, Surroundings, Team, TeamFile } from './shape.ts';
export { isSpecText, readSpec, type SpecSurroundings } from './spec/read.ts';
export { documentSchemas } from './spec/schemas.ts';
export { SPEC_FILE, specOf, specText } from './spec/write.ts';
export type { RouteMatch, Routing, TaskSpec } from './tasks/shape.ts';
export { unusedIn } from './unused.ts';
