/**
 * What of a caller's environment a child may see. Everything else stays behind: above all TMUX*, and the variables by
 * which a leader's own session is known.
 */
const BASE = ['PATH', 'HOME', 'USER', 'LANG', 'TZ', 'TERM', 'SHELL', 'TMPDIR', 'SSH_AUTH_SOCK'];
const BASE_PREFIXES = ['LC_', 'XDG_'];
/** Switches of our own that tests and bug reports need; they never name a session. */
const OURS = ['TEAM_AGENT_TEST', 'TEAM_AGENT_CRASH_AT', 'TEAM_AGENT_FREEZE_AT'];

type Environment = Readonly<Record<string, string>>;

/** The allow-listed part of `environment`, plus the `named` variables that documents ask for. */
export function childEnvironment(environment: NodeJS.ProcessEnv, named: readonly string[] = []): Environment {
  const wanted = new Set([...BASE, ...named]);
  const allowed = Object.entries(environment).filter(
    ([name, value]) =>
      value !== undefined && (wanted.has(name) || BASE_PREFIXES.some((prefix) => name.startsWith(prefix))),
  );
  return Object.fromEntries(allowed) as Environment;
}

/** What the coordinator itself is started with: the allow-list and our own switches. */
export function coordinatorEnvironment(environment: NodeJS.ProcessEnv): Environment {
  return childEnvironment(environment, OURS);
}
