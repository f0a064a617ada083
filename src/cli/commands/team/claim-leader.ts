import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf } from '../../outcome.ts';
import { leadLines } from '../../rendering/leader.ts';

/** What says where a conversation keeps its own registry, which one it is, and whether this is an agent's shell. */
const NAMES = ['HOME', 'CLAUDE_CONFIG_DIR', 'CODEX_HOME', 'CODEX_THREAD_ID', 'TEAM_AGENT_TOKEN'];

/** The caller's conversation asks for the lead, or gives it up. */
export async function claim(
  context: Context,
  verb: 'claim-leader' | 'takeover',
  { confirm = false, release = false }: { readonly confirm?: boolean; readonly release?: boolean },
): Promise<Outcome> {
  const name = release ? 'release-leader' : verb;
  return outcomeOf(await call(context, name, { confirm, environment: concerning(context.environment) }), leadLines);
}

/** A person points at a conversation. The tmux server is the one that this shell is in. */
export async function attach(
  context: Context,
  flags: { readonly pane?: string; readonly provider?: string; readonly confirm?: boolean },
): Promise<Outcome> {
  const tmux = context.environment.TMUX?.split(',')[0];
  const environment = concerning(context.environment);
  return outcomeOf(
    await call(context, 'attach-leader', { ...flags, ...(tmux ? { tmux } : {}), environment }),
    leadLines,
  );
}

function concerning(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    NAMES.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
