import type { IncarnationId, Liveness } from '../../kernel/index.ts';
import { hold, holdOfTurn } from '../holds.ts';
import type { AgentHandle, Hold, Offer, Receipt, Settlement } from '../shape.ts';
import { turnOfThread } from './facts.ts';
import type { Connection } from './server/connection.ts';
import type { CodexThread } from './server/thread.ts';
import type { Threads } from './threads.ts';

/** What both channels see of the agent. */
export interface Seen {
  readonly handle: AgentHandle;
  readonly incarnation: IncarnationId;
  readonly threads: Threads;
  readonly connection: Connection;
  readonly liveness: () => Liveness;
  readonly changed: () => void;
}

/** What Codex has against a paste, without its screen. */
export function holdOfAgent({ connection, threads, liveness }: Seen): Hold | undefined {
  if (liveness() === 'dead') return hold('channel_down', 'its process is dead');
  if (connection.up) return holdOfThreads(threads);
  if (connection.coming) return hold('starting', 'the first connection is about to come');
  threads.catchUp();
  const { turn, evidence } = threads.current.record.state;
  return turn === 'unknown' ? undefined : holdOfTurn(turn, evidence);
}

/** What its conversations have against a message. */
export function holdOfThreads({ isMoving, current }: Threads): Hold | undefined {
  if (isMoving)
    return hold('session_changed', 'another conversation was opened in its terminal, and is not followed yet');
  return holdOfThread(current.thread);
}

function holdOfThread({ questions, state }: CodexThread): Hold | undefined {
  const [question] = questions;
  if (question) return hold('dialog_open', `Codex asks: ${question.method}`);
  const { value, evidence } = turnOfThread(state);
  // Also while its turn tries again after a fault.
  if (state.status === 'active' && !state.waiting) return hold('working', evidence);
  return holdOfTurn(value, evidence);
}

/** The user message that proves an offer; undefined while the rollouts lack it. */
export function receiptOf({ threads }: Seen, offer: Offer): Settlement | undefined {
  const found = threads.receipt(offer);
  if (!found) return undefined;
  const receipt: Receipt = { source: 'rollout:user', file: found.file, offset: found.offset, record_id: found.id };
  return { outcome: 'taken', receipt };
}
