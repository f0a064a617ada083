import { nearest } from '../problems.ts';
import { looksLikeSecret } from '../secrets.ts';
import type { Profile } from './file.ts';

/** What may be shown of a profile: everything else may be a secret, whatever it is called. */
const SHOWN: ReadonlySet<string> = new Set([
  ...['AUTH_MODE', 'PROFILE_NAME', 'BASE_URL', 'MODEL', 'MODEL_PROVIDER', 'PROVIDER_NAME', 'WIRE_API', 'PROFILE_SMOKE'],
  ...['ANTHROPIC_BASE_URL', 'ANTHROPIC_MODEL', 'ANTHROPIC_VERSION', 'OPENAI_BASE_URL', 'PROXY_MODE', 'NETWORK_MODE'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'],
  ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE'],
]);

/** Is what stands under this key kept from every output? */
export function isSecretKey(key: string): boolean {
  return !SHOWN.has(key);
}

/** What may be known of a value. */
export type ShownValue =
  | { readonly present: boolean; readonly redacted: true }
  | { readonly present: boolean; readonly redacted: false; readonly value: string };

/** A value without what is secret in it: of an address only the scheme, the host and the path are shown. */
export function shownValue(key: string, value: string): ShownValue {
  const present = value !== '';
  if (isSecretKey(key) || looksLikeSecret(value)) return { present, redacted: true };
  return { present, redacted: false, value: value.includes('://') ? addressOf(value) : value };
}

/** An address without its query, its fragment and whoever is named in it. */
export function addressOf(written: string): string {
  const [beforeQuery = ''] = written.split(/[?#]/, 1);
  return beforeQuery.replace(/\/\/[^/]*@/, '//[redacted]@');
}

/** A value that cannot be used; what stands there is not repeated. */
export interface ValueFault {
  readonly key: string;
  readonly message: string;
}

type Check = (value: string) => string | undefined;

const address: Check = (value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') return 'is no address; write https://host/path';
  // It stands where everybody on this machine can read it.
  if (url.username || url.password || url.search || url.hash)
    return 'has more than a host and a path; a key stands under API_KEY';
  return undefined;
};
const word =
  (words: readonly string[]): Check =>
  (value) =>
    words.includes(value.toLowerCase()) ? undefined : `does not fit; write one of ${words.join(', ')}`;
const plain: Check = (value) =>
  looksLikeSecret(value) ? 'seems to hold a credential; it stands under API_KEY' : undefined;

/** Ids of model providers that Codex has itself, and lets nobody define. */
const CODEX_OWN = ['openai', 'ollama', 'lmstudio', 'amazon-bedrock'];
const providerId: Check = (value) => {
  if (!/^[A-Za-z0-9_-]+$/.test(value)) return 'does not fit; write letters, digits, _ and -';
  return CODEX_OWN.includes(value) ? 'is a provider of Codex itself; write another id' : plain(value);
};
const notYet: Check = () =>
  'is refused: a profile of Codex itself is not chosen; remove the line and write MODEL_PROVIDER';

const PROXY_MODES = ['inherit', 'direct'];
const SWITCHED_OFF = ['0', 'false', 'no', 'off'];
const CHECKS: Readonly<Record<string, Check>> = {
  BASE_URL: address,
  ANTHROPIC_BASE_URL: address,
  OPENAI_BASE_URL: address,
  MODEL: plain,
  ANTHROPIC_MODEL: plain,
  MODEL_PROVIDER: providerId,
  PROVIDER_NAME: plain,
  WIRE_API: word(['responses', 'chat']),
  PROXY_MODE: word(PROXY_MODES),
  NETWORK_MODE: word(PROXY_MODES),
  PROFILE_SMOKE: word([...SWITCHED_OFF, '1', 'true', 'yes', 'on']),
  CODEX_PROFILE: notYet,
  NATIVE_PROFILE: notYet,
};

/** Values of a profile that no agent could use. A key that is nearly one of ours was probably meant to be it. */
export function faultsOf({ values }: Pick<Profile, 'values'>): readonly ValueFault[] {
  const known = [...SHOWN, 'API_KEY', 'AUTH_TOKEN', 'ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'OPENAI_API_KEY'];
  return [...values].flatMap(([key, value]) => {
    if (value === '') return [];
    const message = CHECKS[key]?.(value);
    if (message !== undefined) return [{ key, message }];
    const meant = known.includes(key) || key in CHECKS ? undefined : nearest(key, known);
    return meant === undefined ? [] : [{ key, message: `is nothing that is read; did you mean ${meant}?` }];
  });
}

/** Does the profile want no call to its endpoint before a start? */
export function smokeSwitchedOff({ values }: Pick<Profile, 'values'>): boolean {
  return SWITCHED_OFF.includes((values.get('PROFILE_SMOKE') ?? '').toLowerCase());
}

const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
const CERTIFICATES = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE'];

/** How the process of an agent reaches the network, as its profile says it. */
export interface Network {
  readonly mode: 'inherit' | 'direct';
  /** Variables that come from the profile: a proxy's address may hold a password. */
  readonly variables: Readonly<Record<string, string>>;
  /** Variables of whoever starts it that it does not get. */
  readonly without: readonly string[];
}

/** `direct` goes past every proxy; certificates that the profile names itself belong to its endpoint. */
export function networkOf({ values }: Pick<Profile, 'values'>): Network {
  const of = (names: readonly string[]) =>
    Object.fromEntries(names.flatMap((name) => (values.get(name) ? [[name, values.get(name) ?? '']] : [])));
  const direct = (values.get('PROXY_MODE') || values.get('NETWORK_MODE') || '').toLowerCase() === 'direct';
  if (direct) return { mode: 'direct', variables: of(CERTIFICATES), without: [...PROXIES, ...CERTIFICATES] };
  const variables = of([...PROXIES, ...CERTIFICATES]);
  // One way of writing a name would win over the other.
  const without = PROXIES.filter((name) => name.toUpperCase() in variables || name.toLowerCase() in variables);
  return { mode: 'inherit', variables, without };
}
