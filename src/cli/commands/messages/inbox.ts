import { isRefusal } from '../../../kernel/reasons.ts';
import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { count, since as readSince, usage } from '../../flags.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { inboxLines } from '../../rendering/lists.ts';

interface Flags {
  readonly take?: boolean;
  readonly limit?: string;
  readonly since?: string;
}

/** Shows the mail of a member; with `--take` a person takes the leader's mail, and that is its receipt. */
export async function run(context: Context, [agent = 'leader']: readonly string[], flags: Flags): Promise<Outcome> {
  const limit = count('--limit', flags.limit, 1_000);
  if (isRefusal(limit)) return refused(limit);
  const since = readSince(flags.since);
  if (isRefusal(since)) return refused(since);
  if (!flags.take) return outcomeOf(await call(context, 'inbox', { agent, limit, since }), inboxLines);
  if (agent !== 'leader')
    return refused(
      usage('--take is for the mail of the leader: agents read their own.', ['team-agent inbox leader --take']),
    );
  return outcomeOf(await call(context, 'inbox-take', { agent, limit, since }), inboxLines);
}
