import fs from 'node:fs';
import { errorCode, readBytes } from '../kernel/index.ts';
import type { Continuation, Resumable } from './shape.ts';

/** Bytes read at a time. */
const PIECE = 1024 * 1024;
const NEWLINE = 0x0a;

/** Does a whole line of a record say this? Undefined when the record is not there, `unreadable` when it cannot be read. */
export function hasLine(file: string, says: (line: string) => boolean): boolean | 'unreadable' | undefined {
  try {
    return findLine(file, says);
  } catch (error) {
    const code = errorCode(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : 'unreadable';
  }
}

function findLine(file: string, says: (line: string) => boolean): boolean {
  const { size } = fs.statSync(file);
  let rest = Buffer.alloc(0);
  for (let at = 0; at < size; at += PIECE) {
    const bytes = Buffer.concat([rest, readBytes(file, at, Math.min(size, at + PIECE))]);
    const last = bytes.lastIndexOf(NEWLINE) + 1;
    if (bytes.toString('utf8', 0, last).split('\n').some(says)) return true;
    rest = bytes.subarray(last);
  }
  return false;
}

/** A continuation of a record that has to hold a line of a kind: what a missing or an empty one means to a person. */
export function recordHolds({ record, how, installation }: Continuation, says: (line: string) => boolean): Resumable {
  const { capabilities, version } = installation;
  if (!capabilities[how]) return { no: `version ${version} of its CLI cannot ${how} a session` };
  switch (hasLine(record, says)) {
    case true:
      return 'yes';
    case false:
      return { no: `nothing was ever said in it: ${record} holds no input` };
    case undefined:
      return { no: `its record is not there: ${record}` };
    default:
      return 'unknown';
  }
}
