import { printable } from '../../kernel/text.ts';
import type { Look, Paint } from './look.ts';
import { displayWidth, pad } from './width.ts';

export interface Column {
  readonly head: string;
  readonly align?: 'left' | 'right';
  /** May become narrower than its content, down to so many columns. */
  readonly least?: number;
}

/** A text, or a text with a colour. Control bytes in it are dropped. */
export type Cell = string | { readonly text: string; readonly paint: (paint: Paint) => (text: string) => string };

const GAP = '  ';

/** Lines of a table that fits `look.columns`: columns that may shrink do so, the widest first, with `…` at the cut. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], look: Look): string[] {
  const texts = rows.map((row) => columns.map((_, index) => textOf(row[index] ?? '')));
  const widths = widthsOf(columns, texts, look.columns);
  const head = columns.map((column, index) => pad(column.head, widths[index] ?? 0, column.align));
  const lines = texts.map((texts, row) =>
    columns.map((column, index) => {
      const cell = rows[row]?.[index];
      const text = pad(texts[index] ?? '', widths[index] ?? 0, column.align);
      return typeof cell === 'object' ? cell.paint(look.paint)(text) : text;
    }),
  );
  const heading = columns.every((column) => column.head === '') ? [] : [look.paint.dim(head.join(GAP).trimEnd())];
  return [...heading, ...lines.map((cells) => cells.join(GAP).trimEnd())];
}

function textOf(cell: Cell): string {
  return printable(typeof cell === 'string' ? cell : cell.text).replaceAll(/\s+/g, ' ');
}

function widthsOf(columns: readonly Column[], texts: readonly (readonly string[])[], available: number): number[] {
  const widths = columns.map((column, index) =>
    Math.max(displayWidth(column.head), ...texts.map((row) => displayWidth(row[index] ?? ''))),
  );
  let excess = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (columns.length - 1) - available;
  while (excess > 0) {
    const widest = widestOf(columns, widths);
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess--;
  }
  return widths;
}

/** The widest column that may still become narrower. */
function widestOf(columns: readonly Column[], widths: readonly number[]): number | undefined {
  let found: number | undefined;
  for (const [index, column] of columns.entries()) {
    const width = widths[index] ?? 0;
    if (column.least === undefined || width <= column.least) continue;
    if (found === undefined || width > (widths[found] ?? 0)) found = index;
  }
  return found;
}
