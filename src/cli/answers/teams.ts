import type { Left, Preflight, Safety, ShownAgent, ShownRoute } from '../../lifecycle/index.ts';
import type { AgentStarted } from './agents.ts';
import type { LeaderAnswer } from './leaders.ts';

/** What the verbs about a whole team answer. Times are UTC ms, `*_ms` are milliseconds. */

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
export interface ReadinessAnswer {
  readonly process_started: boolean;
  readonly cli_prompt_ready: boolean;
  readonly mcp_ready: boolean;
  readonly task_prompt_delivered: boolean;
}

export interface TeamVerbs {
  plan: PlanAnswer;
  preflight: Preflight;
  'wait-ready': {
    readonly ok: true;
    readonly team: string;
    readonly summary: string;
    readonly readiness: ReadinessAnswer;
    readonly agents: readonly { readonly agent_id: string; readonly readiness: ReadinessAnswer }[];
    readonly next_actions: readonly string[];
  };
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
    readonly leader?: LeaderAnswer;
    readonly warnings?: readonly string[];
    readonly next?: readonly string[];
  };
  restart: {
    readonly ok: true;
    readonly team: string;
    readonly session_name: string;
    readonly agents: readonly (AgentStarted & {
      readonly restart_mode: 'resumed' | 'fresh';
      readonly ready_ms: number;
    })[];
    readonly leader: LeaderAnswer;
    readonly warnings: readonly string[];
    readonly next: readonly string[];
  };
  shutdown: {
    readonly ok: boolean;
    readonly team: string;
    readonly session_name: string;
    readonly agents: readonly {
      readonly agent_id: string;
      readonly ended: unknown;
      readonly exit: string | null;
      readonly last_view: string | null;
      /** What it started and that goes on without it. */
      readonly goes_on: readonly Left[];
    }[];
    readonly already: boolean;
    readonly coordinator:
      | { readonly status: 'ending' | 'running'; readonly pid: number }
      | { readonly status: 'absent' };
  };
}
