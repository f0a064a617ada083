import { createHash } from 'node:crypto';
import os from 'node:os';
import type { IncarnationId, TeamId } from '../kernel/index.ts';
import { type Ledger, leaseOf, putLease } from '../ledger/index.ts';
import type { Conversation } from './conversation.ts';
import type { Leaders } from './leaders.ts';

/** Who leads, as it may be shown: nothing in it opens a way in. */
export interface LeaderIdentity {
  readonly provider: string;
  readonly user: string;
  readonly host: string;
  /** First 12 hex digits of the sha256 of its session id. */
  readonly session: string;
}

/**
 * Makes a conversation the leader of a team, in one commit with its event. False, and nothing changed, when it leads
 * already or another one that lives does: who leads is never taken over here.
 */
export async function bindLeader(
  ledger: Ledger,
  leaders: Leaders,
  team: TeamId,
  conversation: Conversation,
): Promise<boolean> {
  const { incarnation, provider, handle } = conversation;
  const bound = await ledger.change(team, 'coordinator', async (change) => {
    const lease = await leaseOf(change.tx, team);
    const holder = lease?.receiver as IncarnationId | null | undefined;
    if (holder && (holder === incarnation || leaders.isAlive(holder))) return false;
    const identity = identityOf(provider, handle.session);
    const epoch = await putLease(change, { identity: JSON.stringify(identity), receiver: incarnation });
    await change.event('leader.bound', { epoch, identity, incarnation });
    return true;
  });
  if (bound) leaders.leads(team, incarnation);
  return bound;
}

function identityOf(provider: string, session: string): LeaderIdentity {
  const digest = createHash('sha256').update(session).digest('hex').slice(0, 12);
  return { provider, user: os.userInfo().username, host: os.hostname(), session: digest };
}
