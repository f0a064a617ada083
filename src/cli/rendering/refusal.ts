import type { Refusal } from '../../kernel/reasons.ts';
import { printable } from '../../kernel/text.ts';
import type { Look } from './look.ts';

/** What happened, why, and what to type next: three lines. A message of several lines keeps them, indented. */
export function refusalLines(refusal: Refusal, { paint }: Look): string[] {
  const message = printable(refusal.message).replaceAll('\n', '\n  ');
  const next = refusal.next.map(printable).join('   or   ');
  return [
    `${paint.red('error:')} ${message}`,
    `${paint.dim('reason:')} ${refusal.reason}`,
    `${paint.dim('next:')} ${paint.bold(next === '' ? 'team-agent --help' : next)}`,
  ];
}
