import {
  type AgentId,
  isRefusal,
  LEADER,
  type MessageId,
  type Mint,
  type Refusal,
  refuse,
  SYSTEM,
} from '../kernel/index.ts';
import {
  type Change,
  type DeliveryRow,
  deliveriesOf,
  findMessage,
  findNotice,
  generationOf,
  insertDelivery,
  insertMessage,
  type MessageRow,
} from '../ledger/index.ts';
import { holdNow, releaseBatch } from './holding.ts';

/** Largest text of a message, in UTF-8 bytes. */
const BODY_LIMIT = 8 * 1024 * 1024;

export interface Letter {
  readonly message_id: MessageId;
  readonly sender: AgentId | string;
  readonly authority: MessageRow['authority'];
  readonly to: readonly { readonly agent: AgentId; readonly generation: number }[];
  readonly body: string;
  readonly task_id?: string | undefined;
  readonly reply_to?: MessageId | undefined;
  readonly expects: MessageRow['expects'];
  readonly dedupe_key?: string;
  /** UTC ms. */
  readonly expires_at?: number | undefined;
  /** Goes before what is not urgent, and into a turn that is running. */
  readonly urgent?: boolean | undefined;
  /** It does not go before this time, UTC ms. */
  readonly due_at?: number | undefined;
  /** `wanted`: it goes when a person has said yes; `given`: the person who sends it says so. */
  readonly confirmation?: 'wanted' | 'given' | undefined;
  /** How often the ball went from agent to agent before; 0 when a person or the leader speaks. */
  readonly hops?: number | undefined;
  /** It wakes nobody by itself: it goes along with what does, or when it is due. */
  readonly batched?: boolean | undefined;
}

export interface Sent {
  readonly message_id: MessageId;
  readonly deliveries: readonly DeliveryRow[];
  /** True when this very message was stored before: the same call came twice. */
  readonly repeated: boolean;
}

/**
 * Stores a message, one delivery per recipient and the event, inside the caller's transaction. The id comes from the
 * client: the same id with the same text is the same message, with another text it is refused (`message_conflict`).
 */
export async function store(change: Change, letter: Letter, mint: Mint): Promise<Sent | Refusal> {
  const before = await findMessage(change.tx, letter.message_id);
  if (before) return repeated(change, before, letter);
  const message = rowOf(letter, await change.next());
  await insertMessage(change, message);
  const hold = await holdNow(change, message);
  const deliveries: DeliveryRow[] = [];
  for (const { agent, generation } of letter.to) {
    // Only notices to the leader wait to go along with others.
    if (hold === undefined && agent === LEADER) await releaseBatch(change, agent);
    deliveries.push(
      await insertDelivery(change, {
        delivery_id: mint.delivery(),
        message_id: letter.message_id,
        recipient: agent,
        generation,
        urgent: letter.urgent ? 1 : 0,
        expects: letter.expects,
        state: hold ? 'held' : 'queued',
        reason: hold ?? null,
      }),
    );
  }
  await change.event('message.stored', {
    message_id: letter.message_id,
    sender: letter.sender,
    to: letter.to.map(({ agent }) => agent),
    ...(letter.task_id ? { task_id: letter.task_id } : {}),
    ...(letter.dedupe_key ? { notice: letter.dedupe_key } : {}),
    ...(hold ? { held: hold } : {}),
  });
  return { message_id: letter.message_id, deliveries, repeated: false };
}

function rowOf(letter: Letter, seq: number): Omit<MessageRow, 'team' | 'created_at'> {
  return {
    message_id: letter.message_id,
    seq,
    sender: letter.sender,
    authority: letter.authority,
    body: letter.body,
    task_id: letter.task_id ?? null,
    reply_to: letter.reply_to ?? null,
    expects: letter.expects,
    dedupe_key: letter.dedupe_key ?? null,
    expires_at: letter.expires_at ?? null,
    hops: letter.hops ?? 0,
    due_at: letter.due_at ?? null,
    confirmation: letter.confirmation ?? null,
    confirmed_by: letter.confirmation === 'given' ? letter.sender : null,
    batched: letter.batched ? 1 : 0,
  };
}

async function repeated(change: Change, before: MessageRow, letter: Letter): Promise<Sent | Refusal> {
  if (before.team !== change.team || before.sender !== letter.sender || before.body !== letter.body) {
    return refuse('message_conflict', `Message ${letter.message_id} is stored already, with another text or sender.`, {
      next: [`team-agent deliveries ${letter.message_id}`],
    });
  }
  return {
    message_id: letter.message_id,
    deliveries: await deliveriesOf(change.tx, letter.message_id),
    repeated: true,
  };
}

/** A text that may be sent, or the refusal: empty, too large, or bytes that are no text. */
export function checkBody(body: string): Refusal | undefined {
  if (body.trim() === '')
    return refuse('empty_message', 'The message is empty.', { next: ['team-agent send AGENT "text"'] });
  if (body.includes('\u0000'))
    return refuse('message_not_text', 'The message holds a NUL byte: it is not text.', { next: [] });
  if (!body.isWellFormed())
    return refuse('message_not_text', 'The message holds half a character (a lone surrogate): it is not text.');
  const bytes = Buffer.byteLength(body);
  if (bytes <= BODY_LIMIT) return undefined;
  return refuse('message_too_large', `The message has ${bytes} bytes; at most ${BODY_LIMIT} are taken.`, {
    next: ['Write it to a file and send the path'],
  });
}

/**
 * Tells somebody something once: a message of the runtime whose key exists once in the team. A notice about a notice is
 * never made.
 */
export async function storeNotice(
  change: Change,
  mint: Mint,
  notice: {
    key: string;
    to: AgentId;
    generation?: number | undefined;
    body: string;
    task_id?: string | undefined;
  } & Pick<Letter, 'batched' | 'due_at' | 'hops'>,
): Promise<void> {
  if (await findNotice(change.tx, change.team, notice.key)) return;
  const sent = await store(
    change,
    {
      message_id: mint.message(),
      sender: SYSTEM,
      authority: 'system',
      to: [
        {
          agent: notice.to,
          generation: notice.generation ?? (await generationOf(change.tx, change.team, notice.to)) ?? 1,
        },
      ],
      body: notice.body,
      task_id: notice.task_id,
      expects: 'nothing',
      dedupe_key: notice.key,
      batched: notice.batched,
      due_at: notice.due_at,
      hops: notice.hops,
    },
    mint,
  );
  if (isRefusal(sent)) throw new Error(`a fresh message id was refused: ${sent.message}`);
}

/** Who hears of a message's end: its sender, or the leader for what a person wrote. Nobody, for the runtime's own notices. */
export function whoToTell(sender: string): AgentId | undefined {
  if (sender === SYSTEM) return undefined;
  return sender === 'person' ? LEADER : (sender as AgentId);
}
