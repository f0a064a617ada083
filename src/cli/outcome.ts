import { isRefusal, REASONS, type Refusal } from '../kernel/reasons.ts';
import type { Look } from './rendering/look.ts';

/** What a command ends with: one object for `--json`, and how a person reads it. */
export type Outcome =
  | {
      readonly kind: 'answer';
      readonly answer: object;
      readonly lines: (look: Look) => readonly string[];
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The command wrote everything itself, as it came. `stays`: its process goes on until it ends itself. */
  | { readonly kind: 'written'; readonly exit: number; readonly stays?: true };

export const INTERRUPTED = 130;

/** An answer as it came, or the refusal that stands in its place. */
export function outcomeOf<Answer extends object>(
  answer: Answer | Refusal,
  lines: (answer: Answer, look: Look) => readonly string[],
): Outcome {
  if (isRefusal(answer)) return { kind: 'refused', refusal: answer };
  return { kind: 'answer', answer, lines: (look) => lines(answer, look) };
}

export function refused(refusal: Refusal): Outcome {
  return { kind: 'refused', refusal };
}

/** 0 done, 1 refused or failed, 2 usage, 3 partly done, 4 no usable coordinator, 130 interrupted. */
export function exitCode(outcome: Outcome): number {
  switch (outcome.kind) {
    case 'written':
      return outcome.exit;
    case 'refused':
      return 'partial' in outcome.refusal && outcome.refusal.partial === true ? 3 : codeOf(outcome.refusal.reason);
    case 'answer':
      if ('partial' in outcome.answer && outcome.answer.partial === true) return 3;
      return 'ok' in outcome.answer && outcome.answer.ok === false ? 1 : 0;
    default:
      return outcome satisfies never;
  }
}

/** A newer coordinator may know reasons that this client does not. */
function codeOf(reason: string): number {
  return Object.entries(REASONS).find(([known]) => known === reason)?.[1] ?? 1;
}
