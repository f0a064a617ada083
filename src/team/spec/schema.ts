import { z } from 'zod';
import { flag, harmless, listOf, notYet, oneOf, shown, text, wrong } from '../fields.ts';
import { roleFields, teamFields } from '../schema.ts';
import { rule, task } from '../tasks/schema.ts';
import { WHEN } from './when.ts';

/** The fields of a result: every result has all of them, so a spec may ask for any. */
const RESULT_FIELDS = [
  'schema_version',
  'task_id',
  'agent_id',
  'status',
  'summary',
  'changes',
  'tests',
  'risks',
  'artifacts',
  'next_actions',
] as const;

const part = <Shape extends z.ZodRawShape>(shape: Shape, instead: string) =>
  z.strictObject(shape, { error: wrong(instead) });

/** Why `preferred_for` and `avoid_for` say nothing of their own. */
export const BY_ROUTING = 'who gets a task is said by routing';
const OUR_STORE = 'messages are kept in the ledger, .team/team.db';
const OUR_PLACES = 'where things are kept is not chosen by a spec';
const OWN_LEADER = 'the leader is a conversation of its own, which keeps its context and its tools';

const NO_TOOLS = `is refused: ${OWN_LEADER}; remove tools`;
const leaderTool = <const Word extends string>(word: Word) => z.literal(word, { error: NO_TOOLS });

const team = part(
  {
    name: text('a name such as web-shop'),
    mode: harmless('supervisor_worker', 'one leader leads'),
    objective: teamFields.shape.objective,
    workspace: text('the project folder, absolute or relative to this file').optional(),
  },
  'name, objective and workspace',
);

const leader = part(
  {
    id: harmless('leader', 'the leader has this id always'),
    role: teamFields.shape.leader_role,
    provider: teamFields.shape.provider,
    model: text('the name of a model').nullish(),
    tools: z
      .tuple([leaderTool('fs_read'), leaderTool('fs_list'), leaderTool('mcp_team')], { error: NO_TOOLS })
      .optional(),
    context_policy: part(
      {
        keep_user_thread: harmless(true, OWN_LEADER),
        receive_worker_outputs: harmless('business_messages_and_short_summaries', OWN_LEADER),
        max_worker_result_tokens: harmless(2000, OWN_LEADER),
      },
      'keep_user_thread: true',
    ).optional(),
  },
  'role, provider and model',
);

const { role, provider, tools, working_directory, script, env, mcp, auth_mode, profile } = roleFields.shape;
const { permission_mode, dangerous_auto_approve, paused } = roleFields.shape;

const agent = part(
  {
    id: roleFields.shape.name,
    role,
    provider,
    model: text('the name of a model').nullish(),
    auth_mode,
    profile,
    credential_ref: z
      .string({ error: wrong('profile: and the name of a profile') })
      .regex(/^profile:\S+$/, { error: wrong('profile: and the name of a profile') })
      .optional(),
    working_directory,
    system_prompt: part(
      {
        inline: z.string({ error: wrong('what the agent is told, as text') }).nullish(),
        file: text('a file, relative to this one').nullish(),
      },
      'inline, or file',
    ).optional(),
    tools,
    script,
    env,
    mcp,
    permission_mode,
    dangerous_auto_approve,
    paused,
    preferred_for: listOf(text('the id of the agent, or its role'), 'the id of the agent and its role').optional(),
    avoid_for: listOf(z.never({ error: () => `is refused: ${BY_ROUTING}; remove it` }), '[]').optional(),
    output_contract: part(
      {
        format: harmless('result_envelope_v1', 'there is no other form of a result'),
        required_fields: listOf(oneOf(RESULT_FIELDS), 'a list of the fields of a result').optional(),
      },
      'format: result_envelope_v1',
    ).optional(),
    forked_from: notYet('a conversation cannot be copied by a spec'),
  },
  'an agent with id, role, provider and tools',
);

const WHEN_FORMS =
  "task.type in ['review'], task.type == 'review', task.risk == 'high' or task.files matches ['src/*']";

const specRule = rule
  .extend({
    match: rule.shape.match.optional(),
    when: z
      .string({ error: wrong(WHEN_FORMS) })
      .regex(WHEN, { error: wrong(WHEN_FORMS) })
      .optional(),
  })
  .refine(({ match, when }) => match !== undefined || when !== undefined, {
    error: 'takes no task; write match, or when',
    when: ({ issues }) => issues.length === 0,
  })
  .meta({ anyOf: [{ required: ['match'] }, { required: ['when'] }] });

