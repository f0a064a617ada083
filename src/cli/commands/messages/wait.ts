import { LEADER } from '../../../kernel/ids.ts';
import { isRefusal } from '../../../kernel/reasons.ts';
import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { seconds, usage } from '../../flags.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { answerLines } from '../../rendering/deliveries.ts';
import { inboxLines } from '../../rendering/lists.ts';
import { waitedOutcome } from './waited.ts';

interface Flags {
  readonly task?: string;
  readonly agent?: string;
  readonly message?: string;
  readonly idle?: boolean;
  readonly mail?: boolean;
  readonly timeout?: string;
}

/** Without `--timeout`, s: an agent's work takes minutes. */
const TIMEOUT = 600;
const FORMS = ['team-agent wait --agent AGENT --timeout 600', 'team-agent wait --task TASK', 'team-agent wait --idle'];

/** Waits for a result, or until every agent is idle. */
export async function run(context: Context, _words: readonly string[], flags: Flags): Promise<Outcome> {
  const { task, agent, message, idle, mail } = flags;
  const asked = [task, agent, message, idle, mail].filter((value) => value !== undefined).length;
  if (asked !== 1)
    return refused(usage('wait takes exactly one of --task, --agent, --message, --idle and --mail.', FORMS));
  const timeout = seconds('--timeout', flags.timeout);
  if (isRefusal(timeout)) return refused(timeout);
  const answer = await call(context, 'wait', { task, agent, message, idle, mail, timeout_s: timeout ?? TIMEOUT });
  if (mail && !isRefusal(answer)) return outcomeOf(await call(context, 'inbox-take', { agent: LEADER }), inboxLines);
  return waitedOutcome(answer, (found, look) =>
    found.waited_for === 'idle' ? ['every agent is idle'] : answerLines(found.results ?? [], look),
  );
}
