import { z } from 'zod';
import {
  type AgentId,
  type DeliveryId,
  firstLine,
  type IncarnationId,
  isRefusal,
  LEADER,
  type MessageId,
  messageOfCall,
  type Refusal,
  refuse,
  SYSTEM,
  type TeamId,
} from '../kernel/index.ts';
import { deliveriesOf, findDelivery, findMessage, type TeamRow } from '../ledger/index.ts';
import { checkBody, piecesOf, store } from '../messages/index.ts';
import { findProvider } from '../providers/index.ts';
import { type Reported, report } from '../results/index.ts';
import type { AgentCaller, LeaderCaller } from './api/callers.ts';
import type { Runtime } from './runtime.ts';
import { sendAs } from './verbs/messages/send.ts';
import { inboxView } from './views/index.ts';

/** An argument that may be left out: models also write null or "" for that. */
export const optionalArgument = <Inner extends z.ZodType>(inner: Inner) =>
  z.preprocess((value) => (value === null || value === '' ? undefined : value), inner.optional()).optional();

/** Arguments of `send_message`. Unknown ones are dropped, not refused: models add fields of their own. */
export const sendMessageInput = z.object({
  to: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .describe('A teammate, several, "leader", or "*" for everybody'),
  content: z.string().min(1).describe('The text; it arrives as it is'),
  expects: optionalArgument(z.enum(['nothing', 'reply', 'result'])).describe('What you want back; nothing by default'),
  reply_to: optionalArgument(z.string()).describe('The message_id you answer'),
  task: optionalArgument(z.string().max(128)).describe('The task this is about'),
});

/** Arguments of `request_human`. */
export const requestHumanInput = z.object({ question: z.string().min(1) });

/** Arguments of `update_state`. */
export const updateStateInput = z.object({ note: z.string().min(1) });

/** From where in a team a tool is called. */
export interface Seat {
  readonly team: TeamId;
  /** The agent's id, or `leader`. */
  readonly agent: AgentId;
  readonly incarnation: IncarnationId;
}

/** An agent's or a leader's message. `call` is the provider's own id of the call: the same call twice is one message. */
export async function sendMessage(runtime: Runtime, caller: AgentCaller | LeaderCaller, call: string, input: unknown) {
  const parsed = sendMessageInput.partial({ to: true }).safeParse(input);
  if (!parsed.success) return badArguments(parsed.error);
  const { to, content, ...rest } = parsed.data;
  return sendAs(runtime, caller, {
    ...rest,
    message_id: messageOfCall(caller.incarnation, call),
    ...(to === undefined ? {} : { to: [to].flat() }),
    text: content,
  });
}

/** An agent's report; see `sendMessage` for `call`. */
export async function reportResult(
  runtime: Runtime,
  caller: AgentCaller,
  call: string,
  input: unknown,
): Promise<Reported | Refusal> {
  await runtime.caughtUp(caller);
  return report(runtime.effects, { ...caller, call, knows: (delivery) => runtime.knows(caller, delivery) }, input);
}

/** A question that only a person can answer; it waits with the leader. See `sendMessage` for `call`. */
export async function requestHuman(
  runtime: Runtime,
  caller: AgentCaller,
  call: string,
  input: unknown,
): Promise<object | Refusal> {
  const parsed = requestHumanInput.safeParse(input);
  if (!parsed.success) return badArguments(parsed.error);
  return sendMessage(runtime, caller, call, {
    to: LEADER,
    content: `${caller.agent} asks a person: ${parsed.data.question}`,
    expects: 'reply',
  });
}

/** A note on record: a message that is for nobody. See `sendMessage` for `call`. */
export async function updateState(
  runtime: Runtime,
  caller: Seat,
  call: string,
  input: unknown,
): Promise<object | Refusal> {
  const parsed = updateStateInput.safeParse(input);
  if (!parsed.success) return badArguments(parsed.error);
  const { note } = parsed.data;
  const refused = checkBody(note);
  if (refused) return refused;
  const { ledger, mint } = runtime.effects;
  const message_id = messageOfCall(caller.incarnation, call);
  const sent = await ledger.change(caller.team, caller.agent, (change) =>
    store(
      change,
      {
        message_id,
        sender: caller.agent,
        authority: caller.agent === LEADER ? 'leader' : 'peer',
        to: [],
        body: note,
        expects: 'nothing',
      },
      mint,
    ),
  );
  return isRefusal(sent) ? sent : { ok: true, message_id, note: firstLine(note, 80) };
}

