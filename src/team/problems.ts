import path from 'node:path';
import { isRefusal, printable, type Reason, type Refusal, refuse, shellWord } from '../kernel/index.ts';

/** What kinds of problem documents have. When all are of one kind, that is the refusal's reason. */
export type ProblemKind = Extract<
  Reason,
  | 'team_document_invalid'
  | 'unknown_provider'
  | 'agent_id_invalid'
  | 'team_name_invalid'
  | 'profile_missing'
  | 'model_mismatch'
>;

/** One thing that is wrong in a document, and where. */
export interface Problem {
  readonly kind: ProblemKind;
  /** Relative to the team folder. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly key: string;
  /** What is wrong; what to write instead. */
  readonly message: string;
}

/**
 * All problems of a team's documents as one refusal, a line each: `file:line: key: what is wrong; what instead`. `subject` is
 * what the team is started from, relative to the folder: the folder itself, or a spec in it.
 */
export function documentRefusal(folder: string, problems: readonly Problem[], subject = '.'): Refusal {
  const told = problems.map(({ file, line, key, message }) => ({
    file: path.join(folder, file),
    line,
    key: printable(key),
    message: printable(message),
  }));
  const kinds = new Set(problems.map((problem) => problem.kind));
  const [only = 'team_document_invalid'] = kinds;
  return refuse(
    kinds.size === 1 ? only : 'team_document_invalid',
    told.map(({ file, line, key, message }) => `${file}:${line}: ${key}: ${message}`).join('\n'),
    { evidence: { problems: told }, next: [`team-agent quick-start ${shellWord(path.join(folder, subject))}`] },
  );
}

/** The same to somebody who asked for something else with them: once they are mended, `command` is typed again. */
export function mendedFor<Answer extends object>(answer: Answer | Refusal, command: string): Answer | Refusal {
  return isRefusal(answer) && answer.evidence?.problems ? { ...answer, next: [command] } : answer;
}

/** The candidate that `word` was probably meant to be: at most two slips away, and fewer in a short word. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const allowed = Math.min(2, Math.floor(word.length / 3));
  const [best] = candidates
    .map((candidate) => ({ candidate, slips: slipsBetween(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ slips }) => slips <= allowed)
    .sort((one, other) => one.slips - other.slips);
  return best?.candidate;
}

/** Letters added, dropped, replaced, or swapped with their neighbour. */
function slipsBetween(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1];
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      const costs = [at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + (same ? 0 : 1)];
      if (swapped && row > 1) costs.push(at(beforeLast, column - 2) + 1);
      current.push(Math.min(...costs));
    }
    beforeLast = last;
    last = current;
  }
  return at(last, other.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
