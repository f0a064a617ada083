import { type AgentId, type DeliveryId, LEADER, type MessageId } from '../../../kernel/index.ts';
import {
  type Change,
  type DeliveryRow,
  deliveriesOf,
  findDelivery,
  findMessage,
  openRequests,
} from '../../../ledger/index.ts';
import { answer, takeByPerson } from '../../../messages/index.ts';
import type { Caller } from '../../api/callers.ts';

type Request = Pick<DeliveryRow, 'delivery_id' | 'message_id'>;

/**
 * The open request for a reply that a message answers: the one that `reply_to` names, by its message id or by the delivery
 * id that stands in its header; without such a name, the only one that a recipient of the message has made and that the
 * caller's session knows of. What names any other message is about that one, and answers nothing; so does a question back
 * that names nothing.
 */
export async function requestAnswered(
  change: Change,
  caller: Caller,
  message: { readonly reply_to?: string | undefined; readonly expects: string },
  to: readonly AgentId[],
  knows: (delivery: DeliveryId) => boolean = () => true,
): Promise<Request | undefined> {
  if (caller.kind !== 'agent') return askedOfTheLeader(change, message.reply_to);
  const open = await openRequests(change.tx, caller.team, caller, ['reply']);
  const named = open.find((row) => row.message_id === message.reply_to || row.delivery_id === message.reply_to);
  if (named || message.expects !== 'nothing' || (await isMessage(change, message.reply_to))) return named;
  const known = open.filter((row) => knows(row.delivery_id as DeliveryId));
  const [only, ...others] = known.filter((row) => to.some((recipient) => recipient === whoHears(row.sender)));
  return others.length === 0 ? only : undefined;
}

/** Models also write names there that nobody bears: those say nothing. */
async function isMessage(change: Change, named: string | undefined): Promise<boolean> {
  if (named === undefined) return false;
  const found = await findDelivery(change.tx, named as DeliveryId);
  return (found ?? (await findMessage(change.tx, named as MessageId))) !== undefined;
}

/** What a person asked is answered to the leader. */
function whoHears(sender: string): string {
  return sender === 'person' ? LEADER : sender;
}

/** The leader, or a person for it, answers only what is named: by the message's id, or the one in the header that it read. */
async function askedOfTheLeader(change: Change, named: string | undefined): Promise<Request | undefined> {
  if (named === undefined) return undefined;
  const byDelivery = await findDelivery(change.tx, named as DeliveryId);
  const rows = byDelivery ? [byDelivery] : await deliveriesOf(change.tx, named as MessageId);
  return rows.find((row) => row.team === change.team && row.recipient === LEADER && row.expects === 'reply');
}

/** Closes a request by the message `by`. What a person answers without having taken it from the mailbox was read too. */
export async function closeRequest(change: Change, request: Request, by: MessageId): Promise<void> {
  const delivery = request.delivery_id as DeliveryId;
  if (await answer(change, delivery, { reply: by })) return;
  if (await takeByPerson(change, delivery)) await answer(change, delivery, { reply: by });
}
