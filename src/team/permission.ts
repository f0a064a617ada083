import type { PermissionMode } from '../providers/index.ts';

/** How documents may write a permission mode: our words, those of Claude Code, and `restricted` for `manual`. */
const PERMISSIONS = {
  restricted: 'manual',
  manual: 'manual',
  plan: 'plan',
  accept_edits: 'accept_edits',
  acceptEdits: 'accept_edits',
  auto: 'auto',
  bypass: 'bypass',
  bypassPermissions: 'bypass',
} as const satisfies Readonly<Record<string, PermissionMode>>;
export type PermissionWord = keyof typeof PERMISSIONS;
export const PERMISSION_WORDS = Object.keys(PERMISSIONS) as [PermissionWord, ...PermissionWord[]];

/** The two lines of a document that say how far an agent may go: `dangerous_auto_approve: true` is `bypass` by another name. */
export interface PermissionLines {
  readonly permission_mode?: PermissionWord | undefined;
  readonly dangerous_auto_approve?: boolean | undefined;
}

/** The permission mode of an agent: what its own document says, else what its team's does, else `manual`. */
export function permissionOf(own: PermissionLines, team: PermissionLines): PermissionMode {
  const said = saidBy(own);
  if (said !== undefined) return said;
  const inherited = saidBy(team) ?? 'manual';
  // Who says no to bypass keeps every other mode of the team.
  return inherited === 'bypass' && own.dangerous_auto_approve === false ? 'manual' : inherited;
}

function saidBy({ permission_mode: word, dangerous_auto_approve }: PermissionLines): PermissionMode | undefined {
  if (dangerous_auto_approve) return 'bypass';
  return word === undefined ? undefined : PERMISSIONS[word];
}

/** What is wrong with `permission_mode` beside `dangerous_auto_approve`: nobody can tell which of the two is meant. */
export function contradictionIn({
  permission_mode: word,
  dangerous_auto_approve,
}: PermissionLines): string | undefined {
  if (word === undefined || dangerous_auto_approve === undefined) return undefined;
  if (dangerous_auto_approve === (PERMISSIONS[word] === 'bypass')) return undefined;
  const instead = dangerous_auto_approve ? 'write bypass, or remove' : 'remove';
  return `${JSON.stringify(word)} is not what dangerous_auto_approve: ${dangerous_auto_approve} asks for; ${instead} one of the two lines`;
}
