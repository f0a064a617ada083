import { recordHolds } from '../../continuing.ts';
import type { Continuation, Resumable } from '../../shape.ts';
import { parseRecordLine } from '../record.ts';
import { liveEntries } from '../sources/registry.ts';

/** A transcript with an input, in the config folder that the new life would have, which no process but the life before works on. */
export function resumable(continuation: Continuation): Resumable {
  const { how, session, details, installation } = continuation;
  const { config = '' } = installation.details;
  if (details.config !== undefined && details.config !== config) {
    return { no: `it was made with the config folder ${details.config}, and the one of now is ${config}` };
  }
  // It would go on in a transcript of another project, and never say which.
  if (how === 'resume' && details.folder !== undefined && details.folder !== continuation.folder) {
    return { no: `it belongs to the folder ${details.folder}, and its agent would work in ${continuation.folder}` };
  }
  // The life that worked on it before may still be there: whoever asks ends it first.
  const own = Number(details.pid);
  const others = liveEntries(config).filter((entry) => entry.session === session && entry.pid !== own);
  const [rival] = how === 'resume' ? others : [];
  if (rival) return { no: `process ${rival.pid} works on it` };
  return recordHolds(continuation, isInput);
}

function isInput(line: string): boolean {
  return /"type":"(?:user|attachment)"/.test(line) && parseRecordLine(line)?.type === 'input';
}
