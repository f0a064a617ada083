import { childEnvironment } from '../../../kernel/environment.ts';
import { isRefusal, type Refusal } from '../../../kernel/reasons.ts';
import type { Asking } from '../../../lifecycle/index.ts';
import type { Verb } from '../../answers.ts';
import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { agentStartedLines, agentStoppedLines, restartLines } from '../../rendering/agents.ts';

/** What a person agrees to. */
interface Consent {
  readonly allowFresh?: boolean;
  readonly trust?: boolean;
  readonly yes?: boolean;
}

export async function restart(context: Context, flags: Consent): Promise<Outcome> {
  const args = await withEnvironment(context, 'restart', flags);
  return isRefusal(args) ? refused(args) : outcomeOf(await call(context, 'restart', args), restartLines);
}

export async function start(
  context: Context,
  agent: string,
  { force = false, ...flags }: Consent & { readonly force?: boolean },
): Promise<Outcome> {
  const args = await withEnvironment(context, 'start-agent', flags);
  if (isRefusal(args)) return refused(args);
  return outcomeOf(await call(context, 'start-agent', { ...args, agent, force }), agentStartedLines);
}

export async function stop(context: Context, agent: string): Promise<Outcome> {
  return outcomeOf(await call(context, 'stop-agent', { agent }), agentStoppedLines);
}

export async function reset(
  context: Context,
  agent: string,
  { discardSession = false, ...flags }: Consent & { readonly discardSession?: boolean },
): Promise<Outcome> {
  const args = await withEnvironment(context, 'reset-agent', flags);
  if (isRefusal(args)) return refused(args);
  const asked = { ...args, agent, discard_session: discardSession };
  return outcomeOf(await call(context, 'reset-agent', asked), agentStartedLines);
}

/** The variables that the team's agents ask for go along, from the environment of whoever starts them. */
async function withEnvironment(
  context: Context,
  verb: Verb,
  { allowFresh = false, trust = false, yes = false }: Consent,
): Promise<Readonly<Record<string, unknown>> | Refusal> {
  const asked = await call(context, 'who-starts', { verb });
  if (isRefusal(asked)) return asked;
  const names = await Promise.all(asked.agents.map((agent) => variablesOf(agent, context.environment)));
  const environment = childEnvironment(context.environment, names.flat());
  return { environment, umask: process.umask(), allow_fresh: allowFresh, trust, yes };
}

/** What its document, its CLI and that CLI's own configuration ask for. What stands in the way is told by the verb itself. */
async function variablesOf(agent: Asking, environment: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const { findProvider } = await import('../../../providers/index.ts');
  const provider = findProvider(agent.provider);
  if (isRefusal(provider)) return agent.env;
  const all = childEnvironment(environment, Object.keys(environment));
  const { id, folder, permission } = agent;
  const { readCredential } = await import('../../../lifecycle/index.ts');
  // Where its CLI would keep things is of no interest here: only whether it needs a login of its own.
  const credentials = readCredential(agent, provider, folder).used?.plan;
  const about = { agent: id, folder, permission, trusted: true, environment: all, credentials };
  const found = await provider.inspect(about);
  return [...agent.env, ...provider.variables, ...(isRefusal(found) ? [] : (found.variables ?? []))];
}
