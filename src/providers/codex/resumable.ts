import fs from 'node:fs';
import path from 'node:path';
import { hasLine, recordHolds } from '../continuing.ts';
import type { Continuation, Resumable } from '../shape.ts';
import { parentIn, parseRolloutLine } from './record.ts';

/** A rollout with an input, or one that began with what another one holds, in the folder of sessions that the new life would have. */
export function resumable(continuation: Continuation): Resumable {
  const { details, installation, record } = continuation;
  const { home = '' } = installation.details;
  if (details.home !== undefined && details.home !== home) {
    return { no: `it was made with CODEX_HOME=${details.home}, and the one of now is ${home}` };
  }
  // A thread stays with the model provider that it began with, and says what was said in it to no other.
  const [before, now] = [details, installation.details].map(({ modelProvider = "the person's own" }) => modelProvider);
  if (before !== now) return { no: `it was made with the model provider ${before}, and the one of now is ${now}` };
  const answer = recordHolds(
    continuation,
    (line) => parseRolloutLine(line)?.type === 'input' || parentIn(line) !== undefined,
  );
  const lost = answer === 'yes' ? lostParent(record, path.join(home, 'sessions')) : undefined;
  return lost === undefined ? answer : { no: `it began as a fork of ${lost}, whose rollout is not there any more` };
}

/** A fork holds its own part alone: what it began with is read from the rollouts that it came from. */
function lostParent(record: string, sessions: string): string | undefined {
  const names = parentOf(record) === undefined ? [] : fs.readdirSync(sessions, { recursive: true, encoding: 'utf8' });
  for (let at = record; ; ) {
    const parent = parentOf(at);
    if (parent === undefined) return undefined;
    const name = names.find((file) => file.endsWith(`-${parent}.jsonl`));
    if (name === undefined) return parent;
    at = path.join(sessions, name);
  }
}

function parentOf(record: string): string | undefined {
  let parent: string | undefined;
  hasLine(record, (line) => {
    parent = parentIn(line);
    return true;
  });
  return parent;
}
