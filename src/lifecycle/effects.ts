import type { Roster } from '../agents/index.ts';
import type { Clock, Mint, Reach, Signal } from '../kernel/index.ts';
import type { Leaders } from '../leader/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { Terminals } from '../tmux/index.ts';
import type { VerbQueue } from './queue.ts';

/** What the verbs that start and end agents work with. */
export interface Effects {
  readonly ledger: Ledger;
  readonly roster: Roster;
  readonly leaders: Leaders;
  readonly terminals: Terminals;
  /** Verbs that touch the same agents take turns in it. */
  readonly queue: VerbQueue;
  readonly clock: Clock;
  readonly mint: Mint;
  readonly reach: Reach;
  /** Notified at each commit and whenever an agent shows something new. */
  readonly changes: Signal;
  /** Writes down a fault for which no verb is refused. */
  readonly failed: (error: unknown, what: string) => void;
  /** Real path of the project. */
  readonly workspace: string;
  /** `<workspace>/.team/run`. */
  readonly runFolder: string;
  /** The 0700 folder for sockets. */
  readonly socketFolder: string;
  /** Where agents find the team's tools. */
  readonly mcpUrl: () => string;
  /** Where their hooks report. */
  readonly hooksUrl: () => string;
}

/** How long an agent may take to be ready, ms, before its launch is undone and its screen shown. */
export const READY_DEADLINE = 30_000;
