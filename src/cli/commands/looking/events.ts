import { isRefusal } from '../../../kernel/reasons.ts';
import type { EventAnswer } from '../../answers/index.ts';
import { call, nobodyThere, teamed } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { count, since as readSince } from '../../flags.ts';
import { INTERRUPTED, type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { eventLine } from '../../rendering/lists.ts';
import { lookOf } from '../../rendering/look.ts';
import { findWorkspace, needsTeam } from '../../workspace.ts';

interface Flags {
  readonly follow?: boolean;
  readonly since?: string;
  readonly limit?: string;
}

/** The team's events: as they stand, or line by line as they come. */
export async function run(context: Context, _words: readonly string[], flags: Flags): Promise<Outcome> {
  const limit = count('--limit', flags.limit, 100_000);
  if (isRefusal(limit)) return refused(limit);
  const since = readSince(flags.since);
  if (isRefusal(since)) return refused(since);
  if (flags.follow) return follow(context, since);
  const answer = await call(context, 'events', { since, limit });
  return outcomeOf(answer, ({ events }, look) => events.map((event) => eventLine(event, look)));
}

/** JSON lines for a pipe and for `--json`, readable lines in a terminal. */
async function follow(context: Context, since: number | string | undefined): Promise<Outcome> {
  const workspace = findWorkspace(context, 'read');
  if (isRefusal(workspace)) return refused(workspace);
  const absent = needsTeam(workspace);
  if (absent) return refused(absent);
  const { followEvents } = await import('../../../client/index.ts');
  const readable = context.stdout.isTTY === true && !context.globals.json;
  const print = (line: string): void => {
    const shown = readable
      ? eventLine(parseEvent(line), lookOf(context.stdout, context.environment, Date.now()))
      : line;
    context.stdout.write(`${shown}\n`);
  };
  let exit = INTERRUPTED;
  context.endsItself((code) => {
    exit = code;
  });
  const ended = await followEvents(workspace, teamed(context, { since }), print, context.interrupted);
  if (context.interrupted.aborted) return { kind: 'written', exit };
  if (ended === undefined) return refused(nobodyThere(workspace));
  return isRefusal(ended) ? refused(ended) : { kind: 'written', exit: 0 };
}

function parseEvent(line: string): EventAnswer {
  return JSON.parse(line) as EventAnswer;
}
