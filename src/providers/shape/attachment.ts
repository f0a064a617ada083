import type { DeliveryId, Liveness, ProcessIdentity, SessionId } from '../../kernel/index.ts';
import type { PaneHandle } from '../../tmux/index.ts';
import type { Channel } from './channel.ts';
import type { Approval, Decision, Incident, TurnFact } from './turn.ts';

/** The team's tools that change something: a call of one of them that reached no coordinator is taken in later. */
export const CHANGING_TOOLS = ['report_result', 'send_message', 'request_human', 'update_state'] as const;
export type ChangingTool = (typeof CHANGING_TOOLS)[number];

export function isChangingTool(tool: string): tool is ChangingTool {
  return CHANGING_TOOLS.some((changing) => changing === tool);
}

/** One call of a team tool as the agent's own record tells it. `call` is the provider's own id of it, `at` UTC ms. */
export interface RecordedCall {
  readonly call: string;
  readonly tool: string;
  readonly arguments: unknown;
  readonly at: number;
}

/** One that changes something and failed for want of a coordinator. */
export interface MissedCall extends RecordedCall {
  readonly tool: ChangingTool;
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
  /** What it worked on before that, oldest first: `/clear`, `/new`, `/resume` and the like change it under our hands. */
  readonly former?: readonly { readonly session: SessionId; readonly record: string }[];
  /** The agent's own way in, when it has one. */
  readonly socket?: string;
  /** Where the wrapper writes the exit code. */
  readonly exitFile?: string;
  /** What this provider alone needs to find the agent again: the CLI's version, its config folder. Never a secret. */
  readonly details: Readonly<Record<string, string>>;
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
  /** Those of the turn that runs which were not made again with success: one more of the same words is the same call. */
  openCalls(): readonly MissedCall[];
  /** Does the session that it works on now know this delivery: did it, or what it was forked from, take it as input? */
  knows(delivery: DeliveryId): boolean;
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
