import type { Generated } from 'kysely';

/** A JSON text: written by `JSON.stringify`, read by whoever knows its shape. */
type Json = string;

/** The ledger's tables. Times are UTC ms; `seq` is `(team, seq)`, from the team's one counter, so commit order is its order. */
export interface LedgerTables {
  workspaces: WorkspacesTable;
  teams: TeamsTable;
  agents: AgentsTable;
  member_changes: MemberChangesTable;
  incarnations: IncarnationsTable;
  sessions: SessionsTable;
  messages: MessagesTable;
  deliveries: DeliveriesTable;
  delivery_counts: DeliveryCountsTable;
  offers: OffersTable;
  tasks: TasksTable;
  results: ResultsTable;
  result_counts: ResultCountsTable;
  leases: LeasesTable;
  leaders: LeadersTable;
  trusted_folders: TrustedFoldersTable;
  sagas: SagasTable;
  events: EventsTable;
}

/** One row per host that ever ran a coordinator here; `epoch` grows at each boot and fences off the one before. */
export interface WorkspacesTable {
  host: string;
  epoch: number;
  /** The loopback port for MCP and hooks: chosen once, bound first at each boot. */
  port: number;
}

export interface TeamsTable {
  team: string;
  name: string;
  session_name: string;
  /** The folder of its documents. */
  documents: string;
  objective: string;
  intent: 'running' | 'stopped';
  home_host: string;
  home_epoch: number;
  next_seq: number;
  notify: 'each' | 'quiet' | 'digest';
  /** Who answers when an agent's CLI asks: a person alone, or the leader too. */
  approvals: Generated<'person' | 'leader'>;
  /** 0: agents may write to the leader alone. */
  worker_to_worker: Generated<number>;
  /** 1: the leader gets a copy of what agents write to each other. */
  peer_mirror: Generated<number>;
  /** How much agents may write to each other; what is not in it has its default. */
  peer_limits: Generated<Json>;
  /** Who gets a task that names nobody. */
  routing: Generated<Json>;
  created_at: number;
}

export interface AgentsTable {
  team: string;
  agent_id: string;
  /** A removed and re-added id is another generation. */
  generation: number;
  provider: string;
  role: string;
  model: string | null;
  folder: string;
  script: string | null;
  prompt: string;
  /** How far it may go without asking. */
  permission: Generated<string>;
  /** A list of canonical tool names. */
  tools: Generated<Json>;
  position: number;
  intent: 'running' | 'stopped' | 'paused' | 'removed';
  /** When the leader's first message was consumed: until then nothing would be lost by a fresh start. */
  interacted_at: number | null;
}

/**
 * Who was added to a team, or removed from it, beside what its documents say: one row per id. It stays over restarts, so that
 * documents may be edited meanwhile.
 */
export interface MemberChangesTable {
  team: string;
  agent_id: string;
  kind: 'added' | 'removed';
  /** Absolute path of the role document of one that was added; null: removed. */
  document: string | null;
  /** sha256 (hex) of what was written there: a document that somebody edited since is theirs. Null: it was there before. */
  document_hash: string | null;
  /** Whose conversation it began with; null: with none. */
  forked_from: string | null;
  made_at: number;
  made_by: string;
}

export interface IncarnationsTable {
  incarnation: string;
  team: string;
  agent_id: string;
  generation: number;
  host: string;
  token_hash: string;
  /** Set once the pane is open: what finds this life again. */
  handle: Json | null;
  /** Bytes of the record up to which missed tool calls were taken in. */
  calls_read: number;
  launched_at: number;
  ready_at: number | null;
  ended_at: number | null;
  exit: string | null;
}

export interface SessionsTable {
  team: string;
  /** When it was opened last, in the team's order; of those of an older version 0 and below. */
  seq: number;
  session_id: string;
  agent_id: string;
  generation: number;
  provider: string;
  incarnation: string;
  record: string;
  opened_at: number;
  closed_at: number | null;
  /** When somebody gave it up: it is never resumed. */
  discarded_at: number | null;
}

export interface MessagesTable {
  message_id: string;
  team: string;
  seq: number;
  sender: string;
  authority: 'user' | 'leader' | 'peer' | 'system';
  body: string;
  task_id: string | null;
  reply_to: string | null;
  expects: 'nothing' | 'reply' | 'result';
  /** Unique in the team: a notice is a message that exists once. */
  dedupe_key: string | null;
  expires_at: number | null;
  /** How many agents passed the ball to each other before this one, since a person or the leader last spoke. */
  hops: Generated<number>;
  /** It does not go before this time, UTC ms. */
  due_at: number | null;
  /** Must a person say yes before it goes, and did one? */
  confirmation: 'wanted' | 'given' | null;
  confirmed_by: string | null;
  /** 1: a notice that wakes nobody by itself; it goes along with the next one that does, or when it is due. */
  batched: Generated<number>;
  created_at: number;
}

