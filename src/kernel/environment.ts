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

/** Variables that send a program's requests through a proxy. */
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'];

/** The same environment, in which a proxy of the user's does not stand between a program and this machine's own ports. */
export function reachingLoopback(environment: Environment): Environment {
  if (!PROXIES.some((name) => environment[name])) return environment;
  const but = environment.NO_PROXY || environment.no_proxy;
  const exceptions = but ? `${but},127.0.0.1` : '127.0.0.1';
  return { ...environment, NO_PROXY: exceptions, no_proxy: exceptions };
}

/** What the coordinator itself is started with: the allow-list and our own switches. */
export function coordinatorEnvironment(environment: NodeJS.ProcessEnv): Environment {
  return childEnvironment(environment, OURS);
}