const routing = part(
  {
    default_assignee: text('the name of an agent, or leader').nullish(),
    rules: listOf(specRule, 'a list of rules').optional(),
  },
  'default_assignee and rules',
);

const communication = part(
  {
    protocol: harmless('mcp_inbox', 'messages go through the coordinator'),
    topology: harmless('leader_centered', 'one leader leads'),
    worker_to_worker: teamFields.shape.worker_to_worker,
    peer_mirror: teamFields.shape.peer_mirror,
    peer_limits: teamFields.shape.peer_limits,
    ack_timeout_sec: harmless(60, 'a delivery ends by proof; give one message its time with send --ttl'),
    result_format: harmless('result_envelope_v1', 'there is no other form of a result'),
    message_store: part(
      {
        sqlite: harmless('.team/runtime/team.db', OUR_STORE),
        mirror_files: harmless('.team/messages', OUR_STORE),
      },
      'nothing: remove the line',
    ).optional(),
  },
  'worker_to_worker',
);

const { display_backend, session_name, startup_order, max_active_agents, fast } = teamFields.shape;
const { notify, approvals, auto_trust_own_workspace } = teamFields.shape;
const { tick_interval_sec, push_min_interval_sec, stuck_timeout_sec } = teamFields.shape;

const runtime = part(
  {
    backend: harmless('tmux', 'agents live in tmux'),
    display_backend,
    session_name,
    auto_launch: harmless(true, 'a team that is started is started whole; write paused at an agent'),
    auto_attach_leader: harmless(true, 'who starts the team leads it'),
    auto_trust_own_workspace,
    require_user_approval_before_launch: flag().optional(),
    max_active_agents,
    startup_order,
    dangerous_auto_approve: teamFields.shape.dangerous_auto_approve,
    fast,
    notify,
    approvals,
    tick_interval_sec,
    push_min_interval_sec,
    stuck_timeout_sec,
  },
  'session_name, startup_order and the like',
);

const context = part(
  {
    state_file: z
      .string({ error: wrong('team_state.md') })
      .regex(/^(?:.*\/)?team_state\.md$/, {
        error: ({ input }) => `${shown(input)} is refused: ${OUR_PLACES}; remove the line`,
      })
      .optional(),
    artifact_dir: harmless('.team/artifacts', OUR_PLACES),
    log_dir: harmless('.team/logs', OUR_PLACES),
    summarization: part(
      {
        worker_full_logs: harmless('retain_outside_leader_context', OWN_LEADER),
        state_update: harmless('after_each_result', 'the summary follows every change'),
      },
      'nothing: remove the line',
    ).optional(),
  },
  'nothing: remove the line',
);

const NOT_STARTED = ['pending', 'ready'] as const;

const specTask = task.extend({
  description: task.shape.description.unwrap().nullish(),
  assignee: task.shape.assignee.unwrap().nullish(),
  acceptance: listOf(text('what must be true at the end'), 'a list of texts').optional(),
  status: z
    .enum(NOT_STARTED, {
      error: ({ input }) =>
        `${shown(input)} is refused: what became of a task stands in the ledger; remove the line or write pending`,
    })
    .optional(),
});

/**
 * A whole team in one file, version 1. What looks at two places (ids twice, unknown assignees and tasks, tasks that wait for
 * each other, files that are not there, an unknown provider, a mode that two lines contradict, `preferred_for`) is checked
 * when the team is compiled, and by no JSON Schema.
 */
export const specFields = z.strictObject({
  version: z.literal(1, { error: wrong('version: 1') }),
  team,
  leader: leader.optional(),
  agents: listOf(agent, 'a list of agents').min(1, {
    error: 'there is no agent; write one with id, role and provider',
  }),
  routing: routing.optional(),
  communication: communication.optional(),
  runtime: runtime.optional(),
  context: context.optional(),
  tasks: listOf(specTask, 'a list of tasks, each with id and title').optional(),
});
/** A spec as it is read: forms that mean the same are one. */
export type SpecFields = z.output<typeof specFields>;
/** A spec as it is written. */
export type Spec = z.input<typeof specFields>;
