type Environment = Readonly<Record<string, string>>;

/** The proxy that stands between a process with this environment and an address; undefined when none does. */
export interface ProxyServer {
  /** The variable that names it. */
  readonly variable: string;
  readonly url: URL;
}

/** As the CLIs read it: the variable of the address's own scheme, then `ALL_PROXY`; never past `NO_PROXY`. */
export function proxyFor(target: URL, environment: Environment): ProxyServer | undefined {
  const names = [`${target.protocol.slice(0, -1)}_proxy`, 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]);
  const variable = names.find((name) => environment[name]);
  if (variable === undefined || isExcepted(target, environment.no_proxy || environment.NO_PROXY || ''))
    return undefined;
  const written = environment[variable] ?? '';
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(written) ? written : `http://${written}`;
  return URL.canParse(whole) ? { variable, url: new URL(whole) } : undefined;
}

/** `NO_PROXY`: hosts, with everything below them, perhaps with a port; `*` is all. */
function isExcepted(target: URL, exceptions: string): boolean {
  const host = target.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = target.port || (target.protocol === 'https:' ? '443' : '80');
  return exceptions
    .split(/[\s,]+/)
    .filter((one) => one !== '')
    .some((one) => {
      if (one === '*') return true;
      const [, name = '', ownPort] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(one) ?? [];
      const below = name.toLowerCase().replace(/^\*?\./, '');
      return (ownPort === undefined || ownPort === port) && (host === below || host.endsWith(`.${below}`));
    });
}
