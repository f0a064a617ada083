import { firstLine, LEADER, printable } from '../kernel/index.ts';
import type { QueuedRow } from '../ledger/index.ts';
import type { Channel } from '../providers/index.ts';

/** Longest body, in UTF-8 bytes, that goes to a channel as it is; above it a notice goes, and `read_message` brings the text. */
export const INLINE_LIMIT = 16_384;

/** What of a message to somebody a rendering needs. */
export type Renderable = Pick<
  QueuedRow,
  'sender' | 'authority' | 'body' | 'task_id' | 'expects' | 'message_id' | 'recipient' | 'team' | 'seq'
>;

/**
 * What a recipient reads: one header line with the mark (the delivery id), then the body between two lines that carry a
 * nonce nobody could know when the body was written. What stands between the fences is the body, byte for byte, but for
 * lines that look like a header of ours: those get a backslash in front. A body that is too long, or that the channel would
 * alter on the way, is read by a tool instead.
 */
export function render(message: Renderable, delivery: string, nonce: string, alters?: Channel['alters']): string {
  const bytes = Buffer.byteLength(message.body);
  const inline = bytes <= INLINE_LIMIT && !alters?.test(message.body);
  const body = inline ? escapeLookalikes(message.body) : notice(message, bytes);
  return `${header(message, delivery, alters)}\n--- ${nonce}\n${body}\n--- ${nonce} end`;
}

function header(message: Renderable, delivery: string, alters: Channel['alters']): string {
  const task = message.task_id ? ` task ${headerText(message.task_id, alters)}` : '';
  const expects = message.expects === 'nothing' ? '' : ` expects ${message.expects}`;
  return `[team message ${delivery} from ${message.sender} (${message.authority})${task}${expects}]`;
}

/** A task's name is anybody's text: it must not end the header's line, nor keep the header from arriving. */
function headerText(text: string, alters: Channel['alters']): string {
  const line = firstLine(printable(text));
  return alters ? line.replace(new RegExp(alters.source, `g${alters.flags}`), '?') : line;
}

/** A leader that was found, not launched, has no team tools: it has the command line. */
function notice({ message_id, recipient, team, seq }: Renderable, bytes: number): string {
  const command = `team-agent inbox leader --team ${team} --since ${seq - 1} --limit 1`;
  const other = recipient === LEADER ? `, or, when you have no such tool, with the command: ${command}` : '.';
  return `This message has ${bytes} bytes. Read all of it with the team tool read_message, message_id ${message_id}${other}`;
}

/** A peer's text must not be able to speak in the name of somebody else. */
function escapeLookalikes(body: string): string {
  return body.replace(/^([^\S\r\n\u2028\u2029]*)(?=\[team message )/gim, '$1\\');
}