export interface DeliveriesTable {
  delivery_id: string;
  message_id: string;
  team: string;
  seq: number;
  recipient: string;
  generation: number;
  /** 1: stands before what is not urgent, and may go into a turn that is running. */
  urgent: Generated<number>;
  /** As its message says: kept here for the index of open requests. */
  expects: Generated<MessagesTable['expects']>;
  state: 'stored' | 'queued' | 'held' | 'submitted' | 'consumed' | 'answered' | 'dead' | 'cancelled';
  reason: string | null;
  attempts: number;
  channel: string | null;
  stored_at: number;
  submitted_at: number | null;
  consumed_at: number | null;
  consumed_by: string | null;
  receipt: Json | null;
}

/** How many deliveries of a team stand in each state; kept by triggers in the transaction of each move. */
export interface DeliveryCountsTable {
  team: string;
  state: DeliveriesTable['state'];
  count: number;
}

export interface OffersTable {
  delivery_id: string;
  number: number;
  team: string;
  recipient: string;
  channel: 'protocol' | 'paste';
  incarnation: string;
  position: number;
  /** The delivery in whose hand-over this one went along; null: it was handed over by itself. */
  rides_on: string | null;
  opened_at: number;
  settled_at: number | null;
  outcome: 'taken' | 'not_taken' | 'unproved' | null;
  evidence: string | null;
}

export interface TasksTable {
  team: string;
  task_id: string;
  title: string;
  status: 'pending' | 'ready' | 'running' | 'blocked' | 'needs_retry' | 'done' | 'failed' | 'cancelled';
  assignee: string | null;
  accepted_result_id: string | null;
  description: string | null;
  /** `implementation`, `review`, ...: what routing and the tools it needs go by. */
  type: string | null;
  risk: string | null;
  /** A list of paths. */
  files: Generated<Json>;
  /** A list of canonical tool names. */
  requires_tools: Generated<Json>;
  /** A list of task ids that must be done before. */
  deps: Generated<Json>;
  /** 1: a person must say yes before it is given to an agent. */
  human_confirmation: Generated<number>;
  confirmed_by: string | null;
  /** How often a result that is not a success may be followed by another try. */
  retry_limit: Generated<number>;
  retry_count: Generated<number>;
  created_at: number;
  updated_at: number;
}

export interface ResultsTable {
  result_id: string;
  team: string;
  seq: number;
  agent_id: string;
  /** Null: no process reported it. */
  incarnation: string | null;
  task_id: string | null;
  message_id: string | null;
  status: 'success' | 'blocked' | 'failed' | 'partial';
  summary: string;
  envelope: Json;
  unattributed: number;
  created_at: number;
  source: Generated<'tool' | 'file'>;
  /** Why it is no result; it is kept and counts for nothing. */
  error: string | null;
}

/** How many results of each status a team has, how many that are none, and how many answer no request; kept by a trigger. */
export interface ResultCountsTable {
  team: string;
  kind: ResultsTable['status'] | 'invalid' | 'unattributed';
  count: number;
}

export interface LeasesTable {
  team: string;
  epoch: number;
  /** Redacted identity of who leads; null: nobody does, the mailbox holds the mail. */
  identity: Json | null;
  /** The incarnation in `leaders`; null: the mailbox. */
  receiver: string | null;
  acquired_at: number;
}

/** A conversation that may lead: it belongs to a person, not to a team, and several teams may have it as their leader. */
export interface LeadersTable {
  incarnation: string;
  host: string;
  provider: string;
  /** Did our launcher start it, or was it found running? */
  found: 'launched' | 'running';
  /** Null when it has no token of ours: then it is known by its process alone. */
  token_hash: string | null;
  /** What finds it again: its launch, and the conversation itself once its session is known. Null in rows of old. */
  handle: Json | null;
  began_at: number;
  ended_at: number | null;
}

/** A person's yes to a folder that its CLI does not trust yet. */
export interface TrustedFoldersTable {
  /** Real path. */
  folder: string;
  said_by: string;
  said_at: number;
}

/** The journal of a verb that has effects: boot undoes it before its point of no return and completes it after. */
export interface SagasTable {
  saga_id: string;
  team: string;
  /** 0 and below of those of an older version. */
  seq: number;
  verb: string;
  /** The step that was reached last. */
  step: string;
  plan: Json;
  started_at: number;
  ended_at: number | null;
  outcome: 'done' | 'undone' | null;
}

export interface EventsTable {
  team: string;
  seq: number;
  at: number;
  type: string;
  actor: string;
  data: Json;
}
