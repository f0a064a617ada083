/** What the verbs about the coordinator itself answer. Times are UTC ms, `*_ms` are milliseconds. */

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

export interface MachineVerbs {
  'coordinator-status': CoordinatorAnswer & { readonly ok: true };
  'coordinator-stop': { readonly ok: true; readonly pid: number };
  'ledger-dump': { readonly ok: true; readonly tables: Readonly<Record<string, readonly object[]>> };
}
