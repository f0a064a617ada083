import fs from 'node:fs';
import path from 'node:path';
import { isRefusal, type Refusal, refuse } from '../kernel/reasons.ts';
import type { Context } from './context.ts';
import { usage } from './flags.ts';

/** Largest file of results, bytes. */
const LIMIT = 8 * 1024 * 1024;

/** The bytes of a file that a person names, or why they cannot be had. */
export function bytesOfFile({ cwd }: Pick<Context, 'cwd'>, name: string): Buffer | Refusal {
  const file = path.resolve(cwd, name);
  try {
    const size = fs.statSync(file).size;
    return size > LIMIT ? tooLarge() : fs.readFileSync(file);
  } catch (error) {
    return usage(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`, [
      `ls -l ${path.dirname(file)}`,
    ]);
  }
}

/** What stands on standard input. Nobody is waited for who would have to type it. */
export async function bytesOfInput({ stdin }: Pick<Context, 'stdin'>): Promise<Buffer | Refusal> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stdin()) {
    const bytes = Buffer.from(piece);
    size += bytes.length;
    if (size > LIMIT) return tooLarge();
    pieces.push(bytes);
  }
  return Buffer.concat(pieces);
}

/** JSON of a result or of several; refused with `result_invalid` when it is none. */
export function jsonOf(bytes: Uint8Array | string | Refusal): { readonly value: unknown } | Refusal {
  if (typeof bytes === 'object' && isRefusal(bytes)) return bytes;
  try {
    const text = typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return refuse('result_invalid', `This is no JSON: ${why}.`, { next: FORMS });
  }
}

export const FORMS = [
  "team-agent validate-result '{...}'",
  'team-agent validate-result --file FILE',
  'team-agent validate-result < FILE',
] as const;

function tooLarge(): Refusal {
  return refuse('result_invalid', `Results have at most ${LIMIT} bytes.`, { next: FORMS });
}
