import { readIfThere } from '../../kernel/files.ts';
import type { ResultAnswer } from '../answers/index.ts';

/** What a reader counted in its half. */
export interface Half {
  readonly who: string;
  readonly files: number;
  readonly lines: number;
  readonly blank: number;
  readonly comment: number;
  readonly functions: number;
  readonly marks: number;
  readonly longestFile: { readonly path: string; readonly lines: number } | null;
}

/** The numbers behind a reader's report: it names the file as its artifact. */
export function numbersOf(result: ResultAnswer): Half | undefined {
  const file = result.artifacts?.[0]?.path;
  const text = file === undefined ? undefined : readIfThere(file);
  if (text === undefined) return undefined;
  const parsed: unknown = JSON.parse(text);
  return isHalf(parsed) ? parsed : undefined;
}

const COUNTS = ['files', 'lines', 'blank', 'comment', 'functions', 'marks'] as const;

function isHalf(value: unknown): value is Half {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  return typeof fields.get('who') === 'string' && COUNTS.every((key) => typeof fields.get(key) === 'number');
}
