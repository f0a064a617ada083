import type { AgentSpec } from '../../team/index.ts';

/*
 * What was said in a conversation is said again to whoever goes on with it. Between two endpoints that are not the maker's that
 * is another vendor, of whom its CLI may know nothing: both have the same home and the same names of variables. So such a
 * conversation cannot be resumed. Any other change of the account is told; a CLI for which it matters refuses it itself.
 */

/** Whose account a conversation is held with: that of a profile, or the login of its CLI. */
export interface Account {
  /** An `AuthMode`, as it was kept. */
  readonly mode: string;
  readonly profile?: string | undefined;
}

/** As the handle of a life keeps it; undefined when it keeps none. */
export function accountOf(details: Readonly<Record<string, string>>): Account | undefined {
  const { provider, profile, auth_mode: mode } = details;
  if (provider === undefined) return undefined;
  return profile === undefined || mode === undefined ? OWN_LOGIN : { mode, profile };
}

/** As an agent's documents say it now. */
export function accountIn({ profile }: Pick<AgentSpec, 'profile'>): Account {
  return profile ? { mode: profile.mode, profile: profile.name } : OWN_LOGIN;
}

const OWN_LOGIN: Account = { mode: 'subscription' };

/** Why a conversation may not go on with this account, when it may not. `before`: undefined when nobody knows. */
export function otherVendor(before: Account | undefined, now: Account): string | undefined {
  if (before?.mode !== 'compatible_api' || now.mode !== 'compatible_api') return undefined;
  if (before.profile === now.profile) return undefined;
  return `it was held with the profile ${before.profile}, and the one of now is ${now.profile}: another endpoint would get all of it`;
}

/** What a person is told of an agent whose conversation goes on with another account. */
export function otherAccount(agent: string, before: Account | undefined, now: Account): string[] {
  if (before === undefined || named(before) === named(now)) return [];
  return [`${agent} goes on with ${named(now)}: its conversation began with ${named(before)}.`];
}

function named({ mode, profile }: Account): string {
  return mode === 'subscription' ? 'the login of its own CLI' : `the profile ${profile} (${mode})`;
}
