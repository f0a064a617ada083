import { callerEnvironment } from '../../caller.ts';
import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf } from '../../outcome.ts';
import { leadLines } from '../../rendering/leader.ts';

/** The caller's conversation asks for the lead, or gives it up. */
export async function claim(
  context: Context,
  verb: 'claim-leader' | 'takeover',
  { confirm = false, release = false }: { readonly confirm?: boolean; readonly release?: boolean },
): Promise<Outcome> {
  const name = release ? 'release-leader' : verb;
  return outcomeOf(
    await call(context, name, { confirm, environment: callerEnvironment(context.environment) }),
    leadLines,
  );
}

/** A person points at a conversation. The tmux server is the one that this shell is in. */
export async function attach(
  context: Context,
  flags: { readonly pane?: string; readonly provider?: string; readonly confirm?: boolean },
): Promise<Outcome> {
  const tmux = context.environment.TMUX?.split(',')[0];
  const environment = callerEnvironment(context.environment);
  return outcomeOf(
    await call(context, 'attach-leader', { ...flags, ...(tmux ? { tmux } : {}), environment }),
    leadLines,
  );
}
