import type { SmokeCheck } from '../../lifecycle/index.ts';
import type { AuthMode } from '../../providers/index.ts';
import type { ProfileCheck, ProfileDiagnosis, ProfileShown } from '../../team/index.ts';
import type { Look } from './look.ts';
import { type Cell, table } from './table.ts';
import { wrap } from './width.ts';

/** What `profile init` answers. Nothing in it is secret: a person fills the values in. */
export interface ProfileInitAnswer {
  readonly ok: true;
  readonly profile: string;
  readonly auth_mode: AuthMode;
  readonly path: string;
  readonly template_path: string;
  readonly created_profile: boolean;
  readonly created_template: boolean;
  readonly secret_written: false;
  readonly safe_inspection_command: string;
  readonly raw_file_read_allowed_for_agents: false;
  readonly instruction: string;
}

export function profileMadeLines(made: ProfileInitAnswer, look: Look): string[] {
  const { paint } = look;
  const became = (created: boolean): string => (created ? 'made' : 'was there, unchanged');
  return [
    `${paint.bold(made.profile)}  ${made.auth_mode}  profile ${became(made.created_profile)}, template ${became(made.created_template)}`,
    ...wrap(made.path, look.columns),
    '',
    ...wrap(made.instruction, look.columns),
    ...next(made.safe_inspection_command, look),
  ];
}

export function profileShownLines(shown: ProfileShown, look: Look): string[] {
  const rows = Object.entries(shown.values).map(([key, value]): Cell[] => [
    key,
    value.present
      ? value.redacted
        ? { text: '(kept back)', paint: ({ dim }) => dim }
        : value.value
      : { text: '(blank)', paint: ({ yellow }) => yellow },
  ]);
  return [
    ...headOf(shown, look),
    ...table(
      [
        { head: 'key', least: 8 },
        { head: 'value', least: 12 },
      ],
      rows,
      look,
    ),
    ...(shown.missing_common.length === 0
      ? []
      : ['', `${look.paint.yellow('missing:')} ${shown.missing_common.join(', ')}`]),
  ];
}

/** A diagnosis, with what the endpoint said to each agent that uses the profile when that was asked for. */
export interface Diagnosis extends Omit<ProfileDiagnosis, 'ok'> {
  readonly ok: boolean;
  readonly profiles?: readonly ProfileCheck[];
  readonly smoke?: readonly SmokeCheck[];
}

export function diagnosisLines(found: Diagnosis, look: Look): string[] {
  const list = (what: string, keys: readonly string[]): string[] =>
    keys.length === 0 ? [] : wrap(`${what}: ${keys.join(', ')}`, look.columns);
  const { suggestion } = found;
  return [
    ...headOf(found, look),
    ...list('present', found.keys_present),
    ...list('kept back', found.secret_keys_present),
    ...list('missing', found.missing_required),
    ...found.faults.flatMap((fault) => wrap(fault, look.columns).map(look.paint.red)),
    ...(suggestion === undefined && found.ok ? [look.paint.green('nothing stands in the way')] : []),
    ...(suggestion === undefined || found.faults.includes(suggestion)
      ? []
      : wrap(`what helps: ${suggestion}`, look.columns).map(look.paint.yellow)),
    ...(found.smoke ?? []).flatMap((check) => smokeLines(check, look)),
  ];
}

function smokeLines(
  { agent_id, ok, status, endpoint, http_status, reason, detail, suggestion }: SmokeCheck,
  look: Look,
) {
  const { paint } = look;
  const said = [reason, http_status, detail].filter((part) => part !== undefined).join(' ');
  return [
    `${paint.bold(agent_id)}  ${ok ? paint.green(status) : paint.red(status)}`,
    ...[endpoint, said, suggestion].flatMap((part) =>
      part ? wrap(part, look.columns - 2).map((line) => `  ${line}`) : [],
    ),
  ];
}

function headOf(profile: ProfileShown | Diagnosis, look: Look): string[] {
  const { paint } = look;
  const mode = profile.auth_mode ?? 'no auth mode';
  const file = profile.credential_present ? profile.path : profile.template_path;
  return [
    `${paint.bold(profile.profile)}  ${mode}${profile.credential_present ? '' : paint.yellow('  only a template')}`,
    ...wrap(file, look.columns).map(paint.dim),
    '',
  ];
}

function next(command: string, { paint }: Look): string[] {
  return [`${paint.dim('next:')} ${paint.bold(command)}`];
}
