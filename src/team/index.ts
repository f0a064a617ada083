/** Team documents: TEAM.md and role documents, read strictly, compiled into a team, kept under `.team/`. */
export { compileTeam } from './compile.ts';
export { installTeam, planHome, planInstall } from './install.ts';
export { teamIdOf } from './names.ts';
export { asksBeforeLaunch, readTeam } from './read.ts';
export { adoptRole } from './role-text.ts';
export type { AgentSpec, MemberChange, ProviderNames, Surroundings, Team, TeamFile } from './shape.ts';
export { readSpec, type SpecSurroundings } from './spec/read.ts';
export { documentSchemas } from './spec/schemas.ts';
export { SPEC_FILE, specOf, specText } from './spec/write.ts';
export type { RouteMatch, Routing, TaskSpec } from './tasks/shape.ts';
