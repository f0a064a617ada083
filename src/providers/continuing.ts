import fs from 'node:fs';
import { errorCode, type Refusal, readBytes, refuse, shellWord } from '../kernel/index.ts';
import type { AgentHandle, Continuation, Continues, LaunchRequest, MissedCall, Resumable } from './shape.ts';

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

/**
 * What a started process told of the session that it was to go on with, against what was asked: a resume has that session and
 * its record, a fork has another one.
 */
export function isContinued(
  continues: Continues,
  told: { readonly session: string; readonly record: string },
): boolean {
  return continues.how === 'resume'
    ? told.session === continues.session && told.record === continues.record
    : told.session !== continues.session && told.record !== continues.record;
}

/** The start of a life that did not go on with the session that it was to go on with. */
export function resumeFailed(
  { agent, folder, continues }: LaunchRequest,
  { what, told, next }: { readonly what: string; readonly told: object; readonly next: string },
): Refusal {
  const { how, session, record } = continues ?? {};
  return refuse('resume_failed', `${agent} did not go on with its session ${session} (${how}): ${what}`, {
    evidence: { agent, folder, how, session, record, told },
    next: [`cd ${shellWord(folder)} && ${next}`],
  });
}

/** What is stored of a life that goes on with something: `continues` and `continues_session`, and when it began, UTC ms. */
export function continuingDetails({ continues }: LaunchRequest, began: number): Readonly<Record<string, string>> {
  if (!continues) return {};
  return { continues: continues.how, continues_session: continues.session, began: String(began) };
}

/**
 * The calls of a life alone: its record may begin with what an earlier one did, copied or not, and each line keeps the time
 * at which it was written first.
 */
export function ownCalls(handle: Pick<AgentHandle, 'details'>, calls: readonly MissedCall[]): readonly MissedCall[] {
  const began = beganAt(handle);
  return calls.filter(({ at }) => at >= began);
}

/** UTC ms from which on a record is about this life; 0 when all of it is. */
export const beganAt = ({ details }: Pick<AgentHandle, 'details'>): number => Number(details.began ?? 0);

/** Has this life the very session, and the record, that an earlier one had? */
export const isResumed = ({ details }: Pick<AgentHandle, 'details'>): boolean => details.continues === 'resume';
