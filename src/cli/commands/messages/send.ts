import { mint } from '../../../kernel/ids.ts';
import { isRefusal, type Refusal } from '../../../kernel/reasons.ts';
import type { Answers } from '../../answers/index.ts';
import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { sentLines } from '../../rendering/deliveries.ts';
import { type SendFlags, sendRequest, TEXT_LIMIT, textOf, tooLarge, withBothForms } from '../../sending.ts';

/** Stores a message, and with `--wait` waits for its receipt or result. */
export async function run(context: Context, words: readonly string[], flags: SendFlags): Promise<Outcome> {
  const request = sendRequest(words, flags);
  if (isRefusal(request)) return refused(request);
  const text = request.text ?? (await readInput(context));
  if (isRefusal(text)) return refused(text);
  const message_id = mint.message();
  const sent = await call(context, 'send', { ...request, text, message_id });
  if (isRefusal(sent) && sent.reason === 'coordinator_lost') return askOnce(context, message_id, sent);
  return outcomeOf(isRefusal(sent) ? withBothForms(sent, flags) : sent, sentLines);
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

/** The reply was lost: whether the message is stored is asked for once, by its id. */
async function askOnce(context: Context, message_id: string, lost: Refusal): Promise<Outcome> {
  const answer = await call(context, 'message-stored', { message_id });
  const stored = isRefusal(answer) ? ('unknown' as const) : answer.stored;
  if (stored !== true) {
    const what = stored === false ? 'The message is not stored; send it again.' : 'Whether it is stored is not known.';
    const told = { ...lost, message: `${lost.message} ${what}`, message_id, stored };
    return refused({ ...told, next: [`team-agent deliveries ${message_id}`, ...lost.next] });
  }
  const found = await call(context, 'deliveries', { message_id });
  const deliveries = isRefusal(found) ? [] : found.deliveries;
  const sent: Answers['send'] = { ok: true, message_id, stored, to: deliveries.map(({ to }) => to), deliveries };
  return outcomeOf(sent, sentLines);
}
