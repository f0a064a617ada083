import type { Asking, Preflight, Safety, ShownAgent, ShownRoute } from '../lifecycle/index.ts';

/** What the coordinator answers to each verb. Times are UTC ms, `*_ms` are milliseconds. */

export interface DeliveryAnswer {
  readonly message_id: string;
  readonly delivery_id: string;
  readonly to: string;
  readonly from?: string;
  readonly task_id?: string | null;
  readonly state: string;
  readonly reason?: string | null;
  /** Tasks that must be done before it goes. */
  readonly waits_for?: readonly string[];
  readonly channel?: string | null;
  readonly receipt?: {
    readonly source: string;
    readonly file?: string;
    readonly offset?: number;
    readonly record_id?: string;
  } | null;
  readonly attempts?: number;
  readonly stored_at?: number;
  readonly submitted_at?: number | null;
  readonly consumed_at?: number | null;
}

export interface ResultAnswer {
  readonly result_id: string;
  readonly task_id: string | null;
  readonly message_id: string | null;
  readonly agent_id: string;
  readonly status: string;
  readonly summary: string;
  readonly created_at: number;
  readonly artifacts?: readonly { readonly path: string; readonly description: string }[];
}

export interface ApprovalAnswer {
  readonly id: string;
  readonly agent_id: string;
  /** Absent: it is a message that waits for a yes. */
  readonly provider?: string;
  readonly kind: string;
  readonly text: string;
  readonly since: number;
  readonly answerable: boolean;
}

export interface MessageAnswer {
  readonly message_id: string;
  readonly delivery_id: string;
  readonly seq: number;
  readonly sender: string;
  readonly recipient: string;
  readonly state: string;
  readonly reason?: string | null;
  readonly task_id: string | null;
  readonly expects: string;
  readonly body: string;
  readonly created_at: number;
}

