import { LineFollower, linesFrom } from '../line-follower.ts';
import type { MissedCall } from '../shape.ts';
import { type CallEnd, UnreachedCalls } from '../unreached-calls.ts';
import { advance, EMPTY_RECORD, type RecordState } from './facts.ts';
import {
  isComposerReceipt,
  isProtocolReceipt,
  parseRecordLine,
  type RecordLine,
  type ToolLine,
  type UserLine,
} from './record.ts';

/**
 * Reads a record as it grows, whole lines only, and keeps what questions are asked about: the state at its end, what
 * was taken as input, and calls that reached nobody, each with the byte offset of its line.
 */
export class RecordFollower {
  readonly #lines: LineFollower;
  readonly #inputs: { readonly offset: number; readonly line: UserLine }[] = [];
  readonly #unreached = new UnreachedCalls();
  #state: RecordState = EMPTY_RECORD;

  constructor(file: string, changed: () => void) {
    const take = (text: string, offset: number): void => {
      const line = parseRecordLine(text);
      if (line) this.#take(line, offset);
    };
    this.#lines = new LineFollower(file, take, changed, () => this.#forget());
  }

  get state(): RecordState {
    return this.#state;
  }

  /** Watches its folder: the record itself may come later. */
  watch(): void {
    this.#lines.watch();
  }

  /** Reads to the present end; true when there was a new line. */
  catchUp(): boolean {
    return this.#lines.catchUp();
  }

  /** Where the input that proves delivery `id` stands, at or after `position` bytes. */
  receipt(channel: 'protocol' | 'paste', id: string, position: number): number | undefined {
    const proves = channel === 'protocol' ? isProtocolReceipt : isComposerReceipt;
    return linesFrom(this.#inputs, position).find(({ line }) => proves(line, id))?.offset;
  }

  missedCalls(since: number): readonly MissedCall[] {
    return this.#unreached.from(since);
  }

  get openCalls(): readonly MissedCall[] {
    return this.#unreached.open;
  }

  close(): void {
    this.#lines.close();
  }

  /** Its file shrank, or another one took its place. */
  #forget(): void {
    this.#inputs.length = 0;
    this.#unreached.forget();
    this.#state = EMPTY_RECORD;
  }

  #take(line: RecordLine, offset: number): void {
    this.#state = advance(this.#state, line);
    if (line.type === 'user') this.#inputs.push({ offset, line: { ...line, text: line.text.split('\n', 1)[0] ?? '' } });
    if (line.type === 'turn') this.#unreached.turnOver();
    if (line.type === 'tool') {
      const { call, name: tool, arguments: words, at } = line;
      this.#unreached.ended({ call, tool, arguments: words, at }, endOf(line), offset);
    }
  }
}

function endOf({ ok, unreached }: ToolLine): CallEnd {
  if (ok) return 'answered';
  return unreached ? 'unreached' : 'failed';
}
