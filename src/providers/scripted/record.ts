import type { DialogKind } from './dialogs.ts';

/**
 * The record of a scripted agent: one JSON object per line, written by the agent alone, only ever appended to. It
 * belongs to the session and outlives the incarnation, so each process life begins with a `session` line.
 */
export type RecordLine =
  | {
      readonly type: 'session';
      readonly session: string;
      readonly incarnation: string;
      /** The agent's own process, below the wrapper: its pid and start time, as `identifyProcess` tells them. */
      readonly pid: number;
      readonly start: string;
      /** It goes on with this session after an earlier life has ended. */
      readonly resumed?: true;
      /** It began as a fork of that session. A script has no memory, so nothing is copied. */
      readonly forked_from?: string;
      readonly at: number;
    }
  | { readonly type: 'greeting'; readonly at: number }
  | UserLine
  | { readonly type: 'turn'; readonly state: 'started' | 'ended' | 'interrupted'; readonly at: number }
  | {
      readonly type: 'dialog';
      readonly state: 'opened' | 'closed';
      readonly kind: DialogKind;
      readonly text: string;
      readonly at: number;
    }
  | { readonly type: 'assistant'; readonly text: string; readonly at: number }
  | ToolLine
  | { readonly type: 'exit'; readonly code: number; readonly at: number };

/** What the agent took as input. The only kind of line that can be a receipt. */
export interface UserLine {
  readonly type: 'user';
  /** The delivery's uuid when it came over the protocol, null when it came through the composer. */
  readonly id: string | null;
  readonly source: 'protocol' | 'composer';
  readonly text: string;
  readonly at: number;
}

/** A call of a team tool, written after it ended. */
export interface ToolLine {
  readonly type: 'tool';
  readonly call: string;
  readonly name: string;
  readonly arguments: unknown;
  readonly ok: boolean;
  /** The coordinator could not be reached, or cut the connection before it answered. */
  readonly unreached?: true;
  readonly error?: string;
  readonly at: number;
}

const NEEDED = {
  session: ['session', 'incarnation', 'pid', 'start'],
  greeting: [],
  user: ['source', 'text'],
  turn: ['state'],
  dialog: ['state', 'kind', 'text'],
  assistant: ['text'],
  tool: ['call', 'name', 'ok'],
  exit: ['code'],
} satisfies Record<RecordLine['type'], string[]>;

/** One line of a record; undefined when it is not one of ours (torn, foreign or of a later version). */
export function parseRecordLine(line: string): RecordLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('type' in value) || !('at' in value)) return undefined;
  const { type } = value;
  if (typeof type !== 'string' || !Object.hasOwn(NEEDED, type) || typeof value.at !== 'number') return undefined;
  const complete = NEEDED[type as RecordLine['type']].every((key) => key in value);
  return complete ? (value as RecordLine) : undefined;
}

/** Does this line prove that the agent took delivery `id` from its own protocol? */
export function isProtocolReceipt(line: RecordLine, id: string): boolean {
  return line.type === 'user' && line.source === 'protocol' && line.id === id;
}

/**
 * Does this line prove that the agent took delivery `id` from its composer? The mark must stand in the first line; a body
 * or a reply that quotes it proves nothing.
 */
export function isComposerReceipt(line: RecordLine, id: string): boolean {
  if (line.type !== 'user' || line.source !== 'composer') return false;
  const first = line.text.split('\n', 1)[0] ?? '';
  return first.includes(`[team message ${id} `);
}
