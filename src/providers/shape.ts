import type { AgentId, DeliveryId, IncarnationId, Liveness, Observed, Refusal, SessionId } from '../kernel/index.ts';
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
  | 'session_changed';

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
  | { readonly outcome: 'unknown'; readonly awaited: string };

/** One call of a team tool that failed for want of a coordinator, as the agent's own record tells it. */
export interface MissedCall {
  readonly call: string;
  readonly tool: string;
  readonly arguments: unknown;
  readonly at: number;
}

/** What is stored of one process life, so that a restarted coordinator finds it again. */
export interface AgentHandle {
  readonly pane: PaneHandle;
  readonly session: SessionId;
  /** The provider's own record of the session: a file that only grows. */
  readonly record: string;
  /** The agent's own way in, when it has one. */
  readonly socket?: string;
  /** Where the wrapper writes the exit code. */
  readonly exitFile: string;
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
  /** Absolute path of the script of a scripted agent. */
  readonly script?: string;
  /** 0700 folder of this incarnation below `.team/run/`; it ends with the incarnation. */
  readonly runFolder: string;
  /** 0700 folder for sockets, short enough for a socket path. */
  readonly socketFolder: string;
  readonly mcpUrl: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** All that a launch will do, before it does anything: the plan that `--dry-run` prints. */
export interface LaunchPlan {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Files with mode 0600 to be written before the pane opens. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  readonly session: SessionId;
  readonly record: string;
  readonly socket?: string;
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
  /** Called when a fact, a channel or the record has changed: look again. */
  onChange(listener: () => void): void;
  /** Is the process of this incarnation alive? */
  liveness(): Liveness;
  close(): void;
}

export interface Channel {
  readonly name: ChannelName;
  /** May something be offered now? Asked fresh before each offer. `ready` promises nothing. */
  state(): Promise<'ready' | { readonly hold: ChannelHold; readonly evidence: string }>;
  hand(offer: Offer, rendered: string, from: string): Promise<Handed>;
  settle(offer: Offer): Promise<Settlement>;
}

/** What a provider can do, by version of its CLI, each with its evidence. */
export interface Capabilities {
  readonly versions: string;
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
  readonly capabilities: Capabilities;
  /** Pure: what would be started. Refuses what this provider cannot do. */
  plan(request: LaunchRequest): LaunchPlan | Refusal;
  attach(handle: AgentHandle, incarnation: IncarnationId, terminals: Terminals): Attachment;
}
