import path from 'node:path';
import { childEnvironment, isRefusal, type Refusal, reachingLoopback, refuse, shellWord } from '../../kernel/index.ts';
import {
  type CredentialPlan,
  type Credentials,
  findProvider,
  type Provider,
  withCredentials,
} from '../../providers/index.ts';
import {
  type AgentSpec,
  checkProfile,
  credentialsOf,
  type FoundProfile,
  networkOf,
  type ProfileCheck,
  parseProfile,
  readProfile,
  smokeSwitchedOff,
} from '../../team/index.ts';
import { type Smoke, type SmokeCheck, smoke } from './smoke.ts';

/** What an agent's profile means for its start. */
export interface Credential {
  readonly check: ProfileCheck;
  /** Absent: the login of its own CLI is used, or the profile cannot be. */
  readonly used?: {
    readonly found: FoundProfile;
    readonly credentials: Credentials;
    readonly plan: CredentialPlan;
  };
}

type Agent = Pick<AgentSpec, 'id' | 'provider' | 'model' | 'profile'>;

/** Reads the profile of an agent as it lies there now. `folder` is the agent's own, which stays when a life ends. */
export function readCredential(agent: Agent, provider: Provider, folder: string): Credential {
  const { names } = provider.credentials;
  const found = agent.profile && readProfile(agent.profile.file);
  const check = checkProfile(agent, found, names);
  const credentials = check.ok && found ? credentialsOf(agent, found, names) : undefined;
  if (!found || !credentials) return { check };
  return {
    check,
    used: { found, credentials, plan: withNetwork(provider.credentials.plan(credentials, folder), found) },
  };
}

/** The proxies and certificates of a profile go along; a proxy's address may hold a password. */
function withNetwork(plan: CredentialPlan, found: FoundProfile): CredentialPlan {
  const { variables, without } = networkOf(parseProfile(found.text));
  const [open, secret] = [false, true].map((wanted) =>
    Object.fromEntries(Object.entries(variables).filter(([, value]) => value.includes('@') === wanted)),
  );
  return {
    ...plan,
    environment: { ...plan.environment, ...open },
    secrets: { ...plan.secrets, ...secret },
    without: [...plan.without, ...without],
  };
}

/** The environment of an agent's process: what of the caller's it may have, and what its profile says; no secret of that. */
export function environmentOf(
  environment: NodeJS.ProcessEnv,
  variables: readonly string[],
  plan: CredentialPlan | undefined,
): Readonly<Record<string, string>> {
  const open = withCredentials(childEnvironment(environment, variables), plan);
  const secrets = plan?.secrets ?? {};
  const reaching = Object.entries(reachingLoopback({ ...open, ...secrets }));
  return Object.fromEntries(reaching.filter(([name]) => !Object.hasOwn(secrets, name)));
}

/** Calls that were made already for a verb: agents that share a profile ask once, and so do two looks at one plan. */
export type Asked = Map<string, Promise<Smoke>>;

/** Does the endpoint take the credential? Asked only where that is not the CLI's own maker. */
export async function smokeOf(
  agent: Agent,
  { check, used }: Credential,
  provider: Provider,
  environment: Readonly<Record<string, string>>,
  asked: Asked,
): Promise<SmokeCheck> {
  const about = { agent_id: agent.id, profile: agent.profile?.name ?? null };
  if (!check.ok) return { ok: false, ...about, status: 'profile_invalid' };
  if (used?.credentials.mode !== 'compatible_api') return { ok: true, ...about, status: 'not_required' };
  const { found, credentials, plan } = used;
  const profile = parseProfile(found.text);
  if (smokeSwitchedOff(profile)) return { ok: true, ...about, status: 'skipped_by_profile' };
  const call = provider.credentials.smoke?.(credentials, credentials.model ?? '');
  if (!call) return { ok: true, ...about, status: 'unsupported_provider_smoke_skipped' };
  const { mode, variables } = networkOf(profile);
  const question = {
    call,
    environment: { ...environment, ...plan.secrets },
    fromProfile: Object.keys(variables),
    mode,
    file: found.file,
    secrets: [credentials.key, ...Object.values(plan.secrets)],
  };
  const key = JSON.stringify([call, mode, variables]);
  const answer = asked.get(key) ?? smoke(question);
  asked.set(key, answer);
  return { ...about, ...(await answer) };
}

/** Why an agent cannot be started with its profile. `documents` is the folder of its team's, `command` what was typed. */
export function refuseProfile(check: ProfileCheck, documents: string, command: string): Refusal | undefined {
  if (check.ok) return undefined;
  return refuse(
    check.reason ?? 'profile_invalid',
    `${check.agent_id} cannot be started with the profile ${check.profile}: ${check.suggestion}.`,
    { evidence: { ...check }, next: [doctorOf(check, documents), command] },
  );
}

/** The same when its endpoint said no. */
export function refuseSmoke(check: SmokeCheck, documents: string, command: string): Refusal | undefined {
  if (check.ok) return undefined;
  const said = check.http_status === undefined ? check.reason : `${check.reason} ${check.http_status}`;
  const detail = check.detail === undefined ? '' : ` (${check.detail})`;
  return refuse(
    'smoke_failed',
    `${check.agent_id}: the endpoint ${check.endpoint} of the profile ${check.profile} was asked and failed: ${said}${detail}. What helps: ${check.suggestion}.`,
    { evidence: { ...check }, next: [`${doctorOf(check, documents)} --smoke`, command] },
  );
}

/** A folder of documents is known by its name below `.team/`, elsewhere by its path. */
function doctorOf({ profile }: { readonly profile: string | null }, documents: string): string {
  const team = path.basename(path.dirname(documents)) === '.team' ? path.basename(documents) : documents;
  return `team-agent profile doctor ${shellWord(profile ?? 'NAME')} --team ${shellWord(team)}`;
}

/** What the profiles of agents and their endpoints say, an entry per agent each. Changes nothing; nothing secret is in it. */
export async function checkProfiles(
  agents: readonly Agent[],
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly profiles: readonly ProfileCheck[]; readonly smoke: readonly SmokeCheck[] } | Refusal> {
  const asked: Asked = new Map();
  const profiles: ProfileCheck[] = [];
  const calls: Promise<SmokeCheck>[] = [];
  for (const agent of agents) {
    const provider = findProvider(agent.provider);
    if (isRefusal(provider)) return provider;
    const credential = readCredential(agent, provider, '');
    profiles.push(credential.check);
    const own = environmentOf(environment, provider.variables, credential.used?.plan);
    calls.push(smokeOf(agent, credential, provider, own, asked));
  }
  return { profiles, smoke: await Promise.all(calls) };
}
