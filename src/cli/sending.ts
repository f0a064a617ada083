import { isRefusal, type Refusal, refuse } from '../kernel/reasons.ts';
import { oneOf, seconds, usage } from './flags.ts';

export interface SendFlags {
  readonly to?: string;
  readonly task?: string;
  readonly expects?: string;
  readonly replyTo?: string;
  readonly wait?: string;
  readonly timeout?: string;
  readonly ttl?: string;
  readonly at?: string;
  readonly in?: string;
  readonly now?: boolean;
  readonly confirmHuman?: boolean;
  readonly stdin?: boolean;
  readonly from?: string;
}

/** What `send` asks of the coordinator, but for the message's id and a text that is still to be read. */
export interface SendRequest {
  /** undefined: whoever has the task. */
  readonly to: readonly string[] | undefined;
  /** undefined: it comes from standard input. */
  readonly text: string | undefined;
  readonly task?: string;
  readonly expects?: 'nothing' | 'reply' | 'result';
  readonly reply_to?: string;
  readonly wait?: 'consumed' | 'result';
  readonly timeout_s?: number;
  readonly ttl_s?: number;
  /** UTC ms. */
  readonly due_at?: number;
  readonly in_s?: number;
  readonly now?: true;
  readonly confirm_human?: true;
}

export const SEND_FORMS = ['team-agent send AGENT "text"', 'team-agent send --to AGENT,AGENT "text"'] as const;
/** Largest text of a message, in bytes of UTF-8; the coordinator's own limit. */
export const TEXT_LIMIT = 8 * 1024 * 1024;
/** `--wait` without `--timeout` waits so long, s. */
const WAIT = 30;

/**
 * Reads the words and flags of `send`. With `--to` every word is text; without it the first word says for whom, and the
 * others, joined by blanks, are the text. `task:T` means whoever has the task, and so does `--task T` when one word alone
 * (with `--stdin`: none) is left for the text.
 */
export function sendRequest(words: readonly string[], flags: SendFlags): SendRequest | Refusal {
  if (flags.from !== undefined) return senderIsTheCaller();
  const byTask = flags.to === undefined && flags.task !== undefined && words.length === (flags.stdin ? 0 : 1);
  const addressed = flags.to ?? (byTask ? `task:${flags.task}` : words[0]);
  const text = flags.to !== undefined || byTask ? words : words.slice(1);
  if (addressed === undefined) return usage('send needs to know for whom the message is.', SEND_FORMS);
  if (flags.stdin && text.length > 0) {
    return usage('With --stdin the text comes from standard input, and from nowhere else.', [
      'team-agent send AGENT --stdin < FILE',
    ]);
  }
  if (!flags.stdin && text.length === 0) {
    return usage(`send needs a text: ${JSON.stringify(addressed)} alone says only for whom it is.`, SEND_FORMS);
  }
  const options = sendOptions(flags, addressed);
  if (isRefusal(options)) return options;
  return { text: flags.stdin ? undefined : text.join(' '), ...options };
}

function sendOptions(flags: SendFlags, addressed: string): Omit<SendRequest, 'text'> | Refusal {
  const expects = oneOf('--expects', flags.expects, ['nothing', 'reply', 'result']);
  if (isRefusal(expects)) return expects;
  const wait = oneOf('--wait', flags.wait, ['consumed', 'result']);
  if (isRefusal(wait)) return wait;
  const timeout_s = seconds('--timeout', flags.timeout);
  if (isRefusal(timeout_s)) return timeout_s;
  const ttl_s = seconds('--ttl', flags.ttl);
  if (isRefusal(ttl_s)) return ttl_s;
  const due = dueOf(flags);
  if (isRefusal(due)) return due;
  const byTask = /^task:(.+)$/.exec(addressed)?.[1];
  if (byTask !== undefined && flags.task !== undefined && flags.task !== byTask) {
    return usage(`The message is for task ${byTask} and for task ${flags.task}: name one.`, SEND_FORMS);
  }
  const task = byTask ?? flags.task;
  return {
    to: byTask === undefined ? addressed.split(',').map((word) => word.trim()) : undefined,
    ...(task === undefined ? {} : { task }),
    ...(expects === undefined ? {} : { expects }),
    ...(flags.replyTo === undefined ? {} : { reply_to: flags.replyTo }),
    ...(wait === undefined ? {} : { wait, timeout_s: timeout_s ?? WAIT }),
    ...(ttl_s === undefined ? {} : { ttl_s }),
    ...due,
    ...(flags.now ? { now: true } : {}),
    ...(flags.confirmHuman ? { confirm_human: true } : {}),
  };
}

/** When it goes: at a time, or after so many seconds. */
function dueOf({ at, in: delay, now }: SendFlags): Pick<SendRequest, 'due_at' | 'in_s'> | Refusal {
  if (at !== undefined && delay !== undefined) return usage('--at and --in both say when it goes: write one.', LATER);
  if (now && (at !== undefined || delay !== undefined))
    return usage('--now and a later time exclude each other.', LATER);
  const in_s = seconds('--in', delay);
  if (isRefusal(in_s)) return in_s;
  if (in_s !== undefined) return { in_s };
  if (at === undefined) return {};
  const due_at = /^\d{4}-\d\d-\d\d/.test(at) ? Date.parse(at) : Number.NaN;
  return Number.isNaN(due_at) ? usage(`--at takes an ISO time, not ${JSON.stringify(at)}.`, LATER) : { due_at };
}

const LATER = [
  'team-agent send AGENT "text" --in 600',
  'team-agent send AGENT "text" --at 2026-01-31T12:00:00Z',
] as const;

function senderIsTheCaller(): Refusal {
  return refuse(
    'sender_is_the_caller',
    'A message comes from whoever sends it: an agent, the leader or a person. --from is not taken.',
    { next: SEND_FORMS },
  );
}

/** A first word that nobody is called: probably the text began there. Both forms are shown. */
export function withBothForms(refusal: Refusal, flags: SendFlags): Refusal {
  if (refusal.reason !== 'target_not_in_team' || flags.to !== undefined) return refusal;
  return { ...refusal, next: [...SEND_FORMS, 'team-agent status'] };
}

/** Bytes as the text they are, byte for byte; refused when they are none, or too many. */
export function textOf(bytes: Uint8Array): string | Refusal {
  if (bytes.length > TEXT_LIMIT) return tooLarge(`${bytes.length} bytes`);
  if (bytes.includes(0)) return notText('it holds a NUL byte');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return notText('its bytes are not UTF-8');
  }
}

export function tooLarge(size: string): Refusal {
  return refuse('message_too_large', `The message has ${size}; at most ${TEXT_LIMIT} bytes are taken.`, {
    next: ['team-agent send AGENT "the text is in FILE"'],
  });
}

function notText(why: string): Refusal {
  return refuse('message_not_text', `The message is not text: ${why}.`, {
    next: ['team-agent send AGENT --stdin < FILE', ...SEND_FORMS],
  });
}
