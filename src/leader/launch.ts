import { type IncarnationId, type Liveness, type ProcessIdentity, probeProcess } from '../kernel/index.ts';
import type { LeaderRow } from '../ledger/index.ts';
import type { AgentHandle, LeaderTraces } from '../providers/index.ts';
import type { PaneHandle } from '../tmux/index.ts';

/**
 * A conversation that our launcher starts, for as long as it has no session: a person may have a dialog to answer first.
 * It is stored, so that a coordinator which comes back goes on with it.
 */
export interface Launch extends LeaderTraces {
  readonly provider: string;
  /** The launcher itself: it lives for as long as what it starts. */
  readonly launcher: ProcessIdentity;
  /** What runs in the person's terminal, once it does. */
  readonly terminal?: ProcessIdentity;
  /** Where the server behind it runs, when it has one. */
  readonly pane?: PaneHandle;
  /** The team that the person named, in the person's words. */
  readonly team?: string;
}

/** How a conversation is found again, as its row says: by its launch as long as it has no session. */
export type Stored =
  | { readonly state: 'launching'; readonly launch: Launch }
  | { readonly state: 'known'; readonly handle: AgentHandle }
  | { readonly state: 'nothing' };

/** The boundary: what we stored is taken at its word. */
export function storedOf({ handle }: Pick<LeaderRow, 'handle'>): Stored {
  if (handle === null) return { state: 'nothing' };
  const stored = JSON.parse(handle) as AgentHandle | Launch;
  return 'launcher' in stored ? { state: 'launching', launch: stored } : { state: 'known', handle: stored };
}

/** The handle of a conversation that has, or had, a session. */
export function handleIn(row: Pick<LeaderRow, 'handle'> | undefined): AgentHandle | undefined {
  const stored = row && storedOf(row);
  return stored?.state === 'known' ? stored.handle : undefined;
}

/** Launches under way: neither followed nor over. */
export class Launches {
  readonly #open = new Map<IncarnationId, Launch>();

  get(incarnation: IncarnationId): Launch | undefined {
    return this.#open.get(incarnation);
  }

  set(incarnation: IncarnationId, launch: Launch): void {
    this.#open.set(incarnation, launch);
  }

  delete(incarnation: IncarnationId): void {
    this.#open.delete(incarnation);
  }

  all(): readonly IncarnationId[] {
    return [...this.#open.keys()];
  }

  liveness(incarnation: IncarnationId): Liveness {
    const launch = this.#open.get(incarnation);
    return launch ? probeProcess(launch.terminal ?? launch.launcher) : 'dead';
  }

  /** Is this the way in of one of them? Whoever is found there is that one. */
  at(socket: string | undefined): boolean {
    return socket !== undefined && [...this.#open.values()].some((launch) => launch.socket === socket);
  }
}
