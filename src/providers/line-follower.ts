import fs from 'node:fs';
import path from 'node:path';
import { readBytes } from '../kernel/index.ts';

/** Bytes read at a time. */
const PIECE = 1024 * 1024;
const NEWLINE = 0x0a;

/** Those of lines in their order that begin at or after `position` bytes: a question costs what has come since, not all. */
export function linesFrom<Line extends { readonly offset: number }>(
  lines: readonly Line[],
  position: number,
): readonly Line[] {
  const before = lines.findLastIndex(({ offset }) => offset < position);
  return lines.slice(before + 1);
}

/**
 * Reads a file that another process appends to: whole lines only, each once, with the byte offset at which it begins. The
 * file may come later than its follower. A file that shrank, or that another one took the place of, is read again from its
 * beginning: offsets in the one before mean nothing in it.
 */
export class LineFollower {
  readonly #file: string;
  readonly #take: (line: string, offset: number) => void;
  readonly #changed: () => void;
  readonly #replaced: () => void;
  /** Which file it is, whatever its name: known from the first look that found one. */
  #inode: number | undefined;
  #replacements = 0;
  /** Everything before this byte has been read as whole lines. */
  #cursor: number;
  /** The cursor when a change was told last: somebody who asked in between may have read the new lines already. */
  #told: number;
  #watcher: fs.FSWatcher | undefined;

  /**
   * `take` gets each line; `changed` is called after a word of the file system brought new ones, `replaced` before a file that
   * is another one than before is read from its beginning.
   */
  constructor(
    file: string,
    take: (line: string, offset: number) => void,
    changed: () => void,
    replaced: () => void = () => undefined,
  ) {
    this.#file = file;
    this.#take = take;
    this.#changed = changed;
    this.#replaced = replaced;
    this.#cursor = 0;
    this.#told = 0;
  }

  /** Bytes that were read as whole lines. */
  get cursor(): number {
    return this.#cursor;
  }

  /** How often the file shrank, or another one took its place. */
  get replacements(): number {
    return this.#replacements;
  }

  /** Watches the folder, which is made (0700) when it is not there yet. */
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
    const found = fs.statSync(this.#file, { throwIfNoEntry: false });
    if (!found) return false;
    if ((this.#inode !== undefined && found.ino !== this.#inode) || found.size < this.#cursor) this.#beginAgain();
    this.#inode = found.ino;
    const before = this.#cursor;
    const end = found.size;
    while (this.#cursor < end && this.#readPiece(end)) {
      // Each piece moves the cursor; a last line without its end is left for later.
    }
    return this.#cursor > before;
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #beginAgain(): void {
    this.#replacements++;
    this.#cursor = 0;
    this.#told = 0;
    this.#replaced();
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
      this.#take(bytes.toString('utf8', start, end), this.#cursor + start);
      start = end + 1;
    }
    this.#cursor += bytes.length;
  }
}
