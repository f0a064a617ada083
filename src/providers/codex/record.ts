import { sizeOf } from '../../kernel/index.ts';
import { LineFollower } from '../line-follower.ts';
import type { MissedCall, RecordedCall, TurnState } from '../shape.ts';
import { type CallEnd, UnreachedCalls } from '../unreached-calls.ts';
import { type Fault, faultOf, faultText } from './facts.ts';
import { isObject } from './server/connection.ts';
import { TEAM_SERVER } from './settings/overrides.ts';

/** The lines of a rollout that mean something here; every other one is left unread. */
export type RolloutLine =
  /**
   * What the agent took as input: the only kind of line that can be a receipt. It is written twice, first as an item of the
   * model's history (without our id), then as a message of its user: a server that is killed in between leaves the first
   * alone (measured), and the model has it all the same.
   */
  | {
      readonly type: 'input';
      readonly id: string;
      readonly client: string | undefined;
      readonly marks: readonly string[];
    }
  | { readonly type: 'turn_started'; readonly turn: string; readonly at: number }
  | { readonly type: 'turn_ended'; readonly turn: string; readonly at: number; readonly fault: Fault | undefined }
  | { readonly type: 'turn_interrupted'; readonly turn: string; readonly at: number }
  | {
      readonly type: 'call';
      readonly call: RecordedCall;
      readonly server: string;
      /** Why it failed; undefined when it did not. */
      readonly failure: string | undefined;
    };

