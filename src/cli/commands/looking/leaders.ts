import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf } from '../../outcome.ts';
import { identityLines, leadersLines } from '../../rendering/leader.ts';

/** What of the caller's environment says who it is. */
const NAMES = ['TEAM_AGENT_LEADER_SESSION_UUID_OVERRIDE', 'TEAM_AGENT_MACHINE_FINGERPRINT', 'TMUX_PANE'];

export async function leaders(context: Context): Promise<Outcome> {
  return outcomeOf(await call(context, 'leaders', {}), leadersLines);
}

export async function identity(context: Context): Promise<Outcome> {
  const environment = Object.fromEntries(
    NAMES.flatMap((name) => {
      const value = context.environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return outcomeOf(await call(context, 'identity', { environment }), identityLines);
}
