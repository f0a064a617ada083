import { z } from 'zod';
import { AUTH_MODES } from '../providers/index.ts';
import {
  agentName,
  flag,
  given,
  harmless,
  listOf,
  notYet,
  oneOf,
  positive,
  profileName,
  text,
  toolWord,
  variableName,
} from './fields.ts';
import { PERMISSION_WORDS } from './permission.ts';
import { APPROVERS, DISPLAYS, type Kept, MCP_CHOICES, NOTIFY } from './shape.ts';
import { peerLimits, routing, tasks } from './tasks/schema.ts';

const SECONDS = 'a number of seconds above 0';

/** What this version cannot do for a team or an agent, and says so rather than ignore it. */
const NOT_YET = {
  isolation: harmless('none', 'agents share the working folder'),
  budget: notYet('no budget is kept, so nothing would stop at it'),
} as const;

/** The head of TEAM.md. Every field is optional. */
export const teamFields = z.strictObject({
  name: text('a name such as web-shop').optional(),
  objective: text('what the team is for, as text').optional(),
  provider: text("the leader's provider, such as claude or codex").optional(),
  model: text('the name of a model').optional(),
  leader_model: text('the name of a model, for the leader alone').optional(),
  leader_role: text("the leader's role, as text").optional(),
  default_model: text('the name of a model').optional(),
  provider_models: z
    .record(z.string(), text('the name of a model'), {
      error: 'does not fit; write providers with a model each, such as {codex: gpt-5.5}',
    })
    .optional(),
  default_auth_mode: oneOf(AUTH_MODES).optional(),
  default_profile: profileName.optional(),
  session_name: text('a tmux session name')
    .regex(/^[\p{L}\p{N}_][^.:\p{Cc}]*$/u, {
      error: 'cannot name a tmux session; begin with a letter or digit, and leave out . and :',
    })
    .optional(),
  notify: oneOf(NOTIFY).optional(),
  mcp: oneOf(MCP_CHOICES).optional(),
  permission_mode: oneOf(PERMISSION_WORDS).optional(),
  dangerous_auto_approve: flag().optional(),
  approvals: oneOf(APPROVERS).optional(),
  env: listOf(variableName, 'a list of variable names, such as [NPM_TOKEN]').optional(),
  worker_to_worker: flag().optional(),
  peer_mirror: flag().optional(),
  peer_limits: peerLimits.optional(),
  tasks: tasks.optional(),
  routing: routing.optional(),
  startup_order: listOf(text('the name of an agent'), 'a list of agents, such as [builder, tester]').optional(),
  max_active_agents: positive('a whole number of agents')
    .int({ error: 'does not fit; write a whole number' })
    .optional(),
  auto_trust_own_workspace: flag().optional(),
  fast: flag().optional(),
  display_backend: oneOf(DISPLAYS).optional(),
  tick_interval_sec: positive(SECONDS).optional(),
  push_min_interval_sec: positive(SECONDS).optional(),
  stuck_timeout_sec: positive(SECONDS).optional(),
  ...NOT_YET,
});
export type TeamFields = z.output<typeof teamFields>;

/** Settings that are kept as they were written: they say how a team is shown and how often it is looked at. */
export function keptFields(fields: TeamFields): Kept {
  const { display_backend, tick_interval_sec, push_min_interval_sec, stuck_timeout_sec } = fields;
  return given({ display_backend, tick_interval_sec, push_min_interval_sec, stuck_timeout_sec });
}

/** The head of a role document. `name`, `role`, `provider` and `tools` are required. */
export const roleFields = z.strictObject({
  name: agentName,
  role: text('what the agent is, such as developer'),
  provider: text('the CLI that plays it, such as claude, codex or scripted'),
  tools: listOf(toolWord, 'a list such as [fs_read, execute_bash]'),
  model: text('the name of a model').optional(),
  working_directory: text('a folder, relative to the workspace').optional(),
  script: text('a file, relative to this document').optional(),
  env: listOf(variableName, 'a list of variable names, such as [NPM_TOKEN]').optional(),
  mcp: oneOf(MCP_CHOICES).optional(),
  permission_mode: oneOf(PERMISSION_WORDS).optional(),
  dangerous_auto_approve: flag().optional(),
  paused: flag().optional(),
  auth_mode: oneOf(AUTH_MODES).optional(),
  profile: profileName.optional(),
  host: notYet('agents run on this machine only'),
  ...NOT_YET,
});
export type RoleFields = z.output<typeof roleFields>;
