import type {
  AgentId,
  DeliveryId,
  IncarnationId,
  Liveness,
  Observed,
  ProcessIdentity,
  Refusal,
  SessionId,
} from '../kernel/index.ts';
import type { PaneHandle, Terminals } from '../tmux/index.ts';

/** What a turn may be doing (architecture: state of a turn). */
export const TURN_STATES = [
  'starting',
  'idle',
  'working',
  'waiting_approval',
  'waiting_input',
  'interrupted',
  'provider_error',
  'exited',
  'unknown',
] as const;
export type TurnState = (typeof TURN_STATES)[number];

/** Sources of facts about a turn, strongest first. A screen can hold an action, it never makes a state. */
export const FACT_SOURCES = ['protocol', 'hook', 'record', 'process', 'screen'] as const;
export type FactSource = (typeof FACT_SOURCES)[number];
export type TurnFact = Observed<TurnState> & { readonly source: FactSource };

/** Why a live recipient takes nothing at the moment. A closed list; each is left by an event, never by a clock. */
export type ChannelHold =
  | 'starting'
  | 'working'
  | 'dialog_open'
  | 'draft_in_composer'
  | 'pane_in_mode'
  | 'channel_down'
  | 'session_changed'
  /** Its CLI drops what comes too quickly from one sender. */
  | 'pacing'
  /** Its permission mode makes a person confirm each message. */
  | 'mode_holds_mail';

export type ChannelName = 'protocol' | 'paste';

/** Where in the recipient's own record a delivery was found. */
export interface Receipt {
  readonly source: string;
  readonly file?: string;
  /** Byte offset of the line in `file`. */
  readonly offset?: number;
  readonly record_id?: string;
}

/** One attempt to hand a delivery to a channel, as it was committed before the first byte left. */
export interface Offer {
  readonly delivery: DeliveryId;
  /** 1, 2, 3: counts attempts of this delivery. */
  readonly number: number;
  readonly channel: ChannelName;
  readonly incarnation: IncarnationId;
  /** Bytes of the recipient's record when the offer was committed; its receipt can only stand after them. */
  readonly position: number;
  /** It goes into a turn that is running. Said at the hand-over alone: whoever settles an offer need not know it. */
  readonly urgent?: true;
}

/** What a channel says right after handing over. `written` promises nothing but that bytes left. */
export type Handed =
  | { readonly handed: 'written' }
  | { readonly handed: 'not_taken'; readonly evidence: string }
  | { readonly handed: 'unknown'; readonly evidence: string };

/** The answer to the one question each channel answers about an offer. Time alone never turns `unknown` into `not_taken`. */
export type Settlement =
  | { readonly outcome: 'taken'; readonly receipt: Receipt }
  | { readonly outcome: 'not_taken'; readonly evidence: string }
  | {
      readonly outcome: 'unknown';
      readonly awaited: string;
      /** Its own process has said that it took it; only the line of its record is still on its way. */
      readonly imminent?: true;
    };

/** One call of a team tool that failed for want of a coordinator, as the agent's own record tells it. */
export interface MissedCall {
  readonly call: string;
  readonly tool: string;
  readonly arguments: unknown;
  readonly at: number;
}

/** What is stored of one process life, so that a restarted coordinator finds it again. */
export interface AgentHandle {
  /** What lives as long as this life does: the wrapper in its pane, or the CLI itself of a leader in its own terminal. */
  readonly process: ProcessIdentity;
  /** Where that process runs, when it is a pane of ours. */
  readonly pane?: PaneHandle;
  /** Of a leader with a server behind it: what runs in the person's own terminal. */
  readonly terminal?: ProcessIdentity;
  /** The pane that shows the agent, when the one above shows nothing. It may close and come back. */
  readonly view?: PaneHandle;
  readonly session: SessionId;
  /** The provider's own record of the session: a file that only grows. */
  readonly record: string;
  /** The agent's own way in, when it has one. */
  readonly socket?: string;
  /** Where the wrapper writes the exit code. */
  readonly exitFile?: string;
  /** What this provider alone needs to find the agent again: the CLI's version, its config folder. Never a secret. */
  readonly details: Readonly<Record<string, string>>;
}

/** How far an agent may go without asking (`permission_mode` of a role document). */
export const PERMISSION_MODES = ['manual', 'plan', 'accept_edits', 'auto', 'bypass'] as const;
export type PermissionMode = (typeof PERMISSION_MODES)[number];

/** Where a launch would take place; looked at before anything is started. */
export interface Inspection {
  readonly agent: string;
  /** Of whoever starts the agent; what of it the agent gets is decided elsewhere. */
  readonly environment: Readonly<Record<string, string>>;
  /** The folder in which the agent would work. */
  readonly folder: string;
  /** A person has said that this folder may be trusted. */
  readonly trusted: boolean;
  readonly permission: PermissionMode;
}

