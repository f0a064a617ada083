import picocolors from 'picocolors';
import type { Context } from '../context.ts';

export type Paint = ReturnType<typeof picocolors.createColors>;

/** How an output looks: its width in columns, and colours or none. */
export interface Look {
  readonly columns: number;
  readonly paint: Paint;
  /** UTC ms: what ages are counted from. */
  readonly now: number;
}

/** Output that is no terminal, and tables of a wide one, are laid out for so many columns. */
const COLUMNS = 80;
const WIDEST = 110;
const NARROWEST = 40;

/** Plain for a pipe, for NO_COLOR and for TERM=dumb; colours in a terminal. */
export function lookOf(output: Context['stdout'], environment: NodeJS.ProcessEnv, now: number): Look {
  const terminal = output.isTTY === true;
  const coloured = terminal && !environment.NO_COLOR && environment.TERM !== 'dumb';
  const columns = terminal ? Math.min(WIDEST, Math.max(NARROWEST, output.columns ?? COLUMNS)) : COLUMNS;
  return { columns, paint: picocolors.createColors(coloured), now };
}

/** A span in its largest unit: `840 ms`, `12 s`, `3 min`, `5 h`, `2 d`. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${Math.floor(ms / 1_000)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h`;
  return `${Math.floor(ms / 86_400_000)} d`;
}

/** How long something took: `33 ms`, `1.4 s`, `12.0 s`. */
export function took(ms: number): string {
  return ms < 1_000 ? `${Math.max(0, Math.round(ms))} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** How long ago a UTC ms was; `-` when it never was. Under a second is `now`. */
export function age(at: number | null | undefined, now: number): string {
  if (at === null || at === undefined) return '-';
  return now - at < 1_000 ? 'now' : span(now - at);
}

/** How long something lasts, in a sentence: `a moment`, `3 s`. */
export function duration(at: number, now: number): string {
  return now - at < 1_000 ? 'a moment' : span(now - at);
}

/** When something was, in a sentence: `just now`, `3 s ago`. */
export function ago(at: number, now: number): string {
  return now - at < 1_000 ? 'just now' : `${span(now - at)} ago`;
}
