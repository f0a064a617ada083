import { type Fields, fieldsOf, listOf, numberOf, parseFields, textOf } from './sources/json.ts';

/** What one line of a transcript says, of all that we ask about. */
export type RecordLine =
  /** Text that the session took as input: the only kind that can be a receipt. */
  | {
      readonly type: 'input';
      readonly uuids: readonly string[];
      readonly text: string;
      readonly from: string | undefined;
      /** Begins a turn; false inside one. */
      readonly opens: boolean;
      readonly at: number;
    }
  /** Waits in the session's own queue. */
  | { readonly type: 'queued'; readonly text: string; readonly at: number }
  | { readonly type: 'call'; readonly calls: readonly Call[]; readonly at: number }
  | { readonly type: 'results'; readonly results: readonly CallResult[]; readonly at: number }
  | { readonly type: 'interrupted'; readonly at: number }
  /** The model's service failed; `retrying` when the CLI asks again by itself. */
  | { readonly type: 'failure'; readonly what: string; readonly retrying: boolean; readonly at: number }
  /** The model is asked for the next step of the turn; the same request again when it gave no answer. */
  | { readonly type: 'asked'; readonly request: string; readonly at: number }
  | { readonly type: 'answer'; readonly at: number }
  | { readonly type: 'ended'; readonly at: number }
  | { readonly type: 'mode'; readonly mode: string };

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly arguments: unknown;
}

export interface CallResult {
  readonly id: string;
  readonly failed: boolean;
  readonly text: string;
}

/** One line of a transcript; undefined when it is torn, or says nothing that we ask about. */
export function parseRecordLine(line: string): RecordLine | undefined {
  const fields = parseFields(line);
  // A sub-agent has a file of its own; what little of it stands here is not the session's input.
  if (!fields || fields.isSidechain === true) return undefined;
  const at = Date.parse(textOf(fields, 'timestamp') ?? '') || 0;
  switch (fields.type) {
    case 'user':
      return userLine(fields, at);
    case 'attachment':
      return attachmentLine(fields, at);
    case 'assistant':
      return assistantLine(fields, at);
    case 'system':
      return systemLine(fields, at);
    case 'queue-operation':
      return fields.operation === 'enqueue' ? { type: 'queued', text: textOf(fields, 'content') ?? '', at } : undefined;
    case 'api-request':
      return askedLine(fields, at);
    case 'permission-mode':
      return { type: 'mode', mode: textOf(fields, 'permissionMode') ?? '' };
    default:
      return undefined;
  }
}

function userLine(fields: Fields, at: number): RecordLine | undefined {
  const message = fieldsOf(fields.message);
  const results = listOf(message, 'content').flatMap((block) => resultOf(fieldsOf(block)) ?? []);
  if (results.length > 0) return { type: 'results', results, at };
  const text = plainText(message?.content);
  if (/^\[Request interrupted by user/.test(text)) return { type: 'interrupted', at };
  if (fields.isCompactSummary === true || OUTPUT.test(text)) return undefined;
  const origin = fieldsOf(fields.origin);
  return {
    type: 'input',
    uuids: [textOf(fields, 'uuid') ?? ''],
    text,
    from: textOf(origin, 'from'),
    opens: true,
    at,
  };
}

/** Words of Claude Code's own commands, and what a shell printed: written in the user's name, but nobody's input. */
const OUTPUT = /^\s*<(?:command|local-command|bash)-/;

/** A message that was taken while a turn ran stands in an attachment of that turn. */
function attachmentLine(fields: Fields, at: number): RecordLine | undefined {
  const attachment = fieldsOf(fields.attachment);
  if (attachment?.type !== 'queued_command') return undefined;
  const uuid = textOf(attachment, 'source_uuid');
  return {
    type: 'input',
    uuids: uuid === undefined ? [] : [uuid],
    text: plainText(attachment.prompt),
    from: textOf(fieldsOf(attachment.origin), 'from'),
    opens: false,
    at,
  };
}

function assistantLine(fields: Fields, at: number): RecordLine {
  const message = fieldsOf(fields.message);
  if (fields.isApiErrorMessage === true) {
    const status = numberOf(fields, 'apiErrorStatus');
    const kind = textOf(fields, 'apiError') ?? textOf(fields, 'error') ?? 'error';
    const what = [status, kind, plainText(message?.content)].filter((part) => part !== undefined && part !== '');
    return { type: 'failure', what: what.join(': '), retrying: false, at };
  }
  const calls = listOf(message, 'content').flatMap((block) => callOf(fieldsOf(block)) ?? []);
  return calls.length > 0 ? { type: 'call', calls, at } : { type: 'answer', at };
}

/** Requests for titles and the like have another source. */
function askedLine(fields: Fields, at: number): RecordLine | undefined {
  const request = textOf(fields, 'requestDigest');
  return request !== undefined && fields.querySource === 'repl_main_thread'
    ? { type: 'asked', request, at }
    : undefined;
}

function systemLine(fields: Fields, at: number): RecordLine | undefined {
  if (fields.subtype === 'turn_duration') return { type: 'ended', at };
  if (fields.subtype !== 'api_error') return undefined;
  const error = fieldsOf(fields.error);
  const status = numberOf(error, 'status');
  const words = textOf(error, 'message') ?? textOf(fields, 'content') ?? 'no answer';
  const tries = `attempt ${numberOf(fields, 'retryAttempt') ?? '?'} of ${numberOf(fields, 'maxRetries') ?? '?'}`;
  return { type: 'failure', what: `${status ?? 'no status'}: ${words} (${tries})`, retrying: true, at };
}

function callOf(block: Fields | undefined): Call | undefined {
  const id = textOf(block, 'id');
  const name = textOf(block, 'name');
  if (block?.type !== 'tool_use' || id === undefined || name === undefined) return undefined;
  return { id, name, arguments: block.input };
}

function resultOf(block: Fields | undefined): CallResult | undefined {
  const id = textOf(block, 'tool_use_id');
  if (block?.type !== 'tool_result' || id === undefined) return undefined;
  return { id, failed: block.is_error === true, text: plainText(block.content) };
}

/** A content that is a text, or a list of blocks with texts in them. */
function plainText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((block) => textOf(fieldsOf(block), 'text') ?? '').join('\n');
}

/** What begins a header line of ours; the id behind it is the mark. */
const HEADER = /^\[team message ([0-9a-f-]{36}) /gm;

/** The deliveries whose header lines stand in a text. A line that merely quotes one has something in front of it. */
export function marksIn(text: string): readonly string[] {
  return [...text.matchAll(HEADER)].map(([, mark = '']) => mark);
}

/** How a failed call of a team tool says that the team's server was not there to take it. */
const UNREACHED =
  /\b(ECONN[A-Z]+|EPIPE|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|ConnectionRefused)\b|fetch failed|Unable to connect|socket connection was closed|Connection closed|not connected|timed out|No such tool available/i;

export const saysUnreached = (result: CallResult): boolean =>
  result.failed && UNREACHED.test(result.text.slice(0, 400));