export interface EventAnswer {
  readonly seq: number;
  readonly at: number;
  readonly team: string;
  readonly type: string;
  readonly actor: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface AgentStatus {
  readonly agent_id?: string;
  readonly provider: string;
  readonly role?: string;
  readonly model?: string | null;
  readonly intent: string;
  readonly state: string | null;
  readonly state_source: string;
  readonly since: number | null;
  readonly ready?: boolean | null;
  readonly incarnation?: string | null;
  readonly channel?: string | null;
  readonly provider_version?: string | null;
  readonly permission?: string;
  /** With `--detail`. */
  readonly tools?: ShownAgent['tools'];
  readonly approvals?: readonly Pick<ApprovalAnswer, 'id' | 'text'>[];
  readonly session_id?: string | null;
  readonly interacted?: 'never' | number;
  readonly task_id?: string | null;
  readonly queue: { readonly queued: number; readonly submitted: number; readonly because?: string | null };
}

export interface TaskAnswer {
  readonly id: string;
  readonly title: string;
  readonly status: string;
  readonly assignee: string | null;
  /** Tasks that must be done before. */
  readonly waits_for?: readonly string[];
  /** A person's yes; null: none is needed. */
  readonly confirmation?: 'wanted' | 'given' | null;
}

export interface StatusAnswer {
  readonly ok: true;
  readonly team: string;
  readonly name?: string;
  readonly session_name: string;
  readonly tmux_session_present: boolean | null;
  readonly intent?: string;
  readonly objective?: string;
  readonly observed: 'live' | 'none';
  readonly leader: {
    readonly identity?: unknown;
    readonly epoch: number;
    readonly receiver: unknown;
    readonly state?: string;
    readonly since?: number;
    readonly evidence?: readonly string[];
  };
  readonly safety?: Pick<Safety, 'agents'>;
  readonly agents: Readonly<Record<string, AgentStatus>>;
  readonly deliveries: Readonly<Record<string, number>>;
  readonly oldest_pending_ms?: number | null;
  readonly tasks?: readonly TaskAnswer[];
  readonly results?: { readonly total: number; readonly unattributed: number };
  readonly latest_results: readonly Pick<
    ResultAnswer,
    'result_id' | 'agent_id' | 'task_id' | 'status' | 'summary' | 'created_at'
  >[];
  readonly queued_messages: readonly {
    readonly message_id: string;
    readonly delivery_id: string;
    readonly to: string;
    readonly state: string;
    readonly reason?: string | null;
    readonly age_ms: number;
    readonly attempts: number;
  }[];
  readonly last_events?: readonly EventAnswer[];
  readonly other_teams?: readonly unknown[];
  readonly coordinator: CoordinatorAnswer;
}

export interface CoordinatorAnswer {
  readonly status?: string;
  readonly pid?: number;
  readonly build?: string;
  readonly protocol?: number;
  readonly uptime_ms?: number;
  readonly oldest_pending_ms?: number | null;
  readonly loop_lag_ms?: number;
  readonly rss_bytes?: number;
  /** Why it is left down, when it is. */
  readonly gave_up?: string;
}

interface CollectAnswer {
  readonly ok: boolean;
  readonly team: string;
  readonly collected: readonly object[];
  readonly collected_results: readonly (Pick<
    ResultAnswer,
    'result_id' | 'task_id' | 'message_id' | 'agent_id' | 'status' | 'summary' | 'created_at'
  > & { readonly tests: readonly object[]; readonly scope: 'task' | 'message' | 'none' })[];
  readonly delivered_messages: readonly string[];
  readonly invalid_results: readonly {
    readonly result_id: string | null;
    readonly path: string;
    readonly task_id: string | null;
    readonly agent_id: string | null;
    readonly error: string;
  }[];
  readonly results: {
    readonly total: number;
    readonly uncollected: number;
    readonly collected: number;
    readonly invalid: number;
    readonly by_status: Readonly<Record<string, number>>;
  };
  readonly state_file: string;
  readonly coordinator: CoordinatorAnswer;
}

/** An agent that was just started, or ran already. */
export interface AgentStarted {
  readonly ok?: true;
  readonly agent_id: string;
  readonly status: 'running';
  readonly provider: string | null;
  readonly incarnation: string | null;
  readonly session_id: string | null;
  readonly state: string | null;
}

interface AgentAdded extends AgentStarted {
  readonly new_agent_id: string;
  readonly ready_ms: number | null;
  /** Where the team keeps its role document. */
  readonly role_file: string;
  readonly role_file_sha: string;
}

/** What a verb would do. */
export interface PlanAnswer {
  readonly ok: true;
  readonly dry_run: true;
  readonly verb: string;
  readonly team: string;
  readonly session_name: string;
  readonly agents: readonly ShownAgent[];
  readonly safety: Safety;
  readonly routes: readonly ShownRoute[];
  readonly warnings: readonly string[];
  readonly next: readonly string[];
}

/** What is known of the start of an agent, or of all of them. */
interface ReadinessAnswer {
  readonly process_started: boolean;
  readonly cli_prompt_ready: boolean;
  readonly mcp_ready: boolean;
  readonly task_prompt_delivered: boolean;
}

export interface Answers {
  plan: PlanAnswer;
  'wait-ready': {
    readonly ok: true;
    readonly team: string;
    readonly summary: string;
    readonly readiness: ReadinessAnswer;
    readonly agents: readonly { readonly agent_id: string; readonly readiness: ReadinessAnswer }[];
    readonly next_actions: readonly string[];
  };
  preflight: Preflight;
  'quick-start': {
    readonly ok: boolean;
    readonly team: string;
    readonly session_name: string;
    readonly agents: readonly {
      readonly agent_id: string;
      readonly provider: string;
      readonly incarnation?: string | null;
      readonly session_id?: string | null;
      readonly state: string | null;
      readonly ready_ms?: number | null;
    }[];
    readonly leader?: StatusAnswer['leader'];
    readonly warnings?: readonly string[];
    readonly next?: readonly string[];
  };
  approvals: { readonly ok: true; readonly team: string; readonly approvals: readonly ApprovalAnswer[] };
  approve: ApprovalAnswer & { readonly ok: true; readonly decision: 'approve' | 'deny' };
  deny: Answers['approve'];
  'leader-prepare': {
    readonly ok: true;
    readonly incarnation: string;
    readonly terminal: {
      readonly argv: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
    };
    readonly tokenFile: string;
    readonly warnings: readonly string[];
  };
  'leader-started': { readonly ok: true };
  'leader-ended': { readonly ok: true };
  shutdown: {
    readonly ok: boolean;
    readonly team: string;
    readonly session_name: string;
    readonly agents: readonly {
      readonly agent_id: string;
      readonly ended: unknown;
      readonly exit: string | null;
      readonly last_view: string | null;
    }[];
    readonly already: boolean;
    readonly coordinator:
      | { readonly status: 'ending' | 'running'; readonly pid: number }
      | { readonly status: 'absent' };
  };
  send: {
    readonly ok: boolean;
    readonly message_id: string;
    readonly to: readonly string[];
    readonly deliveries: readonly DeliveryAnswer[];
    readonly result?: ResultAnswer;
    readonly partial?: boolean;
    readonly stored?: boolean;
    readonly next?: readonly string[];
  };
  'repair-state': {
    readonly ok: true;
    readonly task_id: string;
    readonly before: Pick<TaskAnswer, 'status' | 'assignee'>;
    readonly after: Pick<TaskAnswer, 'status' | 'assignee'>;
    readonly state_file: string;
  };
  'claim-leader': {
    readonly ok: true;
    readonly status: 'claimed' | 'already_bound' | 'released';
    readonly team: string;
    readonly reason: string;
    readonly owner_epoch: number;
    readonly leader: StatusAnswer['leader'];
    readonly previous: unknown;
    readonly waiting: number;
    readonly perhaps_seen: readonly string[];
    /** Why whoever leads now takes none of it at the moment. */
    readonly held?: { readonly hold: string; readonly evidence: string };
    readonly inbox_hint?: { readonly message: string; readonly command: string };
  };
  takeover: Answers['claim-leader'];
  'attach-leader': Answers['claim-leader'];
  'release-leader': Answers['claim-leader'];
  identity: {
    readonly ok: true;
    readonly uuid_prefix: string;
    readonly source: 'derived' | 'override';
    readonly machine_fingerprint: string;
    readonly workspace_abspath: string;
    readonly os_user: string;
    readonly team_id: string;
    readonly current_pane_id: string | null;
    readonly last_seen_at: number | null;
    readonly you: { readonly kind: string; readonly agent_id?: string; readonly leads: boolean } | null;
    readonly leader: StatusAnswer['leader'];
  };
  leaders: {
    readonly ok: true;
    readonly teams: readonly (StatusAnswer['leader'] & {
      readonly team: string;
      readonly intent: string;
      readonly acquired_at: number | null;
    })[];
    readonly conversations: readonly {
      readonly incarnation: string;
      readonly provider: string;
      readonly pid: number;
      readonly alive: string;
      readonly folder: string | null;
      readonly leads: readonly string[];
    }[];
  };
  'who-starts': {
    readonly ok: true;
    readonly team: string;
    readonly agents: readonly Asking[];
    readonly auto_trust: boolean;
  };
  'start-agent': AgentStarted & {
    readonly start_mode: 'noop' | 'resumed' | 'fresh';
    readonly warnings?: readonly string[];
  };
  'stop-agent': {
    readonly ok: true;
    readonly agent_id: string;
    readonly status: 'stopped';
    readonly stopped: boolean;
    readonly last_view: string | null;
    readonly state_file: string;
  };
  'reset-agent': Answers['start-agent'] & { readonly stopped: boolean; readonly discarded: number };
  'add-agent': AgentAdded & { readonly start_mode: 'fresh' };
  'fork-agent': AgentAdded & { readonly start_mode: 'forked'; readonly source_agent_id: string };
  'remove-agent': {
    readonly ok: true;
    readonly agent_id: string;
    readonly status: 'removed';
    readonly from_spec: boolean;
    readonly force: boolean;
    readonly stopped: boolean;
    readonly last_view: string | null;
    readonly role_file_removed: boolean | null;
    readonly tasks: readonly string[];
    readonly state_file: string;
  };
  restart: {
    readonly ok: true;
    readonly team: string;
    readonly session_name: string;
    readonly agents: readonly (AgentStarted & {
      readonly restart_mode: 'resumed' | 'fresh';
      readonly ready_ms: number;
    })[];
    readonly leader: StatusAnswer['leader'];
    readonly warnings: readonly string[];
    readonly next: readonly string[];
  };
  sessions: {
    readonly ok: true;
    readonly team: string;
    readonly sessions: readonly {
      readonly agent_id: string;
      readonly provider: string;
      readonly model: string | null;
      readonly intent: string;
      readonly profile: string | null;
      readonly session_id: string | null;
      readonly record: string | null;
      readonly captured_at: number | null;
      readonly incarnation: string | null;
      readonly interacted: 'never' | number;
    }[];
  };
  cancel: {
    readonly ok: boolean;
    readonly message_id: string;
    readonly deliveries: readonly (Pick<DeliveryAnswer, 'to' | 'delivery_id' | 'state'> & {
      readonly cancelled: boolean;
    })[];
  };
  'message-stored': { readonly ok: true; readonly stored: boolean };
  status: StatusAnswer;
  deliveries: { readonly ok: true; readonly deliveries: readonly DeliveryAnswer[] };
  collect: CollectAnswer;
  'import-results': CollectAnswer;
  settle: {
    readonly ok: true;
    readonly summary: string;
    readonly next_actions: readonly string[];
    readonly details_log: string;
    readonly collect: CollectAnswer;
  };
  'allow-peer-talk': {
    readonly ok: true;
    readonly a: string;
    readonly b: string;
    readonly status: 'compat_noop';
    readonly reason: string;
  };
  results: { readonly ok: true; readonly results: readonly ResultAnswer[] };
  inbox: {
    readonly ok: true;
    readonly agent_id: string;
    readonly messages: readonly MessageAnswer[];
    readonly since?: unknown;
    readonly waiting?: number;
    readonly taken?: number;
  };
  'inbox-take': Answers['inbox'];
  wait: {
    readonly ok: true;
    readonly waited_for: 'result' | 'idle' | 'mail';
    readonly results?: readonly ResultAnswer[];
    readonly agents?: readonly unknown[];
  };
  events: { readonly ok: true; readonly events: readonly EventAnswer[] };
  why: {
    readonly ok: true;
    readonly agent_id: string;
    readonly state: string | null;
    readonly source: string;
    readonly since: number | null;
    readonly evidence: readonly string[];
    readonly rejected: readonly { readonly source: string; readonly state: string; readonly why: string }[];
    readonly would_change: readonly string[];
    /** Why its mail waits, when it does. */
    readonly line?: string;
  };
  'coordinator-status': CoordinatorAnswer & { readonly ok: true };
  'coordinator-stop': { readonly ok: true; readonly pid: number };
  'ledger-dump': { readonly ok: true; readonly tables: Readonly<Record<string, readonly object[]>> };
}

export type Verb = keyof Answers;
