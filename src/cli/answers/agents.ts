import type { Asking, Left } from '../../lifecycle/index.ts';
import type { MemberChange } from '../../team/index.ts';

/** What the verbs about one agent answer. Times are UTC ms, `*_ms` are milliseconds. */

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

export interface AgentAdded extends AgentStarted {
  readonly new_agent_id: string;
  readonly ready_ms: number | null;
  /** Where the team keeps its role document. */
  readonly role_file: string;
  readonly role_file_sha: string;
  readonly warnings?: readonly string[];
}

export interface AgentVerbs {
  'start-agent': AgentStarted & {
    readonly start_mode: 'noop' | 'resumed' | 'fresh';
    readonly warnings?: readonly string[];
    /** What the life before started and that goes on without it. */
    readonly goes_on: readonly Left[];
  };
  'stop-agent': {
    readonly ok: true;
    readonly agent_id: string;
    readonly status: 'stopped';
    readonly stopped: boolean;
    readonly last_view: string | null;
    /** What it started and that goes on without it. */
    readonly goes_on: readonly Left[];
    readonly state_file: string;
  };
  'reset-agent': AgentVerbs['start-agent'] & { readonly stopped: boolean; readonly discarded: number };
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
    readonly goes_on: readonly Left[];
    readonly role_file_removed: boolean | null;
    readonly tasks: readonly string[];
    readonly state_file: string;
  };
  approvals: { readonly ok: true; readonly team: string; readonly approvals: readonly ApprovalAnswer[] };
  approve: ApprovalAnswer & { readonly ok: true; readonly decision: 'approve' | 'deny' };
  deny: AgentVerbs['approve'];
  'who-starts': {
    readonly ok: true;
    readonly agents: readonly Asking[];
    readonly auto_trust: boolean;
    /** Who was added to the team or removed from it beside its documents. */
    readonly changes?: readonly MemberChange[];
  };
}
