import { type AuthMode, allCredentialNames, type CredentialNames } from '../../providers/index.ts';
import type { FoundProfile } from '../shape.ts';
import { presentKeys } from './check.ts';
import { firstOf, modeOf, NEEDED, type Profile, parseProfile } from './file.ts';
import { faultsOf, isSecretKey, type ShownValue, shownValue } from './values.ts';

/** What anybody may know of a profile: never a value that could be a secret. */
interface Inspected {
  readonly ok: true;
  readonly profile: string;
  readonly path: string;
  readonly template_path: string;
  /** False: only its template is there. */
  readonly credential_present: boolean;
  readonly auth_mode: string | null;
  readonly secret_values_printed: false;
  readonly safe_for_agent_context: true;
}

export interface ProfileShown extends Inspected {
  readonly values: Readonly<Record<string, ShownValue>>;
  /** Keys that its auth mode usually has, and that have no value. */
  readonly missing_common: readonly string[];
}

export interface ProfileDiagnosis extends Inspected {
  readonly keys_present: readonly string[];
  readonly secret_keys_present: readonly string[];
  readonly missing_required: readonly string[];
  /** What no agent could use, with the line or the key. */
  readonly faults: readonly string[];
  /** False: others than its owner may read it. */
  readonly private: boolean;
  /** By which rule values are kept back: only those of known keys are ever shown. */
  readonly redaction_engine: 'allow_list';
  readonly suggestion?: string;
}

/** Where a profile lies. */
export interface ProfilePlace {
  readonly name: string;
  readonly real: string;
  readonly example: string;
}

/** Shows a profile without its secrets. Pure. */
export function showProfile(place: ProfilePlace, found: FoundProfile): ProfileShown {
  const profile = parseProfile(found.text);
  const mode = writtenMode(profile);
  return {
    ...inspected(place, found, mode),
    values: Object.fromEntries([...profile.values].map(([key, value]) => [key, shownValue(key, value)])),
    missing_common: missingOf(profile, mode, ['MODEL']),
  };
}

/** Says what a profile still lacks before an agent can use it. Pure. `mode` is that of its file, such as 0o600. */
export function diagnoseProfile(place: ProfilePlace, found: FoundProfile, mode: number): ProfileDiagnosis {
  const profile = parseProfile(found.text);
  const written = writtenMode(profile);
  const present = presentKeys(profile);
  const facts = {
    missing_required: missingOf(profile, written, []),
    faults: [
      ...profile.faults.map(({ line, message }) => `${found.file}:${line}: ${message}`),
      ...faultsOf(profile).map(({ key, message }) => `${key} ${message}`),
    ],
    private: (mode & 0o077) === 0,
  };
  const suggestion = suggestionFor(place, found, written, facts);
  return {
    ...inspected(place, found, written),
    keys_present: present,
    secret_keys_present: present.filter(isSecretKey),
    ...facts,
    redaction_engine: 'allow_list',
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function inspected({ name, real, example }: ProfilePlace, found: FoundProfile, mode: AuthMode | undefined): Inspected {
  return {
    ok: true,
    profile: name,
    path: real,
    template_path: example,
    credential_present: !found.example,
    auth_mode: mode ?? null,
    secret_values_printed: false,
    safe_for_agent_context: true,
  };
}

function writtenMode(profile: Profile): AuthMode | undefined {
  const mode = modeOf(profile);
  return mode === 'unknown' ? undefined : mode;
}

/** Values that are missing, whichever CLI will use it. */
function missingOf(profile: Profile, mode: AuthMode | undefined, also: readonly string[]): string[] {
  if (mode === undefined || mode === 'subscription') return [];
  const names: CredentialNames = allCredentialNames();
  const spellings: Readonly<Record<string, readonly string[]>> = {
    BASE_URL: names.baseUrl,
    API_KEY: names.key[mode],
    MODEL: names.model,
  };
  return [...NEEDED[mode], ...also].filter((key) => firstOf(profile, spellings[key] ?? [key]) === undefined);
}

function suggestionFor(
  { real, example }: ProfilePlace,
  found: FoundProfile,
  mode: AuthMode | undefined,
  facts: Pick<ProfileDiagnosis, 'missing_required' | 'faults' | 'private'>,
): string | undefined {
  if (found.example) return `only the template is there: cp ${example} ${real}, chmod 600 it, and fill it in`;
  if (!facts.private) return `others may read it: chmod 600 ${real}`;
  if (mode === undefined) return `write AUTH_MODE=subscription, official_api or compatible_api into ${real}`;
  const [fault] = facts.faults;
  if (fault !== undefined) return fault;
  return facts.missing_required.length === 0 ? undefined : `fill in ${facts.missing_required.join(', ')} in ${real}`;
}
