import type { Safety, ShownAgent } from '../../lifecycle/index.ts';
import type { ApprovalAnswer } from './agents.ts';
import type { LeaderAnswer } from './leaders.ts';
import type { CoordinatorAnswer } from './machine.ts';
import type { ResultAnswer, TaskAnswer } from './messages.ts';

/** What the verbs that only look answer. Times are UTC ms, `*_ms` are milliseconds. */

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

export interface StatusAnswer {
  readonly ok: true;
  readonly team: string;
  readonly name?: string;
  readonly session_name: string;
  readonly tmux_session_present: boolean | null;
  readonly intent?: string;
  readonly objective?: string;
  readonly observed: 'live' | 'none';
  readonly leader: LeaderAnswer;
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

export interface LookingVerbs {
  status: StatusAnswer;
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
}
