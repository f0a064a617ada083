import { childEnvironment } from '../../../kernel/environment.ts';
import { isRefusal } from '../../../kernel/reasons.ts';
import type { Asking } from '../../../lifecycle/index.ts';

/** What of the caller's own process agents are started with. */
export interface Surrounding {
  readonly environment: Readonly<Record<string, string>>;
  readonly umask: number;
}

/** The part of an environment that these agents ask for goes along; what stands in their way is told by the verb itself. */
export async function surroundingOf(agents: readonly Asking[], environment: NodeJS.ProcessEnv): Promise<Surrounding> {
  const names = await Promise.all(agents.map((agent) => variablesOf(agent, environment)));
  return { environment: childEnvironment(environment, names.flat()), umask: process.umask() };
}

/** What its document, its CLI and that CLI's own configuration ask for. */
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
