import fs from 'node:fs';
import path from 'node:path';
import { isRefusal, type Refusal, refuse } from '../../../kernel/reasons.ts';
import { shellWord } from '../../../kernel/text.ts';
import type { AuthMode } from '../../../providers/index.ts';
import type { ProfileShown, TeamPlace } from '../../../team/index.ts';
import type { Context } from '../../context.ts';
import { oneOf, usage } from '../../flags.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import {
  type Diagnosis,
  diagnosisLines,
  type ProfileInitAnswer,
  profileMadeLines,
  profileShownLines,
} from '../../rendering/profiles.ts';
import { findWorkspace } from '../../workspace.ts';

const team = () => import('../../../team/index.ts');

/** Makes a blank profile that a person fills in. What is there stays as it is. */
export async function init(
  context: Context,
  name: string,
  { authMode }: { readonly authMode?: string },
): Promise<Outcome> {
  const { AUTH_MODES } = await import('../../../providers/index.ts');
  const forms = AUTH_MODES.map((word) => `team-agent profile init ${shellWord(name)} --auth-mode ${word}`);
  const mode = oneOf('--auth-mode', authMode, AUTH_MODES);
  if (isRefusal(mode)) return refused({ ...mode, next: forms });
  if (mode === undefined) return refused(usage('profile init needs --auth-mode.', forms));
  return outcomeOf(await made(context, name, mode), profileMadeLines);
}

async function made(context: Context, name: string, mode: AuthMode): Promise<ProfileInitAnswer | Refusal> {
  const { filesOfProfile, futureTeamFolder, initProfile, modeOf, parseProfile, readProfile } = await team();
  if (context.environment.TEAM_AGENT_ID) return mayNot();
  const place = await placeOf(context, name, `profile init ${shellWord(name)} --auth-mode ${mode}`, futureTeamFolder);
  if (isRefusal(place)) return place;
  const [folder = place.folder] = place.profiles;
  const { real, example } = filesOfProfile(folder, name);
  const there = readProfile(real);
  const written = there && modeOf(parseProfile(there.text));
  const shows = `team-agent profile show ${shellWord(name)} --team ${shellWord(place.team)}`;
  if (written !== undefined && written !== mode) {
    return refuse('auth_mode_mismatch', `${real} is there, for the auth mode ${written}. Nothing was changed.`, {
      evidence: { profile: name, path: real, asked: mode, file_auth_mode: written },
      next: [shows],
    });
  }
  const created = initProfile(folder, name, mode);
  return {
    ok: true,
    profile: name,
    auth_mode: mode,
    path: real,
    template_path: example,
    created_profile: created.profile,
    created_template: created.template,
    secret_written: false,
    safe_inspection_command: shows,
    raw_file_read_allowed_for_agents: false,
    instruction: `Fill in ${real} in an editor of your own, and write profile: ${name} and auth_mode: ${mode} into the role document.`,
  };
}

/** Shows a profile without its secrets. */
export async function show(context: Context, name: string): Promise<Outcome> {
  const { showProfile } = await team();
  return outcomeOf<ProfileShown>(await looked(context, 'show', name, showProfile), profileShownLines);
}

/** Says what a profile still lacks; with `smoke`, also what its endpoint says. */
export async function doctor(
  context: Context,
  name: string,
  { smoke = false }: { readonly smoke?: boolean },
): Promise<Outcome> {
  const { diagnoseProfile } = await team();
  const diagnosis = await looked(context, 'doctor', name, (place, found) =>
    diagnoseProfile(place, found, fs.statSync(found.file).mode),
  );
  if (!smoke || isRefusal(diagnosis)) return outcomeOf<Diagnosis>(diagnosis, diagnosisLines);
  const asked = await askEndpoints(context, name);
  if (isRefusal(asked)) return refused(asked);
  const ok = [...asked.profiles, ...asked.smoke].every((check) => check.ok);
  return outcomeOf<Diagnosis>({ ...diagnosis, ...asked, ok }, diagnosisLines);
}

/** What every agent that uses the profile would be told at its start. */
async function askEndpoints(context: Context, name: string) {
  const [{ findTeamFolder }, { checkProfiles, readDocuments }] = await Promise.all([
    team(),
    import('../../../lifecycle/index.ts'),
  ]);
  const workspace = findWorkspace(context, 'read');
  if (isRefusal(workspace)) return workspace;
  const place = findTeamFolder(workspace, context.globals.team, `team-agent profile doctor ${shellWord(name)} --smoke`);
  if (isRefusal(place)) return place;
  const documents = readDocuments(workspace, { folder: place.folder });
  if (isRefusal(documents)) return documents;
  const users = documents.agents.filter(({ profile }) => profile?.name === name);
  return checkProfiles(users, context.environment);
}

type Look<Answer> = (
  place: { readonly name: string; readonly real: string; readonly example: string },
  found: { readonly file: string; readonly text: string; readonly example: boolean },
) => Answer;

async function looked<Answer>(
  context: Context,
  verb: 'show' | 'doctor',
  name: string,
  look: Look<Answer>,
): Promise<Answer | Refusal> {
  const { filesOfProfile, findProfile, findTeamFolder } = await team();
  const place = await placeOf(context, name, `profile ${verb} ${shellWord(name)}`, findTeamFolder);
  if (isRefusal(place)) return place;
  const found = findProfile(place.profiles, name);
  const folder = found ? path.dirname(found.file) : (place.profiles[0] ?? place.folder);
  const files = filesOfProfile(folder, name);
  if (found) return look({ name, ...files }, found);
  const others = fs.existsSync(folder)
    ? fs.readdirSync(folder).flatMap((file) => /^([^.]+)\.env$/.exec(file)?.[1] ?? [])
    : [];
  const words = `--team ${shellWord(place.team)}`;
  return refuse('profile_missing', `There is no profile ${name} in ${folder}.`, {
    evidence: { profile: name, path: files.real, credential_present: false, profiles: others },
    next: [
      ...others.map((other) => `team-agent profile ${verb} ${shellWord(other)} ${words}`),
      `team-agent profile init ${shellWord(name)} --auth-mode compatible_api ${words}`,
    ],
  });
}

async function placeOf(
  context: Context,
  name: string,
  command: string,
  find: (workspace: string, wanted: string | undefined, command: string) => TeamPlace | Refusal,
): Promise<TeamPlace | Refusal> {
  const { isProfileName } = await team();
  if (!isProfileName(name)) {
    return refuse(
      'profile_name_invalid',
      `${JSON.stringify(name)} cannot be a profile: write 1 to 64 of A-Z a-z 0-9 _ -.`,
      {
        evidence: { profile: name },
        next: ['team-agent profile init kimi --auth-mode compatible_api'],
      },
    );
  }
  const workspace = findWorkspace(context, 'read');
  return isRefusal(workspace) ? workspace : find(workspace, context.globals.team, `team-agent ${command}`);
}

function mayNot(): Refusal {
  return refuse('worker_may_not', 'Credentials are made by a person, not by an agent.', {
    next: ['team-agent profile --help'],
  });
}
