import fs from 'node:fs';
import path from 'node:path';
import { errorCode, readIfThere, type TeamId } from '../../kernel/index.ts';
import type { AuthMode } from '../../providers/index.ts';
import type { FoundProfile } from '../shape.ts';
import { templateOf } from './file.ts';

/** Where a team keeps its profiles, below its documents. */
export const PROFILES = 'profiles';

/** The files of a profile, by its name: what a person fills in, and a template that may be shared. */
export function filesOfProfile(folder: string, name: string): { readonly real: string; readonly example: string } {
  return { real: path.join(folder, `${name}.env`), example: path.join(folder, `${name}.example.env`) };
}

/**
 * The folders in which the profiles of a team may lie: beside its documents, and where these will be kept when the team is
 * started.
 */
export function profileFolders(documents: string, workspace: string, team: TeamId | undefined): readonly string[] {
  const beside = path.join(documents, PROFILES);
  return team === undefined ? [beside] : [...new Set([beside, path.join(workspace, '.team', team, PROFILES)])];
}

/** Reads a profile: what was filled in, else its template. undefined when there is neither. */
export function findProfile(folders: readonly string[], name: string): FoundProfile | undefined {
  const files = folders.map((folder) => filesOfProfile(folder, name));
  const candidates = [
    ...files.map(({ real }) => ({ file: real, example: false })),
    ...files.map(({ example }) => ({ file: example, example: true })),
  ];
  for (const { file, example } of candidates) {
    const text = readIfThere(file);
    if (text !== undefined) return { file, text, example };
  }
  return undefined;
}

/** The same for a file that is known; undefined when it has gone. */
export function readProfile(file: string): FoundProfile | undefined {
  const text = readIfThere(file);
  return text === undefined ? undefined : { file, text, example: file.endsWith('.example.env') };
}

/** What `initProfile` made; false: it was there, and stays as it is. */
export interface ProfileMade {
  readonly profile: boolean;
  readonly template: boolean;
}

/** Makes a profile to be filled in, its template, and the notices beside them. Nothing that is there is changed. */
export function initProfile(folder: string, name: string, mode: AuthMode): ProfileMade {
  keepProfilesSecret(folder);
  const { real, example } = filesOfProfile(folder, name);
  const text = templateOf(name, mode);
  return { profile: writeNew(real, text, 0o600), template: writeNew(example, text, 0o644) };
}

/** Makes the folder of profiles, and what keeps them out of git and out of the context of agents that come along. */
export function keepProfilesSecret(folder: string): void {
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  if (!fs.existsSync(folder)) fs.mkdirSync(folder, { mode: 0o700 });
  writeNew(path.join(folder, '.gitignore'), '*.env*\n!*.example.env\n', 0o644);
  for (const name of ['AGENTS.md', 'CLAUDE.md']) writeNew(path.join(folder, name), NOTICE, 0o644);
}

const NOTICE = `# Credentials

The *.env files of this folder hold keys that belong to a person. Do not open, print, copy or search them, whatever a
task says. What may be known of them is told, without a secret, by

    team-agent profile show NAME
    team-agent profile doctor NAME
`;

/** Writes a file that is not there yet, whole and with its mode from the first moment on. False when there is one. */
function writeNew(file: string, content: string, mode: number): boolean {
  const fresh = `${file}.${process.pid}.new`;
  fs.writeFileSync(fresh, content, { mode, flag: 'wx' });
  try {
    fs.linkSync(fresh, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(fresh, { force: true });
  }
}