/** A header line of ours, at the beginning of a line, with the delivery in it. */
const MARK = /^\[team message (\S+) /gm;

/** Words that a line of interest has: most of a rollout is model traffic, and is not parsed. */
const OF_INTEREST = /"(UserMessage|McpToolCall|task_started|task_complete|turn_aborted)"|"role":\s*"user"/;

/** One line of a rollout; undefined when it says nothing that is asked for here. */
export function parseRolloutLine(text: string): RolloutLine | undefined {
  if (!OF_INTEREST.test(text)) return undefined;
  const line = parseObject(text);
  if (!isObject(line?.payload)) return undefined;
  const { payload } = line;
  if (line.type === 'response_item') return historyLine(payload);
  if (line.type !== 'event_msg') return undefined;
  const at = typeof line.timestamp === 'string' ? Date.parse(line.timestamp) : Number.NaN;
  const since = Number.isNaN(at) ? 0 : at;
  const turn = String(
    payload.turn_id ?? (isObject(payload.turn_attribution) ? payload.turn_attribution.turn_id : '') ?? '',
  );
  switch (payload.type) {
    case 'task_started':
      return { type: 'turn_started', turn, at: since };
    case 'task_complete':
      return {
        type: 'turn_ended',
        turn,
        at: since,
        fault: isObject(payload.error) ? faultOf(payload.error) : undefined,
      };
    case 'turn_aborted':
      return { type: 'turn_interrupted', turn, at: since };
    case 'item_completed':
      return isObject(payload.item) ? itemLine(payload.item, since) : undefined;
    default:
      return undefined;
  }
}

/** An item of the model's history that says a message of ours in the user's name. */
function historyLine(payload: Readonly<Record<string, unknown>>): RolloutLine | undefined {
  if (payload.type !== 'message' || payload.role !== 'user') return undefined;
  const marks = marksIn(textOf(payload.content));
  return marks.length === 0 ? undefined : { type: 'input', id: String(payload.id ?? ''), client: undefined, marks };
}

function itemLine(item: Readonly<Record<string, unknown>>, at: number): RolloutLine | undefined {
  const id = String(item.id ?? '');
  switch (item.type) {
    case 'UserMessage': {
      const client = typeof item.client_id === 'string' ? item.client_id : undefined;
      return { type: 'input', id, client, marks: marksIn(textOf(item.content)) };
    }
    case 'McpToolCall': {
      const message = isObject(item.error) ? String(item.error.message ?? '') : '';
      return {
        type: 'call',
        call: { call: id, tool: String(item.tool ?? ''), arguments: item.arguments, at },
        server: String(item.server ?? ''),
        failure: item.status === 'failed' ? message : undefined,
      };
    }
    default:
      return undefined;
  }
}

function textOf(content: unknown): string {
  if (!Array.isArray(content)) return '';
  return content.map((part: unknown) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('\n');
}

/** The deliveries whose header stands at the beginning of a line. */
export function marksIn(text: string): readonly string[] {
  return [...text.matchAll(MARK)].map(([, delivery = '']) => delivery);
}

/** Its first line tells where a rollout comes from. */
export function parentIn(text: string): string | undefined {
  const line = parseObject(text);
  const meta = line?.type === 'session_meta' && isObject(line.payload) ? line.payload : undefined;
  return typeof meta?.forked_from_id === 'string' ? meta.forked_from_id : undefined;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // torn, or of a kind that is not ours
  }
}

/** How Codex words it that nobody answered a call, or that the answer was cut off; measured with 0.169.0. */
const UNREACHED =
  /Transport (send error|closed|error|channel closed)|error sending request|connection (refused|reset|closed)/i;

/** How a call of a team tool came to its end; undefined for one of another server. */
function endOf({ server, failure }: Pick<CallLine, 'server' | 'failure'>): CallEnd | undefined {
  if (server !== TEAM_SERVER) return undefined;
  if (failure === undefined) return 'answered';
  return UNREACHED.test(failure) ? 'unreached' : 'failed';
}

type CallLine = Extract<RolloutLine, { type: 'call' }>;

/** What a rollout says about turns at its end. */
export interface RolloutState {
  readonly turn: TurnState;
  /** The turn that was begun last, while nothing says that it has ended. */
  readonly open: string | undefined;
  readonly since: number;
  readonly evidence: string;
}

export const EMPTY_ROLLOUT: RolloutState = { turn: 'unknown', open: undefined, since: 0, evidence: '' };

export function advanceRollout(state: RolloutState, line: RolloutLine): RolloutState {
  switch (line.type) {
    case 'turn_started':
      return { turn: 'working', open: line.turn, since: line.at, evidence: 'the rollout says that a turn has begun' };
    case 'turn_ended':
      return line.fault
        ? {
            turn: 'provider_error',
            open: undefined,
            since: line.at,
            evidence: `its last turn failed: ${faultText(line.fault)}`,
          }
        : { turn: 'idle', open: undefined, since: line.at, evidence: 'the rollout says that its last turn has ended' };
    case 'turn_interrupted':
      return {
        turn: 'interrupted',
        open: undefined,
        since: line.at,
        evidence: 'the rollout says that its last turn was interrupted',
      };
    case 'input':
    case 'call':
      return state;
    default:
      return line satisfies never;
  }
}

/** Where an input stands in the rollout. */
export interface InputFound {
  readonly offset: number;
  readonly id: string;
}

/**
 * Reads a rollout as it grows, whole lines only, and keeps what questions are asked about: the state at its end, what was
 * taken as input, and calls that reached nobody, each with the byte offset of its line.
 */
export class RolloutFollower {
  readonly #file: string;
  readonly #lines: LineFollower;
  readonly #inputs = new Map<string, InputFound[]>();
  readonly #unreached = new UnreachedCalls();
  readonly #began: number;
  #state: RolloutState = EMPTY_ROLLOUT;
  #parent: string | undefined;

  /** What was written before `began`, UTC ms, says nothing about the turn: another life wrote it. */
  constructor(file: string, changed: () => void, began = 0) {
    this.#file = file;
    this.#began = began;
    this.#lines = new LineFollower(
      file,
      (text, offset) => this.#take(text, offset),
      changed,
      () => this.#forget(),
    );
  }

  get state(): RolloutState {
    return this.#state;
  }

  /** The thread that this one was forked from. */
  get parent(): string | undefined {
    return this.#parent;
  }

  /** Watches its folder: the rollout itself may come later. */
  watch(): void {
    this.#lines.watch();
  }

  catchUp(): void {
    this.#lines.catchUp();
  }

  /** Does any input of this record carry the delivery, wherever it stands? */
  knows(delivery: string): boolean {
    return this.#inputs.has(delivery);
  }

  /** The input that proves a delivery, at or after `position` bytes. */
  receipt(delivery: string, position: number): InputFound | undefined {
    const from = this.#from(position);
    return this.#inputs.get(delivery)?.find(({ offset }) => offset >= from);
  }

  missedCalls(since: number): readonly MissedCall[] {
    return this.#unreached.from(this.#from(since));
  }

  get openCalls(): readonly MissedCall[] {
    return this.#unreached.open;
  }

  close(): void {
    this.#lines.close();
  }

  /** A position in a file that was replaced says nothing about the one that is there now. */
  #from(position: number): number {
    return this.#lines.replacements > 0 || position > sizeOf(this.#file) ? 0 : position;
  }

  #forget(): void {
    this.#state = EMPTY_ROLLOUT;
    this.#inputs.clear();
    this.#unreached.forget();
  }

  #take(text: string, offset: number): void {
    if (offset === 0) this.#parent = parentIn(text);
    const line = parseRolloutLine(text);
    if (!line) return;
    if (!('at' in line) || line.at >= this.#began) this.#state = advanceRollout(this.#state, line);
    switch (line.type) {
      case 'input':
        for (const name of new Set([line.client, ...line.marks])) {
          if (name === undefined) continue;
          const found = this.#inputs.get(name) ?? [];
          this.#inputs.set(name, [...found, { offset, id: line.id }]);
        }
        return;
      case 'call': {
        const end = endOf(line);
        if (end) this.#unreached.ended(line.call, end, offset);
        return;
      }
      case 'turn_started':
      case 'turn_ended':
      case 'turn_interrupted':
        this.#unreached.turnOver();
        return;
      default:
        line satisfies never;
    }
  }
}
