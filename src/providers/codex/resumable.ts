import { recordHolds } from '../continuing.ts';
import type { Continuation, Resumable } from '../shape.ts';
import { parseRolloutLine } from './record.ts';

/** A rollout with an input, in the folder of sessions that the new life would have. */
export function resumable(continuation: Continuation): Resumable {
  const { details, installation } = continuation;
  const { home } = installation.details;
  if (details.home !== undefined && details.home !== home) {
    return { no: `it was made with CODEX_HOME=${details.home}, and the one of now is ${home}` };
  }
  return recordHolds(continuation, (line) => parseRolloutLine(line)?.type === 'input');
}
