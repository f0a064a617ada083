/** What the verbs about who leads answer, and those of the launchers. Times are UTC ms, `*_ms` are milliseconds. */

/** Who leads a team, and how the leader is reached. */
export interface LeaderAnswer {
  readonly identity?: unknown;
  readonly epoch: number;
  readonly receiver: unknown;
  readonly state?: string;
  readonly since?: number;
  readonly evidence?: readonly string[];
  /** Why it takes nothing of what waits for it, beyond what it is busy with. */
  readonly held?: { readonly hold: string; readonly evidence: string };
}

export interface LeaderVerbs {
  'claim-leader': {
    readonly ok: true;
    readonly status: 'claimed' | 'already_bound' | 'released';
    readonly team: string;
    readonly reason: string;
    readonly owner_epoch: number;
    readonly leader: LeaderAnswer;
    readonly previous: unknown;
    readonly waiting: number;
    readonly perhaps_seen: readonly string[];
    /** Why whoever leads now takes none of it at the moment. */
    readonly held?: { readonly hold: string; readonly evidence: string };
    /** What it does instead. */
    readonly warnings: readonly string[];
    readonly inbox_hint?: { readonly message: string; readonly command: string };
  };
  takeover: LeaderVerbs['claim-leader'];
  'attach-leader': LeaderVerbs['claim-leader'];
  'release-leader': LeaderVerbs['claim-leader'];
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
    readonly leader: LeaderAnswer;
  };
  leaders: {
    readonly ok: true;
    readonly teams: readonly (LeaderAnswer & {
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
}
