import type { TurnState } from '../shape.ts';
import { TURN_STATES } from '../shape.ts';
import type { Dialog } from './dialogs.ts';

/** What the agent says about itself, on greeting and at every change. */
export interface AgentState {
  readonly turn: { readonly state: TurnState; readonly since: number };
  readonly dialog: Dialog | null;
  /** Is there half-typed text in the composer? */
  readonly draft: boolean;
}

/** One line, agent to caller. */
export type FromAgent =
  | ({
      readonly type: 'greeting';
      readonly version: 1;
      readonly session: string;
      readonly incarnation: string;
      readonly record: string;
    } & AgentState)
  | ({ readonly type: 'state' } & AgentState)
  | { readonly type: 'submitted'; readonly id: string }
  | {
      readonly type: 'found';
      readonly id: string;
      readonly where: 'record' | 'queue' | 'absent';
      readonly offset?: number;
    }
  | { readonly type: 'error'; readonly message: string };

/** One line, caller to agent. */
export type ToAgent =
  /** Into the agent's own queue. The same id twice is taken twice. */
  | { readonly type: 'submit'; readonly id: string; readonly from: string; readonly text: string }
  | { readonly type: 'find'; readonly id: string }
  /** Asks for a `state` line now. */
  | { readonly type: 'look' }
  | { readonly type: 'answer'; readonly decision: 'approve' | 'deny' };

/** The longest line either side takes, in bytes: a message of 1 MB, escaped at its worst, and its wrapping. */
const LONGEST_LINE = 8 * 1024 * 1024;

/** A line as the agent wrote it; undefined when it is none of the protocol's. */
export function parseFromAgent(line: string): FromAgent | undefined {
  const value = parseObject(line);
  switch (value?.type) {
    case 'greeting':
      return value.version === 1 && isState(value) ? (value as FromAgent) : undefined;
    case 'state':
      return isState(value) ? (value as FromAgent) : undefined;
    case 'submitted':
    case 'found':
      return typeof value.id === 'string' ? (value as FromAgent) : undefined;
    case 'error':
      return typeof value.message === 'string' ? (value as FromAgent) : undefined;
    default:
      return undefined;
  }
}

/** A line as a caller wrote it; undefined when it is none of the protocol's. */
export function parseToAgent(line: string): ToAgent | undefined {
  const value = parseObject(line);
  switch (value?.type) {
    case 'submit':
      return [value.id, value.from, value.text].every((field) => typeof field === 'string')
        ? (value as ToAgent)
        : undefined;
    case 'find':
      return typeof value.id === 'string' ? (value as ToAgent) : undefined;
    case 'look':
      return { type: 'look' };
    case 'answer':
      return value.decision === 'approve' || value.decision === 'deny' ? (value as ToAgent) : undefined;
    default:
      return undefined;
  }
}

function isState(value: Record<string, unknown>): boolean {
  const { turn } = value;
  if (typeof turn !== 'object' || turn === null || !('state' in turn) || !('since' in turn)) return false;
  return TURN_STATES.some((state) => state === turn.state) && typeof turn.since === 'number';
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Cuts a stream of text into its complete lines; keeps the rest for the next piece. */
export class Lines {
  #pieces: string[] = [];
  #held = 0;

  /** The lines that `piece` completes. Throws when a line grows past `LONGEST_LINE`. */
  take(piece: string): string[] {
    const end = piece.lastIndexOf('\n');
    if (end < 0) {
      this.#hold(piece);
      return [];
    }
    const complete = [...this.#pieces, piece.slice(0, end)].join('');
    this.#pieces = [];
    this.#held = 0;
    this.#hold(piece.slice(end + 1));
    return complete.split('\n').filter((line) => line !== '');
  }

  #hold(piece: string): void {
    if (piece === '') return;
    this.#pieces.push(piece);
    this.#held += piece.length;
    if (this.#held > LONGEST_LINE) throw new RangeError(`a line is longer than ${LONGEST_LINE} characters`);
  }
}
