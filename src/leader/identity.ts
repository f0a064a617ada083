import { createHash } from 'node:crypto';
import os from 'node:os';
import type { TeamId } from '../kernel/index.ts';
import { type Ledger, leaseOf, moveLease } from '../ledger/index.ts';
import type { Conversation } from './conversation.ts';

/** Who leads, as it may be shown: nothing in it opens a way in. */
export interface LeaderIdentity {
  readonly provider: string;
  readonly user: string;
  readonly host: string;
  /** First 12 hex digits of the sha256 of its session id. */
  readonly session: string;
}

export function identityOf(provider: string, session: string): LeaderIdentity {
  const digest = createHash('sha256').update(session).digest('hex').slice(0, 12);
  return { provider, user: os.userInfo().username, host: os.hostname(), session: digest };
}

/** What a person's claim to a team's lead is made of. */
export interface Person {
  /** The machine's name, or what `TEAM_AGENT_MACHINE_FINGERPRINT` says. */
  readonly machine: string;
  /** Real path. */
  readonly workspace: string;
  readonly user: string;
  readonly team: string;
}

/**
 * The id of a person at a team: the first 32 hex digits of a sha256 over all four, NUL between them. Stable, and another one
 * with each of the four. Undefined when one of them holds a NUL: then two persons could have one id.
 */
export function personId({ machine, workspace, user, team }: Person): string | undefined {
  const words = [machine, workspace, user, team];
  if (words.some((word) => word.includes('\u0000'))) return undefined;
  return createHash('sha256').update(words.join('\u0000')).digest('hex').slice(0, 32);
}

/** Whoever leads works on another session now: it is the same leader in the same epoch, and the lease shows the new session. */
export async function moveIdentity(ledger: Ledger, team: TeamId, { incarnation, provider, handle }: Conversation) {
  const identity = identityOf(provider, handle.session);
  await ledger.change(team, 'coordinator', async (change) => {
    const lease = await leaseOf(change.tx, team);
    const shown = JSON.stringify(identity);
    if (lease?.receiver !== incarnation || lease.identity === shown) return;
    await moveLease(change, { identity: shown, receiver: incarnation });
    await change.event('leader.session_changed', { epoch: lease.epoch, identity, incarnation });
  });
}
