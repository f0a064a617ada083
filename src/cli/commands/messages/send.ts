import { mint } from '../../../kernel/ids.ts';
import { isRefusal, type Refusal } from '../../../kernel/reasons.ts';
import type { Answers } from '../../answers/index.ts';
import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { sentLines } from '../../rendering/deliveries.ts';
import {
  type SendFlags,
  type SendRequest,
  sendRequest,
  TEXT_LIMIT,
  textOf,
  tooLarge,
  withBothForms,
} from '../../sending.ts';
import { waitedOutcome } from './waited.ts';

/** What is left of a wait when its coordinator is lost, s, at least: enough for a look. */
const LEAST_WAIT = 1;

/** Stores a message, and with `--wait` waits for its receipt or result. */
export async function run(context: Context, words: readonly string[], flags: SendFlags): Promise<Outcome> {
  const request = sendRequest(words, flags);
  if (isRefusal(request)) return refused(request);
  const text = request.text ?? (await readInput(context));
  if (isRefusal(text)) return refused(text);
  const letter = { ...request, text, message_id: mint.message() };
  const began = performance.now();
  const sent = await call(context, 'send', letter);
  if (isRefusal(sent) && sent.reason === 'coordinator_lost')
    return afterLoss(context, letter, sent, (performance.now() - began) / 1_000);
  return waitedOutcome(isRefusal(sent) ? withBothForms(sent, flags) : sent, sentLines);
}

async function readInput({ stdin }: Context): Promise<string | Refusal> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stdin()) {
    const bytes = Buffer.from(piece);
    size += bytes.length;
    if (size > TEXT_LIMIT) return tooLarge(`more than ${TEXT_LIMIT} bytes`);
    pieces.push(bytes);
  }
  return textOf(Buffer.concat(pieces));
}

type Letter = SendRequest & { readonly text: string; readonly message_id: string };

/** The reply was lost after `waited` s: whether the message is stored is asked for once, by its id; a wait goes on. */
async function afterLoss(context: Context, letter: Letter, lost: Refusal, waited: number): Promise<Outcome> {
  const { message_id } = letter;
  const answer = await call(context, 'message-stored', { message_id });
  const stored = isRefusal(answer) ? ('unknown' as const) : answer.stored;
  if (stored !== true) {
    const what = stored === false ? 'The message is not stored; send it again.' : 'Whether it is stored is not known.';
    const told = { ...lost, message: `${lost.message} ${what}`, message_id, stored };
    return refused({ ...told, next: [`team-agent deliveries ${message_id}`, ...lost.next] });
  }
  if (letter.wait) return waitOn(context, letter, waited);
  const found = await call(context, 'deliveries', { message_id });
  const deliveries = isRefusal(found) ? [] : found.deliveries;
  const sent: Answers['send'] = { ok: true, message_id, stored, to: deliveries.map(({ to }) => to), deliveries };
  return outcomeOf(sent, sentLines);
}

/** Waits for the rest of the time: sent again under its id, a message that is stored is the same message. */
async function waitOn(context: Context, letter: Letter, waited: number): Promise<Outcome> {
  const { message_id, timeout_s = 0 } = letter;
  const answer = await call(context, 'send', { ...letter, timeout_s: Math.max(LEAST_WAIT, timeout_s - waited) });
  if (!isRefusal(answer) || answer.reason !== 'coordinator_lost') return waitedOutcome(answer, sentLines);
  const told = { ...answer, message: `${answer.message} The message is stored; what became of it is not known.` };
  return refused({ ...told, ...{ message_id, stored: true }, next: [`team-agent deliveries ${message_id}`] });
}
