import { firstLine, printable } from '../../kernel/index.ts';
import type { SmokeCall } from '../../providers/index.ts';
import { addressOf, redacted } from '../../team/index.ts';
import { type Answered, makeCall } from './call.ts';
import { type ProxyServer, proxyFor } from './proxy.ts';

/** How long an endpoint may take to answer the smallest of calls, ms. */
const SMOKE_DEADLINE = 8_000;

/** What one small call to the endpoint of a profile showed. Nothing secret is in it. */
export interface SmokeCheck {
  readonly ok: boolean;
  readonly agent_id: string;
  readonly profile: string | null;
  readonly status:
    | 'not_required'
    | 'skipped_by_profile'
    | 'profile_invalid'
    | 'unsupported_provider_smoke_skipped'
    | 'unsupported_proxy_smoke_skipped'
    | 'smoke_passed'
    | 'smoke_failed';
  readonly reason?: 'http_error' | 'proxy_connectivity_failed' | 'request_failed' | 'unexpected_status';
  readonly http_status?: number;
  /** Without its query. */
  readonly endpoint?: string;
  /** What the endpoint said, cut and redacted. */
  readonly detail?: string;
  readonly suggestion?: string;
  readonly proxy_configured?: boolean;
  readonly proxy_scheme?: string;
  readonly proxy_url?: string;
  readonly proxy_source?: 'profile' | 'ambient';
  readonly proxy_mode?: 'inherit' | 'direct';
}

/** What a smoke check asks, and from where: with the network that the agent will have. */
export interface SmokeQuestion {
  readonly call: SmokeCall;
  /** Of the agent's process, secrets and all. */
  readonly environment: Readonly<Record<string, string>>;
  /** Names of its variables that come from the profile. */
  readonly fromProfile: readonly string[];
  readonly mode: 'inherit' | 'direct';
  /** Absolute path of the profile, as people are told it. */
  readonly file: string;
  /** What must stand in no answer of ours. */
  readonly secrets: readonly string[];
}

export type Smoke = Omit<SmokeCheck, 'agent_id' | 'profile'>;

/** Makes the call. Any 2xx passes. */
export async function smoke(question: SmokeQuestion, deadline = SMOKE_DEADLINE): Promise<Smoke> {
  const { call, environment } = question;
  const proxy = proxyFor(new URL(call.url), environment);
  const about = { endpoint: addressOf(call.url), ...networkOf(question, proxy) };
  if (proxy && !/^https?:$/.test(proxy.url.protocol)) {
    return { ok: true, status: 'unsupported_proxy_smoke_skipped', ...about };
  }
  const authorities = environment.NODE_EXTRA_CA_CERTS || environment.SSL_CERT_FILE;
  const answer = await makeCall(call, { proxy, authorities }, AbortSignal.timeout(deadline));
  return { ...judge(answer, question, proxy), ...about };
}

function networkOf({ fromProfile, mode }: SmokeQuestion, proxy: ProxyServer | undefined): Partial<Smoke> {
  if (!proxy) return { proxy_configured: false, proxy_mode: mode };
  return {
    proxy_configured: true,
    proxy_scheme: proxy.url.protocol.slice(0, -1),
    proxy_url: addressOf(proxy.url.href),
    proxy_source: fromProfile.includes(proxy.variable) ? 'profile' : 'ambient',
    proxy_mode: mode,
  };
}

function judge(answer: Answered, question: SmokeQuestion, proxy: ProxyServer | undefined): Smoke {
  const failed = (reason: NonNullable<Smoke['reason']>, said: string, advice: string): Smoke => ({
    ok: false,
    status: 'smoke_failed',
    reason,
    ...(said === ''
      ? {}
      : { detail: firstLine(printable(redacted(said.replace(/\s+/g, ' '), question.secrets)), 300) }),
    suggestion: advice,
  });
  const { file } = question;
  if (!answer.answered) {
    if (answer.where === 'proxy') return failed('proxy_connectivity_failed', answer.why, proxyAdvice(question, proxy));
    return failed(
      'request_failed',
      answer.why,
      `check BASE_URL in ${file}${beside(question, proxy)}; PROFILE_SMOKE=off there leaves out this check`,
    );
  }
  const { status, body } = answer;
  if (status >= 200 && status < 300) return { ok: true, status: 'smoke_passed', http_status: status };
  if (status === 407)
    return { ...failed('proxy_connectivity_failed', body, proxyAdvice(question, proxy)), http_status: status };
  const reason = status >= 400 && status < 600 ? 'http_error' : 'unexpected_status';
  return { ...failed(reason, body, `${adviceFor(status, file)}${beside(question, proxy)}`), http_status: status };
}

function adviceFor(status: number, file: string): string {
  if (status === 401 || status === 403) return `the key was not taken: check API_KEY and BASE_URL in ${file}`;
  if (status === 400 || status === 404 || status === 422) return `check BASE_URL and MODEL in ${file}`;
  if (status === 429 || status >= 500) return `try again later; PROFILE_SMOKE=off in ${file} leaves out this check`;
  return `this is not what such an API answers: check BASE_URL in ${file}`;
}

/** The ways out of a proxy that stands between: it is repaired, replaced for this profile, or gone past. */
function proxyAdvice({ file, fromProfile }: SmokeQuestion, proxy: ProxyServer | undefined): string {
  const name = proxy?.variable ?? 'HTTPS_PROXY';
  return fromProfile.includes(name)
    ? `correct ${name} in ${file}, or write PROXY_MODE=direct there to go past it`
    : `correct ${name} of your environment, or write the proxy of this endpoint into ${file} (${name}=...), or PROXY_MODE=direct there to go past every proxy`;
}

function beside(question: SmokeQuestion, proxy: ProxyServer | undefined): string {
  return proxy ? `; if it is the proxy: ${proxyAdvice(question, proxy)}` : '';
}
