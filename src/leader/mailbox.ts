import type { Recipient } from '../agents/index.ts';
import { LEADER } from '../kernel/index.ts';

/**
 * The leader while nobody leads: a mailbox. Its mail waits until a person takes it (`inbox leader --take`) or a leader is
 * bound; nothing is ever offered to it.
 */
export function mailboxOf(): Recipient {
  return {
    id: LEADER,
    availability: async () => ({ hold: 'leader_unbound', evidence: 'nobody leads this team now' }),
    settle: async () => ({ outcome: 'unknown', awaited: 'a person took it from the mailbox' }),
    liveness: () => 'unknown',
  };
}
