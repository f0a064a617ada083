import { printable } from '../../kernel/text.ts';
import type { Look } from './look.ts';
import { wrap } from './width.ts';

/** What a person should know of something that went well. */
export function warningLines(warnings: readonly string[], { columns, paint }: Look): string[] {
  return warnings.flatMap((warning) => wrap(printable(warning), columns).map((line) => paint.yellow(line)));
}
