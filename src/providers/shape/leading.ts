import type { IncarnationId, ProcessIdentity, Refusal, SessionId } from '../../kernel/index.ts';
import type { PlannedFile } from './credentials.ts';
import type { Installation, Introduction, Program } from './launch.ts';

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

/** By what a conversation that was launched is found once it has a session. It is stored: never a secret. */
export interface LeaderTraces {
  /** Its way in. */
  readonly socket: string;
  /** What this provider alone needs. */
  readonly details: Readonly<Record<string, string>>;
}

export interface LeaderPlan extends LeaderTraces {
  readonly files: readonly PlannedFile[];
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
  introduce(traces: LeaderTraces, process: ProcessIdentity, signal: AbortSignal): Promise<Introduction | Refusal>;
  /** Is one of these processes (nearest first) a conversation that can lead, and does its way in work (a self-test)? */
  find(
    ancestors: readonly ProcessIdentity[],
    environment: Readonly<Record<string, string>>,
  ): Promise<FoundLeader | undefined>;
  /**
   * The live processes that work on a session, by the CLI's own registry; absent where a CLI keeps none. `details` are those
   * of a conversation that worked on it.
   */
  onSession?(session: SessionId, details: Readonly<Record<string, string>>): Promise<readonly FoundLeader[]>;
}

export interface LeaderPrepared {
  readonly terminal: Program;
  readonly session: SessionId;
  readonly record: string;
}
