import { isRefusal, type Refusal } from '../../../kernel/reasons.ts';
import type { UnendedAnswer } from '../../answers/index.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { unendedLines } from '../../rendering/deliveries.ts';
import type { Look } from '../../rendering/look.ts';

/** What was waited for, or why it did not come: then a person still sees what came of it. */
export function waitedOutcome<Answer extends object>(
  answer: Answer | UnendedAnswer | Refusal,
  lines: (answer: Answer, look: Look) => readonly string[],
): Outcome {
  if (!isRefusal(answer)) return outcomeOf(answer, lines);
  if (!('results' in answer) || answer.results.length === 0) return refused(answer);
  return { kind: 'answer', answer, lines: (look) => unendedLines(answer, look) };
}
