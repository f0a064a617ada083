/** A message as the agent reads it: from another member of the team, or typed by a person. */
export interface Message {
  /** The delivery's uuid, when the text has a header. */
  readonly delivery: string | undefined;
  readonly from: string;
  readonly authority: string | undefined;
  readonly task: string | undefined;
  readonly expects: 'nothing' | 'reply' | 'result';
  readonly body: string;
}

/** Who typed text without a header. */
export const PERSON = 'person';

const HEADER = /^\[team message (\S+) from (\S+)(?: \(([^)]*)\))?(.*)\]\s*$/;
/** A task's name may have blanks in it: it goes up to the next attribute that is known. */
const TASK = / task (.+?)(?= expects |$)/;
const EXPECTS = / expects (\S+)/;
const FENCE = /^--- (\S+)$/;

/**
 * Reads a rendered message. Tolerant: without a header the whole text is a message of a person that expects nothing;
 * without a fence everything below the header is the body; attributes that it does not know are passed over.
 */
export function parseMessage(text: string): Message {
  const [first = '', ...rest] = text.split('\n');
  const header = HEADER.exec(first);
  if (!header) {
    return {
      delivery: undefined,
      from: PERSON,
      authority: undefined,
      task: undefined,
      expects: 'nothing',
      body: text.trim(),
    };
  }
  const [, delivery, from = PERSON, authority, attributes = ''] = header;
  const expects = EXPECTS.exec(attributes)?.[1];
  return {
    delivery,
    from,
    authority,
    task: TASK.exec(attributes)?.[1],
    expects: expects === 'reply' || expects === 'result' ? expects : 'nothing',
    body: unfenced(rest),
  };
}

function unfenced(lines: readonly string[]): string {
  const start = lines.findIndex((line) => line.trim() !== '');
  const nonce = FENCE.exec(lines[start] ?? '')?.[1];
  if (nonce === undefined) return lines.join('\n').trim();
  const end = lines.lastIndexOf(`--- ${nonce} end`);
  return lines.slice(start + 1, end > start ? end : undefined).join('\n');
}
