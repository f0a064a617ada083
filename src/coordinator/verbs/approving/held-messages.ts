import {
  type AgentId,
  type DeliveryId,
  firstLine,
  LEADER,
  type MessageId,
  type TaskId,
  type TeamId,
} from '../../../kernel/index.ts';
import {
  type Change,
  deliveriesOf,
  findMessage,
  heldDeliveries,
  type MessageRow,
  type QueuedRow,
  type Reading,
} from '../../../ledger/index.ts';
import { cancel, confirmMessage, storeNotice, whoToTell } from '../../../messages/index.ts';
import type { Decision } from '../../../providers/index.ts';
import { confirmTask, returnTask } from '../../../results/index.ts';
import type { Runtime } from '../../runtime.ts';

/** A message that waits for a person's yes, as a question like those of agents' CLIs: its id is the message's. */
export interface HeldQuestion {
  readonly id: string;
  readonly agent_id: string;
  readonly kind: 'message';
  readonly text: string;
  /** UTC ms. */
  readonly since: number;
  readonly answerable: true;
}

/** The messages of a team that wait for a yes, one question each. */
export async function questionsOfMessages(db: Reading, team: TeamId): Promise<HeldQuestion[]> {
  const waiting = (await heldDeliveries(db, team)).filter(({ confirmation }) => confirmation === 'wanted');
  return [...Map.groupBy(waiting, ({ message_id }) => message_id)].map(([id, rows]) => questionOf(id, rows));
}

function questionOf(id: string, rows: readonly QueuedRow[]): HeldQuestion {
  const [first] = rows;
  const task = first?.task_id ? ` for task ${first.task_id}` : '';
  const text = `Shall this message of ${first?.sender}${task} go? ${firstLine(first?.body ?? '', 200)}`;
  const agent_id = rows.map(({ recipient }) => recipient).join(', ');
  return { id, agent_id, kind: 'message', text, since: first?.stored_at ?? 0, answerable: true };
}

/** Lets a held message go, or takes it back and tells its sender why. False when it waits for no yes any more. */
export async function decideMessage(
  { effects }: { readonly effects: Pick<Runtime['effects'], 'mint'> },
  change: Change,
  id: MessageId,
  decision: Decision,
  by: string,
): Promise<boolean> {
  const message = await findMessage(change.tx, id);
  if (message?.team !== change.team || message.confirmation !== 'wanted') return false;
  const held = (await deliveriesOf(change.tx, id)).filter(({ state }) => state === 'held');
  // Taken back, or too old by now: nobody is asked any more.
  if (held.length === 0) return false;
  if (decision.decision === 'approve') {
    const said = await confirmMessage(change, message, by);
    // The yes is to the task: what asks for it later needs no other.
    if (said && message.task_id !== null) await confirmTask(change, message.task_id as TaskId, by);
    return said;
  }
  for (const { delivery_id } of held) await cancel(change, delivery_id as DeliveryId, by);
  if (message.task_id !== null) await returnTask(change, message.task_id as TaskId);
  const sender = whoToTell(message.sender);
  if (sender) {
    await storeNotice(change, effects.mint, { key: `denied:${id}`, to: sender, body: denial(message, held, decision) });
  }
  return true;
}

function denial(
  { message_id, body }: MessageRow,
  held: readonly { readonly recipient: string }[],
  { message }: Extract<Decision, { decision: 'deny' }>,
): string {
  const to = held.map(({ recipient }) => recipient as AgentId).join(', ') || LEADER;
  const why = message === undefined ? '.' : `: ${message}`;
  return `A person said no to your message ${message_id} to ${to} ("${firstLine(body, 60)}")${why}`;
}
