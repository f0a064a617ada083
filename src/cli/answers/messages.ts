import type { Refusal } from '../../kernel/reasons.ts';
import type { CoordinatorAnswer } from './machine.ts';

/** What the verbs about messages, results and tasks answer. Times are UTC ms, `*_ms` are milliseconds. */

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

/** A wait that did not end well, and what came all the same. */
export interface UnendedAnswer extends Refusal {
  readonly results: readonly ResultAnswer[];
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

export interface CollectAnswer {
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

export interface MessageVerbs {
  send: {
    readonly ok: boolean;
    readonly message_id: string;
    readonly to: readonly string[];
    readonly deliveries: readonly DeliveryAnswer[];
    /** With `--wait=result`: none when it was answered by a message. */
    readonly results?: readonly ResultAnswer[];
    readonly partial?: boolean;
    readonly stored?: boolean;
    readonly next?: readonly string[];
  };
  cancel: {
    readonly ok: boolean;
    readonly message_id: string;
    readonly deliveries: readonly (Pick<DeliveryAnswer, 'to' | 'delivery_id' | 'state'> & {
      readonly cancelled: boolean;
    })[];
  };
  'message-stored': { readonly ok: true; readonly stored: boolean };
  deliveries: { readonly ok: true; readonly deliveries: readonly DeliveryAnswer[] };
  inbox: {
    readonly ok: true;
    readonly agent_id: string;
    readonly messages: readonly MessageAnswer[];
    readonly since?: unknown;
    readonly waiting?: number;
    readonly taken?: number;
  };
  'inbox-take': MessageVerbs['inbox'];
  wait: {
    readonly ok: true;
    readonly waited_for: 'result' | 'idle' | 'mail';
    readonly results?: readonly ResultAnswer[];
    readonly agents?: readonly unknown[];
  };
  results: { readonly ok: true; readonly results: readonly ResultAnswer[] };
  collect: CollectAnswer;
  'import-results': CollectAnswer;
  settle: {
    readonly ok: true;
    readonly summary: string;
    readonly next_actions: readonly string[];
    readonly details_log: string;
    readonly collect: CollectAnswer;
  };
  'repair-state': {
    readonly ok: true;
    readonly task_id: string;
    readonly before: Pick<TaskAnswer, 'status' | 'assignee'>;
    readonly after: Pick<TaskAnswer, 'status' | 'assignee'>;
    readonly state_file: string;
  };
  'allow-peer-talk': {
    readonly ok: true;
    readonly a: string;
    readonly b: string;
    readonly status: 'compat_noop';
    readonly reason: string;
  };
}
