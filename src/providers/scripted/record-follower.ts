import fs from 'node:fs';
import path from 'node:path';
import { readBytes, sizeOf } from '../../kernel/index.ts';
import type { MissedCall } from '../shape.ts';
import { advance, EMPTY_RECORD, type RecordState } from './facts.ts';
import { isComposerReceipt, isProtocolReceipt, parseRecordLine, type RecordLine, type UserLine } from './record.ts';

/** Bytes read at a time. */
const PIECE = 1024 * 1024;
const NEWLINE = 0x0a;
/** Calls that the runtime takes in when their caller could not reach it. */
const TAKEN_IN = new Set(['report_result', 'send_message']);

/**
 * Reads a record as it grows, whole lines only, and keeps what questions are asked about: the state at its end, what
 * was taken as input, and calls that reached nobody, each with the byte offset of its line.
 */
export class RecordFollower {
  readonly #file: string;
  readonly #changed: () => void;
  readonly #inputs: { readonly offset: number; readonly line: UserLine }[] = [];
  readonly #missed: { readonly offset: number; readonly call: MissedCall }[] = [];
  #state: RecordState = EMPTY_RECORD;
  /** Everything before this byte has been read as whole lines. */
  #cursor = 0;
  /** The cursor when a change was told last: somebody who asked in between may have read the new lines already. */
  #told = 0;
  #watcher: fs.FSWatcher | undefined;

  constructor(file: string, changed: () => void) {
    this.#file = file;
    this.#changed = changed;
  }

  get state(): RecordState {
    return this.#state;
  }

  /** Watches the folder, which is made when it is not there yet: the record itself may come later. */
  watch(): void {
    const folder = path.dirname(this.#file);
    const name = path.basename(this.#file);
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#watcher = fs.watch(folder, { persistent: false }, (_event, changed) => {
      if (changed !== null && changed !== name) return;
      this.catchUp();
      if (this.#told === this.#cursor) return;
      this.#told = this.#cursor;
      this.#changed();
    });
    this.#watcher.on('error', () => this.close());
  }

  /** Reads to the present end; true when there was a new line. */
  catchUp(): boolean {
    const before = this.#cursor;
    const end = sizeOf(this.#file);
    while (this.#cursor < end && this.#readPiece(end)) {
      // Each piece moves the cursor; a last line without its end is left for later.
    }
    return this.#cursor > before;
  }

  /** Where the input that proves delivery `id` stands, at or after `position` bytes. */
  receipt(channel: 'protocol' | 'paste', id: string, position: number): number | undefined {
    const proves = channel === 'protocol' ? isProtocolReceipt : isComposerReceipt;
    return this.#inputs.find(({ offset, line }) => offset >= position && proves(line, id))?.offset;
  }

  missedCalls(since: number): readonly MissedCall[] {
    return this.#missed.filter(({ offset }) => offset >= since).map(({ call }) => call);
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  /** One piece, made longer until it holds a whole line; false when none is complete. */
  #readPiece(end: number): boolean {
    for (let length = PIECE; ; length *= 2) {
      const to = Math.min(end, this.#cursor + length);
      const bytes = readBytes(this.#file, this.#cursor, to);
      const last = bytes.lastIndexOf(NEWLINE);
      if (last >= 0) {
        this.#takeLines(bytes.subarray(0, last + 1));
        return true;
      }
      if (to >= end) return false;
    }
  }

  #takeLines(bytes: Buffer): void {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const line = parseRecordLine(bytes.toString('utf8', start, end));
      if (line) this.#take(line, this.#cursor + start);
      start = end + 1;
    }
    this.#cursor += bytes.length;
  }

  #take(line: RecordLine, offset: number): void {
    this.#state = advance(this.#state, line);
    if (line.type === 'user') this.#inputs.push({ offset, line: { ...line, text: line.text.split('\n', 1)[0] ?? '' } });
    if (line.type === 'tool' && line.unreached === true && TAKEN_IN.has(line.name)) {
      this.#missed.push({ offset, call: { call: line.call, tool: line.name, arguments: line.arguments, at: line.at } });
    }
  }
}
