import { readIfThere } from '../../../kernel/index.ts';
import { parseFields, textOf } from './json.ts';

/** What the SessionStart hook has told: which session a process now works on, and where its transcript stands. */
export interface SessionStart {
  readonly session: string;
  readonly transcript: string;
  /** `startup`, `resume`, `clear`, `compact`. */
  readonly source: string;
}

/** One line of the file that the hook writes; undefined when it is torn. */
export function parseStart(line: string): SessionStart | undefined {
  const fields = parseFields(line);
  const session = textOf(fields, 'session_id');
  const transcript = textOf(fields, 'transcript_path');
  if (session === undefined || transcript === undefined) return undefined;
  return { session, transcript, source: textOf(fields, 'source') ?? '' };
}

/** All that a process life has told so far, oldest first. */
export function readStarts(file: string): readonly SessionStart[] {
  return (readIfThere(file) ?? '').split('\n').flatMap((line) => parseStart(line) ?? []);
}
