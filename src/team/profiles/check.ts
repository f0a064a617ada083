import { type Reason, shellWord } from '../../kernel/index.ts';
import type { AuthMode, CredentialNames, Credentials } from '../../providers/index.ts';
import { looksLikeSecret } from '../secrets.ts';
import type { AgentSpec, FoundProfile } from '../shape.ts';
import { firstOf, modeOf, type Profile, parseProfile } from './file.ts';
import { faultsOf } from './values.ts';

/** What can be said of the profile of an agent, without a secret. */
export interface ProfileCheck {
  readonly ok: boolean;
  readonly agent_id: string;
  readonly provider: string;
  readonly profile: string | null;
  readonly auth_mode: AuthMode;
  readonly path: string | null;
  readonly credential_present: boolean;
  readonly keys_present: readonly string[];
  readonly missing_required: readonly string[];
  readonly effective_model: string | null;
  readonly model_source: 'role' | 'profile' | null;
  readonly reason?: Extract<
    Reason,
    'profile_missing' | 'profile_invalid' | 'auth_mode_mismatch' | 'profile_required_values_missing'
  >;
  readonly suggestion?: string;
  /** The mode that the profile says it is for, when that is another one. */
  readonly file_auth_mode?: string;
  readonly secret_values_printed: false;
}

type Agent = Pick<AgentSpec, 'id' | 'provider' | 'model' | 'profile'>;

/** Can an agent be started with its profile as it lies there now? Pure: `found` is that file, read. */
export function checkProfile(agent: Agent, found: FoundProfile | undefined, names: CredentialNames): ProfileCheck {
  const profile: Profile = found ? parseProfile(found.text) : { values: new Map(), faults: [] };
  const written = firstOf(profile, names.model);
  // A key that stands in the wrong line is not told either.
  const own = written === undefined || looksLikeSecret(written) ? undefined : written;
  const model = agent.model ?? own ?? null;
  const missing = missingIn(profile, agent, names, model);
  const wrong = whatIsWrong(agent, found, profile, missing);
  return {
    ok: wrong === undefined,
    agent_id: agent.id,
    provider: agent.provider,
    profile: agent.profile?.name ?? null,
    auth_mode: agent.profile?.mode ?? 'subscription',
    path: found?.file ?? null,
    credential_present: found !== undefined && !found.example,
    keys_present: presentKeys(profile),
    missing_required: missing,
    effective_model: model,
    model_source: agent.model !== null ? 'role' : own !== undefined ? 'profile' : null,
    ...wrong,
    secret_values_printed: false,
  };
}

/** The keys of a profile that have a value. */
export function presentKeys({ values }: Pick<Profile, 'values'>): string[] {
  return [...values].flatMap(([key, value]) => (value === '' ? [] : [key])).sort();
}

function missingIn(profile: Profile, { profile: spec }: Agent, names: CredentialNames, model: string | null): string[] {
  if (!spec || spec.mode === 'subscription') return [];
  const needed: [string, boolean][] = [
    ['BASE_URL', spec.mode === 'official_api' || firstOf(profile, names.baseUrl) !== undefined],
    ['API_KEY', firstOf(profile, names.key[spec.mode]) !== undefined],
    ['MODEL', spec.mode === 'official_api' || model !== null],
  ];
  return needed.flatMap(([key, there]) => (there ? [] : [key]));
}

function whatIsWrong(
  { profile: spec }: Agent,
  found: FoundProfile | undefined,
  profile: Profile,
  missing: readonly string[],
): Pick<ProfileCheck, 'reason' | 'suggestion' | 'file_auth_mode'> | undefined {
  if (!spec) return undefined;
  const file = shellWord(spec.file);
  if (!found) return { reason: 'profile_missing', suggestion: `${file} is not there any more` };
  if (found.example && spec.mode !== 'subscription') {
    const real = shellWord(spec.file.replace(/\.example\.env$/, '.env'));
    return {
      reason: 'profile_missing',
      suggestion: `only its template is there: cp ${file} ${real}, chmod 600 it and fill it in`,
    };
  }
  const written = modeOf(profile);
  if (written !== undefined && written !== spec.mode) {
    const suggestion = `write AUTH_MODE=${spec.mode} into ${file}`;
    if (written === 'unknown') return { reason: 'auth_mode_mismatch', suggestion, file_auth_mode: written };
    const either = `${file} is for ${written}: write auth_mode: ${written} into the role document, or AUTH_MODE=${spec.mode} into the profile`;
    return { reason: 'auth_mode_mismatch', suggestion: either, file_auth_mode: written };
  }
  const [unreadable] = profile.faults;
  if (unreadable) return { reason: 'profile_invalid', suggestion: `${file}:${unreadable.line}: ${unreadable.message}` };
  const [unusable] = faultsOf(profile);
  if (unusable) return { reason: 'profile_invalid', suggestion: `${file}: ${unusable.key} ${unusable.message}` };
  if (missing.length === 0) return undefined;
  return { reason: 'profile_required_values_missing', suggestion: `fill in ${missing.join(', ')} in ${file}` };
}

/** The credential of a profile that was checked; undefined when the agent uses the login of its own CLI. */
export function credentialsOf(
  { profile: spec, model }: Agent,
  found: FoundProfile,
  names: CredentialNames,
): Credentials | undefined {
  if (!spec || spec.mode === 'subscription') return undefined;
  const profile = parseProfile(found.text);
  const optional = {
    baseUrl: firstOf(profile, names.baseUrl),
    model: model ?? firstOf(profile, names.model),
    modelProvider: firstOf(profile, ['MODEL_PROVIDER']),
    providerName: firstOf(profile, ['PROVIDER_NAME']),
    wireApi: firstOf(profile, ['WIRE_API'])?.toLowerCase(),
    apiVersion: firstOf(profile, ['ANTHROPIC_VERSION']),
  };
  return {
    mode: spec.mode,
    file: found.file,
    key: firstOf(profile, names.key[spec.mode]) ?? '',
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}
