import { firstLine } from '../../kernel/index.ts';
import type { TurnState } from '../shape.ts';
import { isObject, type Word } from './server/connection.ts';

/** Why a turn failed, or what a running one tries again. */
export interface Fault {
  /** Codex's own word for it, such as `response_too_many_failed_attempts`, or ours where it has none (`cut`). */
  readonly kind: string;
  /** HTTP status, when there was one. */
  readonly status: number | undefined;
  readonly message: string;
}

export interface TurnEnd {
  readonly status: 'completed' | 'interrupted' | 'failed';
  readonly fault: Fault | undefined;
}

/**
 * What the app-server says about a thread. Modes: `notLoaded` (it was not resumed), `idle`, `systemError` (idle after a
 * failed turn), `active` (a turn runs, or waits for somebody).
 */
export interface ThreadState {
  readonly status: 'notLoaded' | 'idle' | 'systemError' | 'active';
  readonly waiting: 'approval' | 'input' | undefined;
  /** The id of the turn that runs, when it is known. */
  readonly turn: string | undefined;
  /** UTC ms of the word that made this status. */
  readonly since: number;
  /** Turns that were seen to begin or to end: whoever sees the same number twice knows that none ran between. */
  readonly moves: number;
  readonly ended: TurnEnd | undefined;
  /** What the running turn tries again. */
  readonly retrying: Fault | undefined;
}

export const UNKNOWN_THREAD: ThreadState = {
  status: 'notLoaded',
  waiting: undefined,
  turn: undefined,
  since: 0,
  moves: 0,
  ended: undefined,
  retrying: undefined,
};

/** The state after one more word about this thread; the same object when it says nothing new about it. */
export function advanceThread(state: ThreadState, { method, params }: Word, at: number): ThreadState {
  switch (method) {
    case 'thread/status/changed':
      return withStatus(state, params.status, at);
    case 'thread/closed':
      return { ...state, status: 'notLoaded', waiting: undefined, turn: undefined, since: at };
    case 'turn/started':
      return { ...state, turn: turnId(params.turn), moves: state.moves + 1, ended: undefined, retrying: undefined };
    case 'turn/completed': {
      const ended = turnEnd(params.turn);
      const over = { turn: undefined, moves: state.moves + 1, retrying: undefined };
      return { ...state, ...over, ...(ended ? { ended, since: at } : {}) };
    }
    case 'error':
      // The last one comes just before the status that it makes, and before the turn is said to have ended.
      return params.willRetry === true
        ? { ...state, retrying: faultOf(params.error) }
        : { ...state, ended: { status: 'failed', fault: faultOf(params.error) } };
    default:
      return state;
  }
}

/** The state with a `ThreadStatus` as the server writes it. */
export function withStatus(state: ThreadState, status: unknown, at: number): ThreadState {
  if (!isObject(status)) return state;
  const { type, activeFlags } = status;
  if (type !== 'notLoaded' && type !== 'idle' && type !== 'systemError' && type !== 'active') return state;
  const flags: readonly unknown[] = Array.isArray(activeFlags) ? activeFlags : [];
  const waiting = flags.includes('waitingOnApproval')
    ? ('approval' as const)
    : flags.includes('waitingOnUserInput')
      ? ('input' as const)
      : undefined;
  if (type === state.status && waiting === state.waiting) return state;
  return { ...state, status: type, waiting, since: at };
}

/** The id of a `Turn` of the protocol. */
export function turnId(turn: unknown): string | undefined {
  return isObject(turn) && typeof turn.id === 'string' ? turn.id : undefined;
}

/** How a `Turn` of the protocol ended; undefined while it runs. */
export function turnEnd(turn: unknown): TurnEnd | undefined {
  if (!isObject(turn)) return undefined;
  const { status, error } = turn;
  if (status !== 'completed' && status !== 'interrupted' && status !== 'failed') return undefined;
  return { status, fault: isObject(error) ? faultOf(error) : undefined };
}

/** What a thread is doing, in the words of a turn, with the evidence. */
export function turnOfThread(state: ThreadState): { readonly value: TurnState; readonly evidence: string } {
  const { status, waiting, ended, retrying } = state;
  switch (status) {
    case 'notLoaded':
      return { value: 'unknown', evidence: 'the app-server has not loaded its thread' };
    case 'active':
      if (waiting) return { value: `waiting_${waiting}`, evidence: `the app-server waits for ${waiting}` };
      if (retrying) return { value: 'provider_error', evidence: `its turn tries again after ${faultText(retrying)}` };
      return { value: 'working', evidence: 'the app-server says that a turn runs' };
    case 'idle':
    case 'systemError': {
      if (ended?.status === 'interrupted') return { value: 'interrupted', evidence: 'its last turn was interrupted' };
      const fault = ended?.fault;
      if (fault) return { value: 'provider_error', evidence: `its last turn failed: ${faultText(fault)}` };
      if (status === 'systemError') return { value: 'provider_error', evidence: 'its last turn failed' };
      return { value: 'idle', evidence: 'the app-server says that no turn runs' };
    }
    default:
      return status satisfies never;
  }
}

/** Words of ours for faults that Codex calls `other`. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/stream (disconnected|closed)|connection (closed|reset)|error sending request/i, 'cut'],
  [/unexpected status \d+|bad request|invalid_request/i, 'bad_request'],
];

/** HTTP statuses that Codex leaves out where its own word tells them. */
const STATUS_OF: Readonly<Record<string, number>> = {
  unauthorized: 401,
  bad_request: 400,
  rate_limit_exceeded: 429,
  internal_server_error: 500,
};

/** A `TurnError`, as the protocol (camelCase) or the rollout (snake_case) writes it. */
export function faultOf(error: unknown): Fault {
  if (!isObject(error)) return { kind: 'other', status: undefined, message: '' };
  const details = typeof error.additionalDetails === 'string' ? error.additionalDetails : undefined;
  const message = details ?? (typeof error.message === 'string' ? error.message : '');
  const info = error.codexErrorInfo ?? error.codex_error_info;
  const [word, facts] = isObject(info) ? (Object.entries(info)[0] ?? ['other', undefined]) : [info, undefined];
  const named = typeof word === 'string' ? snake(word) : 'other';
  const kind = named === 'other' ? (OTHERS.find(([pattern]) => pattern.test(message))?.[1] ?? named) : named;
  return { kind, status: statusIn(facts) ?? statusInText(message) ?? STATUS_OF[kind], message };
}

function statusIn(facts: unknown): number | undefined {
  if (!isObject(facts)) return undefined;
  const status = facts.httpStatusCode ?? facts.http_status_code;
  return typeof status === 'number' ? status : undefined;
}

function statusInText(message: string): number | undefined {
  const found = /\bstatus:? (\d{3})\b/.exec(message)?.[1];
  return found === undefined ? undefined : Number(found);
}

function snake(word: string): string {
  return word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** One line for a person: status, kind and Codex's own words. */
export function faultText({ kind, status, message }: Fault): string {
  const head = status === undefined ? kind : `${status} ${kind}`;
  return message === '' ? head : `${head}: ${firstLine(message, 160)}`;
}
