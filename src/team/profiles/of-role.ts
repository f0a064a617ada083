import type { TeamId } from '../../kernel/index.ts';
import type { AuthMode, CredentialNames } from '../../providers/index.ts';
import { shown } from '../fields.ts';
import type { ProblemKind } from '../problems.ts';
import type { RoleFields, TeamFields } from '../schema.ts';
import type { FoundProfile, ProfileSpec } from '../shape.ts';
import { firstOf, parseProfile } from './file.ts';

/** The profiles of a team. */
export interface TeamProfiles {
  /** Undefined when its name is none. */
  readonly team: TeamId | undefined;
  readonly find: (name: string) => FoundProfile | undefined;
}

/** What the documents of an agent say of its credential; undefined when it has no profile. */
export function profileOfRole(
  fields: Pick<RoleFields, 'auth_mode' | 'profile' | 'model'>,
  team: Pick<TeamFields, 'default_auth_mode' | 'default_profile'>,
  provider: { readonly name: string; readonly credentials?: CredentialNames },
  { team: id, find }: TeamProfiles,
  fault: (kind: ProblemKind, key: 'auth_mode' | 'profile' | 'model', message: string) => void,
): { readonly profile: ProfileSpec; readonly hasModel: boolean } | undefined {
  const mode: AuthMode = fields.auth_mode ?? team.default_auth_mode ?? 'subscription';
  // Who says that it uses the login of its own CLI has no use for the profile of the others.
  const name = fields.profile ?? (fields.auth_mode === 'subscription' ? undefined : team.default_profile);
  if (name === undefined) {
    if (mode !== 'subscription')
      fault('team_document_invalid', 'auth_mode', `${mode} needs a profile; ${make('NAME', mode, id)}`);
    return undefined;
  }
  const found = find(name);
  if (!found) {
    fault('profile_missing', 'profile', `there is no profile ${shown(name)}; ${make(name, mode, id)}`);
    return undefined;
  }
  const profile = { name, mode, file: found.file };
  const model = mode === 'compatible_api' ? modelIn(found, provider) : undefined;
  if (model !== undefined && fields.model !== undefined && fields.model !== model) {
    const message = `${shown(fields.model)} is not the model of the profile ${name}, ${shown(model)}; remove one of the two`;
    fault('model_mismatch', 'model', message);
  }
  return { profile, hasModel: model !== undefined };
}

function modelIn(
  { text }: FoundProfile,
  { credentials }: { readonly credentials?: CredentialNames },
): string | undefined {
  return firstOf(parseProfile(text), credentials?.model ?? ['MODEL']);
}

function make(name: string, mode: AuthMode, team: TeamId | undefined): string {
  const which = team === undefined ? '' : ` --team ${team}`;
  return `write profile: ${name} and run team-agent profile init ${name} --auth-mode ${mode}${which}`;
}