/** What a machine offers of one CLI at this moment. */
export interface Installation {
  /** Absolute path of the command. Empty for a program of our own. */
  readonly binary: string;
  readonly version: string;
  readonly capabilities: Capabilities;
  /** What a person should know: an unknown version, and what is degraded because of it. */
  readonly warnings: readonly string[];
  /** Names of further variables that the CLI's own configuration asks for, such as the `env_key` of a model provider. */
  readonly variables?: readonly string[];
  /** What the plan needs to know of the CLI's own configuration. Never a secret. */
  readonly details: Readonly<Record<string, string>>;
}

export interface LaunchRequest {
  readonly agent: AgentId;
  readonly team: string;
  readonly incarnation: IncarnationId;
  readonly session: SessionId;
  readonly role: string;
  readonly prompt: string;
  readonly workspace: string;
  readonly folder: string;
  readonly model?: string;
  /** Canonical tool names that its role document grants. */
  readonly tools: readonly string[];
  readonly permission: PermissionMode;
  readonly trusted: boolean;
  /** Do the user's own MCP servers come along? */
  readonly mcp: 'inherit' | 'team_only';
  /** Absolute path of the script of a scripted agent. */
  readonly script?: string;
  /** 0700 folder of this incarnation below `.team/run/`; it ends with the incarnation. */
  readonly runFolder: string;
  /** 0700 folder for sockets, short enough for a socket path. */
  readonly socketFolder: string;
  readonly mcpUrl: string;
  readonly hooksUrl: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** A program with its environment. The token of a life comes through its wrapper, never through this. */
export interface Program {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** A file with mode 0600 that a launch writes before its process starts. */
export interface PlannedFile {
  readonly path: string;
  readonly content: string;
}

/** All that a launch will do, before it does anything: the plan that `--dry-run` prints. */
export interface LaunchPlan extends Program {
  readonly files: readonly PlannedFile[];
  readonly socket?: string;
  /** True when the pane shows nothing to a person: it gets a hidden window, and `introduce` names the view. */
  readonly hidden?: true;
}

/** A process that has just been started for a life. */
export interface Started {
  readonly request: LaunchRequest;
  readonly installation: Installation;
  readonly plan: LaunchPlan;
  readonly pane: PaneHandle;
  readonly terminals: Terminals;
  /** Aborts when its pane has gone or its time is up. */
  readonly signal: AbortSignal;
}

/** What only the started process could tell. */
export interface Introduction {
  readonly session: SessionId;
  readonly record: string;
  readonly details: Readonly<Record<string, string>>;
  /** What shows the agent to a person, when its own pane does not. */
  readonly view?: Program;
}

/** A question of the agent's CLI that somebody has to decide. */
export interface Approval {
  /** `ap_` + 12 hex digits; the same for as long as the question is open and this coordinator lives. */
  readonly id: string;
  readonly kind: 'command' | 'edit' | 'tool' | 'question';
  /** One line: what it asks for. */
  readonly text: string;
  /** UTC ms. */
  readonly since: number;
  /** Can it be answered through the provider's protocol? If not, only its terminal can. */
  readonly answerable: boolean;
}

export type Decision =
  | { readonly decision: 'approve'; readonly scope: 'once' | 'session' }
  | { readonly decision: 'deny'; readonly message?: string };

/** Something about a live agent that its leader should hear of once. */
export interface Incident {
  /** Unique for this incident: it is told once. */
  readonly key: string;
  readonly kind: 'turn_lost' | 'server_restarted' | 'session_changed';
  readonly text: string;
  /** The session that it works on from now on, when it has changed. */
  readonly session?: { readonly session: SessionId; readonly record: string };
}

/** A live agent as its provider sees it. Made after each launch and again after each restart of the coordinator. */
export interface Attachment {
  /** Everything known about its turn, the freshest of each source. */
  facts(): readonly TurnFact[];
  /** Has the agent said that its input is open (architecture: ready)? */
  greeted(): boolean;
  /** Channels, best first. */
  channels(): readonly Channel[];
  /** Bytes of its record now. */
  position(): number;
  /** Team tool calls that failed for want of a coordinator, from `since` bytes of the record on. */
  missedCalls(since: number): readonly MissedCall[];
  /** Questions of its CLI that are open now. */
  approvals(): readonly Approval[];
  /** Answers one of them through the provider's protocol. `not_taken` says why that is impossible. */
  decide(approval: string, decision: Decision): Promise<'taken' | { readonly not_taken: string }>;
  /** A word of the agent's own hooks; resolves with the answer. `gone` aborts when the agent has hung up. */
  hook(payload: unknown, gone: AbortSignal): Promise<object>;
  /** Called when a fact, a channel or the record has changed: look again. */
  onChange(listener: () => void): void;
  onIncident(listener: (incident: Incident) => void): void;
  /** Is the process of this incarnation alive? */
  liveness(): Liveness;
  close(): void;
}

export interface Channel {
  readonly name: ChannelName;
  /** It can put something urgent into a turn that is running: then the hold `working` does not count. */
  readonly intrudes?: true;
  /** May something be offered now? Asked fresh before each offer. `ready` promises nothing. */
  state(): Promise<'ready' | { readonly hold: ChannelHold; readonly evidence: string }>;
  hand(offer: Offer, rendered: string, from: string): Promise<Handed>;
  settle(offer: Offer): Promise<Settlement>;
}

/** What a provider can do, by version of its CLI, each with its evidence. */
export interface Capabilities {
  readonly versions: string;
  /** False: this version was never seen; only what proves itself at the start is used. */
  readonly known: boolean;
  readonly protocol: boolean;
  readonly paste: boolean;
  readonly approvals: boolean;
  readonly resume: boolean;
  readonly fork: boolean;
  readonly evidence: string;
}

export interface Provider {
  readonly name: string;
  /** Other names that documents may use. */
  readonly aliases: readonly string[];
  /** Variables that its CLI documents for login, endpoint, config folder and the like: an agent gets them. */
  readonly variables: readonly string[];
  /** Looks at the CLI, its login and its trust in a folder, and changes nothing. Refuses what could not work. */
  inspect(inspection: Inspection): Promise<Installation | Refusal>;
  /** Pure: what would be started. Refuses what this provider cannot do. */
  plan(request: LaunchRequest, installation: Installation): LaunchPlan | Refusal;
  /** Resolves once the started process has told its session; a refusal says what stands in the way (a dialog, a fault). */
  introduce(started: Started): Promise<Introduction | Refusal>;
  attach(handle: AgentHandle, incarnation: IncarnationId, terminals: Terminals): Attachment;
  /** What shows a life that runs, when its own pane does not: its pane may be closed and opened again at any time. */
  view?(handle: AgentHandle, environment: Readonly<Record<string, string>>): Program | undefined;
  /** Files that a life which has ended may leave outside its own folder. */
  leftBehind?(handle: AgentHandle): readonly string[];
  /** How its CLI leads a team; undefined when it cannot. */
  readonly leading?: Leading;
}

/** A conversation that is to lead, started by our launcher in the person's own terminal. */
export interface LeaderRequest {
  readonly incarnation: IncarnationId;
  readonly workspace: string;
  /** Where the person stands. */
  readonly folder: string;
  /** What the person wrote behind the launcher's own flags, word for word. */
  readonly args: readonly string[];
  /** What the leader is told about its team, in its system prompt. */
  readonly instructions: string;
  /** 0700 folder of this life below `.team/run/`. */
  readonly runFolder: string;
  readonly socketFolder: string;
  readonly mcpUrl: string;
  readonly hooksUrl: string;
  /** Allow-listed environment of the person, for a process of ours; the conversation itself has the person's own. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface LeaderPlan {
  readonly files: readonly PlannedFile[];
  readonly socket: string;
  /** A process that the conversation needs; it runs behind our wrapper in a hidden window. */
  readonly server?: Program;
  /** The conversation in the person's terminal; absent when only `prepare` can tell it. `environment` is added to the person's. */
  readonly terminal?: Program;
}

/** A conversation that the person started by itself. */
export interface FoundLeader {
  readonly process: ProcessIdentity;
  readonly session: SessionId;
  readonly record: string;
  readonly socket?: string;
  readonly details: Readonly<Record<string, string>>;
}

/** How a CLI leads. */
export interface Leading {
  plan(request: LeaderRequest, installation: Installation): LeaderPlan | Refusal;
  /** With its server running: what is to run in the person's terminal, and the session when it is known by now. */
  prepare?(request: LeaderRequest, plan: LeaderPlan, signal: AbortSignal): Promise<LeaderPrepared | Refusal>;
  /** With the conversation running as `process`: its session, once it has one. */
  introduce(
    request: LeaderRequest,
    plan: LeaderPlan,
    process: ProcessIdentity,
    signal: AbortSignal,
  ): Promise<Introduction | Refusal>;
  /** Is one of these processes (nearest first) a conversation that can lead, and does its way in work (a self-test)? */
  find(
    ancestors: readonly ProcessIdentity[],
    environment: Readonly<Record<string, string>>,
  ): Promise<FoundLeader | undefined>;
}

export interface LeaderPrepared {
  readonly terminal: Program;
  readonly session: SessionId;
  readonly record: string;
}
