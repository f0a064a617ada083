import fs from 'node:fs';
import path from 'node:path';
import { isProtocolReceipt, parseRecordLine, type RecordLine } from '../record.ts';

/** A line to be written; the writer adds the time. */
export type NewLine = RecordLine extends infer Line ? (Line extends RecordLine ? Omit<Line, 'at'> : never) : never;

/** Appends to the agent's record, each line in one write, so that a reader sees whole lines in their order. */
export class RecordWriter {
  readonly #file: string;
  /** Byte offsets of the user lines of this process life, by delivery: the last one counts. */
  readonly #taken = new Map<string, number>();
  #size: number;
  readonly #startedAt: number;

  constructor(file: string) {
    this.#file = file;
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    this.#size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (this.#size > 0 && lastByte(file, this.#size) !== '\n') this.#append('\n');
    this.#startedAt = this.#size;
  }

  write(line: NewLine): void {
    if (line.type === 'user' && line.id !== null) this.#taken.set(line.id, this.#size);
    this.#append(`${JSON.stringify({ ...line, at: Date.now() })}\n`);
  }

  /** Where the delivery was last taken from the protocol, in bytes; undefined when the record lacks it. */
  find(id: string): number | undefined {
    return this.#taken.get(id) ?? this.#findBefore(id);
  }

  /** An earlier life of this session may have taken it. */
  #findBefore(id: string): number | undefined {
    if (this.#startedAt === 0) return undefined;
    let found: number | undefined;
    let offset = 0;
    for (const line of fs.readFileSync(this.#file, 'utf8').split('\n')) {
      const parsed = line.includes(id) ? parseRecordLine(line) : undefined;
      if (parsed && isProtocolReceipt(parsed, id)) found = offset;
      offset += Buffer.byteLength(line) + 1;
    }
    return found;
  }

  #append(text: string): void {
    fs.appendFileSync(this.#file, text, { mode: 0o600 });
    this.#size += Buffer.byteLength(text);
  }
}

function lastByte(file: string, size: number): string {
  const handle = fs.openSync(file, 'r');
  try {
    const byte = Buffer.alloc(1);
    fs.readSync(handle, byte, 0, 1, size - 1);
    return byte.toString('latin1');
  } finally {
    fs.closeSync(handle);
  }
}
