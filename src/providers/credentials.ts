import type { CredentialPlan } from './shape.ts';

type Environment = Readonly<Record<string, string>>;

/** The environment of a process with a credential of a profile, but for what is secret in it. */
export function withCredentials(environment: Environment, credentials: CredentialPlan | undefined): Environment {
  if (!credentials) return environment;
  const without = new Set(credentials.without);
  const kept = Object.entries(environment).filter(([name]) => !without.has(name));
  return { ...Object.fromEntries(kept), ...credentials.environment };
}
