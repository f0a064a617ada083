import type { AgentId, Mint } from '../kernel/index.ts';
import { type Change, type QueuedRow, waitingFor } from '../ledger/index.ts';
import { REMOVED } from './delivery.ts';
import { type Desk, die } from './moves.ts';

/**
 * A member is removed: what waits for it, in its line or held, is dead, and whoever sent it is told. What was offered to it may
 * have been read: that waits for its proof or the end of the life it was offered to.
 */
export async function removeRecipient(change: Change, mint: Mint, agent: AgentId, generation: number): Promise<void> {
  for (const delivery of await waitingFor(change.tx, change.team, agent, generation)) {
    await die(change, mint, delivery, 'recipient_removed', REMOVED);
  }
}

/** The same for what came into the line afterwards: an offer that was not taken, a message that was stored in that moment. */
export function buryFormer({ ledger, team, mint }: Desk, { recipient, generation }: QueuedRow): Promise<void> {
  return ledger.change(team, 'coordinator', (change) =>
    removeRecipient(change, mint, recipient as AgentId, generation),
  );
}
