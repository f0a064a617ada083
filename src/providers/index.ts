/** One folder per CLI, all of the same shape: what is started, how text gets in, what proves that it was taken. */
import { type Refusal, refuse } from '../kernel/index.ts';
import { claude } from './claude/index.ts';
import { codex } from './codex/index.ts';
import { scripted } from './scripted/index.ts';
import type { Leading, Provider } from './shape.ts';

export { withLaunch } from './command.ts';
export type * from './shape.ts';
export { FACT_SOURCES, TURN_STATES } from './shape.ts';

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
