/** One folder per CLI, all of the same shape: what is started, how text gets in, what proves that it was taken. */
import { isRefusal, type Refusal, refuse } from '../kernel/index.ts';
import { claude } from './claude/index.ts';
import { codex } from './codex/index.ts';
import { scripted } from './scripted/index.ts';
import type { CredentialNames, Enforcement, Granted, Leading, Provider, Tool } from './shape.ts';
import { TOOLS } from './shape.ts';

export { withLaunch } from './command.ts';
export { withCredentials } from './credentials.ts';
export type * from './shape.ts';
export { AUTH_MODES, FACT_SOURCES, TOOLS, TURN_STATES } from './shape.ts';

const PROVIDERS: readonly Provider[] = [claude, codex, scripted];

/** The provider of this name or alias, as a document writes it. */
export function findProvider(name: string): Provider | Refusal {
  const found = PROVIDERS.find((provider) => provider.name === name || provider.aliases.includes(name));
  return (
    found ??
    refuse(
      'unknown_provider',
      `There is no provider ${JSON.stringify(name)}; there is ${providerNames().join(', ')}.`,
      {
        evidence: { provider: name, known: providerNames() },
      },
    )
  );
}

/** What documents need to know of the provider that they name: its canonical name, and how a profile may call its values. */
export function namedProvider(
  name: string,
): { readonly ok: true; readonly name: string; readonly credentials: CredentialNames } | Refusal {
  const found = findProvider(name);
  return isRefusal(found) ? found : { ok: true, name: found.name, credentials: found.credentials.names };
}

/** Every way in which a value of a profile may be called, whichever CLI uses it. */
export function allCredentialNames(): CredentialNames {
  const all = PROVIDERS.map((provider) => provider.credentials.names);
  return {
    key: {
      official_api: [...new Set(all.flatMap(({ key }) => key.official_api))],
      compatible_api: [...new Set(all.flatMap(({ key }) => key.compatible_api))],
    },
    baseUrl: [...new Set(all.flatMap(({ baseUrl }) => baseUrl))],
    model: [...new Set(all.flatMap(({ model }) => model))],
  };
}

/** The providers whose CLI can lead. */
export function leadingProviders(): readonly (Provider & { readonly leading: Leading })[] {
  return PROVIDERS.flatMap((provider) => {
    const { leading } = provider;
    return leading ? [{ ...provider, leading }] : [];
  });
}

/** The names of all providers, without their aliases. */
export function providerNames(): readonly string[] {
  return PROVIDERS.map((provider) => provider.name);
}

/** One tool of an agent: whether its role document grants it, and who keeps the agent to that. */
export interface ToolMark {
  readonly tool: Tool;
  readonly granted: boolean;
  readonly enforcement: Enforcement;
}

/** A mark for every tool there is. A provider that is not known holds nobody to anything. */
export function toolMarks(name: string, granted: Granted): readonly ToolMark[] {
  const provider = findProvider(name);
  return TOOLS.map((tool) => ({
    tool,
    granted: granted.tools.includes(tool),
    enforcement: 'reason' in provider ? 'prompt_only' : provider.enforcement(granted, tool),
  }));
}
