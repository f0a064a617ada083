import { COMPOSER_MARK, DIALOG_MARK, type Dialog, KEYS_MARK, STATUS_MARK } from '../../dialogs.ts';

/** What stands at the bottom of the screen. */
export interface Bottom {
  readonly agent: string;
  readonly state: string;
  readonly queued: number;
  readonly composer: string;
  readonly dialog: Dialog | undefined;
}

export interface Output {
  write(text: string): unknown;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** For an output that is no terminal. */
const USUAL_COLUMNS = 80;
const NARROWEST = 20;
/** Lines kept for drawing the screen again after its size has changed. */
const KEPT_LINES = 200;
/** Longest text of one message that is shown, in characters; the record holds all of it. */
const SHOWN_CHARACTERS = 4000;

/**
 * The screen: text runs by above, and the composer (or a dialog) and a status line stand below it. Every change is
 * drawn in one write, and many changes in one turn of the loop are drawn once.
 */
export class Screen {
  readonly #output: Output;
  readonly #bottom: () => Bottom;
  readonly #limit: () => number | undefined;
  #kept: string[] = [];
  #fresh: string[] = [];
  /** Lines of the bottom as last drawn; 0: not drawn yet. */
  #drawn = 0;
  #scheduled = false;

  constructor(output: Output, bottom: () => Bottom, limit: () => number | undefined) {
    this.#output = output;
    this.#bottom = bottom;
    this.#limit = limit;
  }

  get columns(): number {
    return Math.max(
      NARROWEST,
      Math.min(this.#output.columns ?? USUAL_COLUMNS, this.#limit() ?? Number.MAX_SAFE_INTEGER),
    );
  }

  /** Adds text above. It is made of printable characters and newlines by the caller. */
  print(text: string): void {
    const shown =
      text.length > SHOWN_CHARACTERS
        ? `${text.slice(0, SHOWN_CHARACTERS)}\n(${text.length - SHOWN_CHARACTERS} characters more)`
        : text;
    this.#fresh.push(...shown.split('\n'));
    this.schedule();
  }

  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.draw());
  }

  draw(): void {
    this.#scheduled = false;
    const lines = bottomLines(this.#bottom(), this.columns);
    const above = this.#fresh.map((line) => `${line}\r\n`).join('');
    this.#output.write(`${this.#erase()}${above}${lines.join('\r\n')}${toInput(lines)}`);
    this.#kept = [...this.#kept, ...this.#fresh].slice(-KEPT_LINES);
    this.#fresh = [];
    this.#drawn = lines.length;
  }

  /** After a change of size nothing is where it was: the last lines are drawn on an empty screen. */
  redraw(): void {
    const rows = this.#output.rows ?? KEPT_LINES;
    this.#fresh = [...this.#kept, ...this.#fresh].slice(-rows);
    this.#kept = [];
    this.#drawn = 0;
    this.#output.write('\u001b[H\u001b[2J');
    this.draw();
  }

  /** Takes the bottom away, for the shell that may come after. */
  leave(): void {
    this.#output.write(this.#erase());
    this.#drawn = 0;
  }

  /** The cursor stands on the line above the status: up from there to the first line of the bottom. */
  #erase(): string {
    if (this.#drawn === 0) return '';
    const up = this.#drawn - 2;
    return `\r${up > 0 ? `\u001b[${up}A` : ''}\u001b[J`;
  }
}

/** The lines of the bottom: composer or dialog, then the status; none wider than `columns - 1`. */
export function bottomLines(bottom: Bottom, columns: number): string[] {
  const width = columns - 1;
  const waiting = bottom.queued > 0 ? ` (+${bottom.queued})` : '';
  const status = clip(`${STATUS_MARK}${bottom.agent}: ${bottom.state}${waiting}`, width);
  if (!bottom.dialog) return [COMPOSER_MARK + composed(bottom.composer, width - COMPOSER_MARK.length), status];
  const keys = bottom.dialog.kind === 'approval' ? `${KEYS_MARK} yes [n] no` : `${KEYS_MARK} ok`;
  return [clip(DIALOG_MARK + oneLine(bottom.dialog.text), width), clip(keys, width), status];
}

/** The end of the composer's text, where the person is typing. A text of blanks is shown, so that it is not taken for none. */
function composed(text: string, width: number): string {
  const tail = oneLine(text.slice(-4 * width));
  let used = 0;
  const characters: string[] = [];
  for (const character of [...tail].reverse()) {
    used += columnsOf(character);
    if (used > width) break;
    characters.unshift(character);
  }
  const shown = characters.join('');
  return shown.trim() === '' ? shown.replace(/\s/g, '_') : shown;
}

function oneLine(text: string): string {
  return text.replace(/[\t\n]/g, ' ');
}

/** The beginning of a text, as much as fits into so many columns. */
export function clip(text: string, columns: number): string {
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += columnsOf(character);
    if (used > columns) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** East Asian wide characters and pictures take two columns. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

function columnsOf(character: string): number {
  return WIDE.test(character) ? 2 : 1;
}

/** From the end of the last line back to the end of the line above it, where the cursor waits for typing. */
function toInput(lines: readonly string[]): string {
  const width = [...(lines.at(-2) ?? '')].reduce((sum, character) => sum + columnsOf(character), 0);
  return `\r\u001b[1A${width > 0 ? `\u001b[${width}C` : ''}`;
}
