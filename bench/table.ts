import { type Budget, type Row, ratioOf, type Unit, verdictOf } from './figures.ts';

/** Widths of the columns; with the space between them 80 at most. */
const WIDTHS = { name: 37, median: 9, p95: 9, beside: 14, verdict: 6 };

export const HEADING: string = line('', 'median', 'p95', 'beside', 'budget', '');

/** One row of the table. */
export function rowLine(row: Row): string {
  const ratio = ratioOf(row);
  const beside = row.floor && ratio !== undefined ? `${round(ratio)} x ${row.floor.name}` : '';
  return line(
    row.name,
    shown(row.median, row.unit),
    row.runs > 1 ? shown(row.p95, row.unit) : '',
    beside,
    row.budget ? budgetText(row.budget, row.unit) : '',
    verdictOf(row),
  );
}

function line(name: string, median: string, p95: string, beside: string, budget: string, verdict: string): string {
  const words = [
    name.padEnd(WIDTHS.name),
    median.padStart(WIDTHS.median - 1),
    p95.padStart(WIDTHS.p95 - 1),
    ' ',
    (beside === '' || budget === '' ? beside + budget : beside).padEnd(WIDTHS.beside),
    verdict.padEnd(WIDTHS.verdict),
  ];
  return words.join(' ').trimEnd().slice(0, 80);
}

function budgetText({ limit, of, least }: Budget, unit: Unit): string {
  if (of === 'floor') return `<= ${limit} x`;
  return `${least ? '>=' : '<='} ${shown(limit, unit)}`;
}

/** A number with its unit, three digits. */
function shown(value: number, unit: Unit): string {
  switch (unit) {
    case 'ms':
      return value >= 10_000 ? `${round(value / 1_000)} s` : `${round(value)} ms`;
    case '%':
    case 'MB':
    case '/s':
      return `${round(value)} ${unit}`;
    case 'exponent':
      return `n^${value.toFixed(2)}`;
    case 'bytes':
      return `${Math.round(value)} B`;
    case 'count':
      return String(round(value));
    default:
      return unit satisfies never;
  }
}

function round(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
