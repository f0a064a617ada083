import { type IncarnationId, LEADER, type TeamId } from '../../kernel/index.ts';
import type { LeaderIdentity } from '../../leader/index.ts';
import { leaseOf, type Reading } from '../../ledger/index.ts';
import { heldBy, type Observer } from './observer.ts';

/** Who leads a team, as people may see it. A leader that has ended, or that nobody has looked at, leaves the mailbox. */
export async function leaderView(db: Reading, observer: Observer | undefined, team: TeamId) {
  const lease = await leaseOf(db, team);
  const receiver = lease?.receiver as IncarnationId | null | undefined;
  const turn = receiver ? observer?.leaderTurn(receiver) : undefined;
  const provider = receiver ? observer?.leading(receiver) : undefined;
  const held = provider ? heldBy(observer, team, LEADER) : undefined;
  return {
    identity: lease?.identity ? (JSON.parse(lease.identity) as LeaderIdentity) : null,
    epoch: lease?.epoch ?? 0,
    receiver: provider ?? 'mailbox',
    ...(held ? { held } : {}),
    ...(turn ? { state: turn.state, state_source: turn.source, since: turn.since, evidence: turn.evidence } : {}),
  };
}
