/**
 * Every reason a command or tool call may be refused for, with the exit code of the command line:
 * 1 refused or failed, 2 wrong usage, 3 partly done, 4 no usable coordinator.
 */
export const REASONS = {
  // usage
  usage: 2,
  // documents
  team_document_invalid: 1,
  team_directory_missing: 1,
  unknown_provider: 1,
  agent_id_invalid: 1,
  team_name_invalid: 1,
  // credential profiles
  profile_name_invalid: 1,
  profile_missing: 1,
  profile_invalid: 1,
  profile_required_values_missing: 1,
  auth_mode_mismatch: 1,
  model_mismatch: 1,
  smoke_failed: 1,
  // teams and agents
  not_a_team: 1,
  team_not_found: 1,
  team_ambiguous: 1,
  team_already_running: 1,
  existing_team_context: 1,
  team_not_running: 1,
  target_not_in_team: 1,
  agent_not_found: 1,
  agents_not_ready: 1,
  environment_unknown: 1,
  launch_failed: 1,
  agent_exists: 1,
  role_file_missing: 1,
  from_spec_confirm_required: 1,
  force_required: 1,
  last_agent: 1,
  agent_paused: 1,
  max_active_agents: 1,
  agent_may_live: 1,
  resume_unavailable: 1,
  resume_atomicity: 1,
  discard_session_required: 1,
  fork_unavailable: 1,
  dangerous_needs_yes: 1,
  launch_needs_yes: 1,
  // the command-line tools of agents
  provider_missing: 1,
  provider_version_unsupported: 1,
  provider_not_logged_in: 1,
  provider_config_invalid: 1,
  provider_cannot: 1,
  folder_not_trusted: 1,
  startup_dialog: 1,
  resume_failed: 1,
  // approvals
  approval_unknown: 1,
  approval_unanswerable: 1,
  // the leader
  leader_not_started: 1,
  force_confirm_required: 1,
  ambiguous_candidates: 1,
  owner_epoch_advanced: 1,
  caller_not_leader_shaped: 1,
  caller_cwd_mismatch: 1,
  caller_elsewhere: 1,
  nobody_leads: 1,
  pane_not_found: 1,
  workspace_mismatch: 1,
  // messages
  empty_message: 1,
  message_too_large: 1,
  message_not_text: 1,
  message_conflict: 1,
  message_not_found: 1,
  message_not_yours: 1,
  not_cancelled: 1,
  cancelled_partial: 3,
  peers_may_not: 1,
  loop_guard: 1,
  no_recipients: 1,
  fanout_partial: 3,
  shutdown_partial: 3,
  // results
  task_ambiguous: 1,
  task_unknown: 1,
  result_invalid: 1,
  tools_missing: 1,
  timeout: 1,
  delivery_dead: 1,
  // callers
  sender_is_the_caller: 1,
  worker_may_not: 1,
  person_may_not: 1,
  untrusted_caller: 1,
  tool_arguments_invalid: 1,
  tool_unknown: 1,
  // the machine
  tmux_missing: 1,
  tmux_too_old: 1,
  tmux_failed: 1,
  session_name_taken: 1,
  folder_not_private: 1,
  port_taken: 4,
  socket_taken: 4,
  // the coordinator
  coordinator_absent: 4,
  coordinator_frozen: 4,
  coordinator_start_failed: 4,
  coordinator_gave_up: 4,
  coordinator_lost: 4,
  coordinator_older: 4,
  sandboxed_caller: 4,
  ledger_unwritable: 4,
  ledger_newer: 4,
  ledger_in_use: 4,
  internal_error: 1,
} as const;

export type Reason = keyof typeof REASONS;

/**
 * A refusal: what happened (`message`), why (`reason`, `evidence`) and what to type next (`next`, each a whole
 * command line that parses and helps). Refusals are values; only bugs are thrown.
 */
export interface Refusal {
  readonly ok: false;
  readonly reason: Reason;
  readonly message: string;
  readonly evidence?: Readonly<Record<string, unknown>>;
  readonly next: readonly string[];
}

export function refuse(
  reason: Reason,
  message: string,
  { evidence, next = [] }: { evidence?: Readonly<Record<string, unknown>>; next?: readonly string[] } = {},
): Refusal {
  return { ok: false, reason, message, ...(evidence ? { evidence } : {}), next };
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'ok' in value && value.ok === false && 'reason' in value;
}
