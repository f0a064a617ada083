import { AUTH_MODES, type AuthMode } from '../../providers/index.ts';

/** A profile as it was read: what stands in it, and what in it could not be read. */
export interface Profile {
  readonly values: ReadonlyMap<string, string>;
  readonly faults: readonly ProfileFault[];
}

/** A line that says nothing. What stands on it is never repeated: it may be half a secret. */
export interface ProfileFault {
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

const ASSIGNMENT = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)$/;
const QUOTED = /^(["'])(.*)\1$/;

/**
 * Reads the text of an `.env` file: lines `KEY=VALUE`, `export` before them or not, one pair of quotes around a value, `#`
 * before a remark on a line of its own. The last of two equal keys counts. There are no escapes and no values of several lines.
 */
export function parseProfile(text: string): Profile {
  const values = new Map<string, string>();
  const faults: ProfileFault[] = [];
  for (const [index, whole] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = whole.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, key, written = ''] = ASSIGNMENT.exec(line) ?? [];
    if (key === undefined)
      faults.push({ line: index + 1, message: 'this is no KEY=VALUE; write one, or # before a remark' });
    else values.set(key, QUOTED.exec(written)?.[2] ?? written);
  }
  return { values, faults };
}

/** The first of these keys that has a value. */
export function firstOf({ values }: Pick<Profile, 'values'>, keys: readonly string[]): string | undefined {
  return keys.map((key) => values.get(key)).find((value) => value !== undefined && value !== '');
}

/** The auth mode that a profile says it is for; undefined when it says none. A word that is none is not repeated. */
export function modeOf(profile: Pick<Profile, 'values'>): AuthMode | 'unknown' | undefined {
  const written = firstOf(profile, ['AUTH_MODE']);
  if (written === undefined) return undefined;
  return AUTH_MODES.find((mode) => mode === written) ?? 'unknown';
}

/** The values that an auth mode needs, in the order of a template. */
export const NEEDED = {
  subscription: [],
  official_api: ['API_KEY'],
  compatible_api: ['BASE_URL', 'API_KEY'],
} as const satisfies Readonly<Record<AuthMode, readonly string[]>>;

/** A profile to be filled in by a person. */
export function templateOf(name: string, mode: AuthMode): string {
  const blanks = mode === 'subscription' ? [] : [...NEEDED[mode], 'MODEL'];
  return [
    `# The credential profile ${name}. Its values stay in this file: no agent reads it.`,
    `AUTH_MODE=${mode}`,
    `PROFILE_NAME=${name}`,
    ...blanks.map((key) => `${key}=`),
    '',
  ].join('\n');
}

/** What a profile can be called: it is part of a file's name. */
export const PROFILE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

export function isProfileName(name: string): boolean {
  return PROFILE_NAME.test(name);
}