/** What an answer of `read_message` holds beside the text, in bytes, at most: its ids and names. */
const AROUND = 1_000;

/**
 * One message in full, or the part of it that was asked for when its text is longer than what the caller's CLI hands on to
 * its model; only its sender and its recipients may read it.
 */
export async function readMessage(
  runtime: Runtime,
  caller: Seat,
  { message_id: named, part = 1 }: { message_id: string; part?: number | undefined },
): Promise<object | Refusal> {
  const { db } = runtime.effects.ledger;
  // What an agent has before it is the header, and in that stands the delivery's id.
  const message_id = ((await findDelivery(db, named as DeliveryId))?.message_id ?? named) as MessageId;
  const message = await findMessage(db, message_id);
  const deliveries = message ? await deliveriesOf(db, message_id) : [];
  const own =
    message?.team === caller.team &&
    (message.sender === caller.agent || deliveries.some((row) => row.recipient === caller.agent));
  if (!message || !own) return refuse('message_not_found', `No message ${named} from you or to you.`, { next: [] });
  const { sender, authority, task_id, reply_to, expects, created_at } = message;
  const longest = longestAnswerTo(runtime, caller);
  const pieces = longest === undefined ? [message.body] : piecesOf(message.body, longest - AROUND);
  const body = pieces[part - 1];
  if (body === undefined)
    return refuse(
      'tool_arguments_invalid',
      `The message ${named} has no part ${part}: the last one is ${pieces.length}.`,
    );
  const parts = pieces.length === 1 ? {} : { part, parts: pieces.length };
  const rest = part < pieces.length ? { next: `This is a part: call read_message with part ${part + 1}.` } : {};
  return { ok: true, message_id, ...parts, sender, authority, body, task_id, reply_to, expects, created_at, ...rest };
}

/** What an answer of `inbox` takes where nobody knows how much the caller's CLI hands on, bytes. */
const USUAL_ANSWER = 40_000;

/** What a message of an inbox holds beside its text, in bytes, at most, and the least of its text that is shown. */
const BESIDE = { ids: 400, text: 50 };

/** The messages to a caller, as many bytes as its CLI hands on to its model: of long texts the beginning. */
export async function readInbox(
  runtime: Runtime,
  seat: Seat,
  team: TeamRow,
  since: number | undefined,
): Promise<object | Refusal> {
  const inbox = await inboxView(runtime.effects.ledger.db, runtime, team, { agent: seat.agent, since });
  if (isRefusal(inbox)) return inbox;
  const each = (longestAnswerTo(runtime, seat) ?? USUAL_ANSWER) / inbox.messages.length - BESIDE.ids;
  return {
    ...inbox,
    messages: inbox.messages.map((message) => shortened(message, Math.max(BESIDE.text, Math.floor(each)))),
  };
}

function shortened<Message extends { readonly body: string }>(message: Message, limit: number): Message {
  const { body } = message;
  // No more of a text is looked at than may be shown: it can have megabytes.
  const [beginning = ''] = piecesOf(body.slice(0, limit), limit);
  if (beginning.length === body.length) return message;
  return { ...message, body: `${beginning}… (cut: read_message has all ${Buffer.byteLength(body)} bytes)` };
}

/** Bytes that a caller's CLI hands on to its model. */
function longestAnswerTo({ effects }: Runtime, { incarnation }: Seat): number | undefined {
  const known = effects.roster.byIncarnation(incarnation)?.row ?? effects.leaders.conversation(incarnation);
  const provider = known && findProvider(known.provider);
  return provider === undefined || isRefusal(provider) ? undefined : provider.longestAnswer;
}

/** Who the caller is and who else is there. */
export function hello(runtime: Runtime, caller: Seat): object {
  const teammates = runtime.effects.roster.members(caller.team).map((member) => member.id);
  return {
    ok: true,
    you: caller.agent,
    team: caller.team,
    leader: LEADER,
    runtime: SYSTEM,
    teammates: teammates.filter((id) => id !== caller.agent),
  };
}

/** Arguments that are not what a tool takes: one line, no paths. */
function badArguments(error: z.ZodError): Refusal {
  return refuse('tool_arguments_invalid', firstLine(z.prettifyError(error).replaceAll('\n', '; '), 200), { next: [] });
}
