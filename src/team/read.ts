import fs from 'node:fs';
import path from 'node:path';
import { isRefusal, type Refusal, refuse } from '../kernel/index.ts';
import { compileTeam, TEAM_DOCUMENT } from './compile.ts';
import { hasFrontMatter } from './front-matter.ts';
import { documentRefusal, type Problem } from './problems.ts';
import { findProfile, profileFolders } from './profiles/store.ts';
import type { ProviderNames, Surroundings, Team, TeamFile } from './shape.ts';

interface ReadOptions {
  /** The team's name when TEAM.md gives none. */
  readonly fallbackName: string;
  readonly providers: ProviderNames;
  /** The project; when absent, the folder that holds the team folder, or that holds its `.team/`. */
  readonly workspace?: string;
}

/**
 * Reads and compiles a team folder: TEAM.md and `agents/*.md`. Without `agents/` every `*.md` with a head that lies
 * directly in the folder is a role document. Refuses with `team_directory_missing`, or with all that is wrong in the
 * documents.
 */
export function readTeam(folder: string, options: ReadOptions): Team | Refusal {
  const absolute = path.resolve(folder);
  if (kindOf(absolute) !== 'folder') {
    return refuse('team_directory_missing', `${absolute} is not a folder: there are no team documents to read.`, {
      evidence: { folder: absolute },
      next: ['team-agent demo'],
    });
  }
  const files = readDocuments(absolute);
  if (isRefusal(files)) return files;
  const workspace = path.resolve(options.workspace ?? workspaceOf(absolute));
  const { fallbackName, providers } = options;
  const profile: Surroundings['profile'] = (team, name) => findProfile(profileFolders(absolute, workspace, team), name);
  return compileTeam(files, { folder: absolute, workspace, fallbackName, providers, profile, kindOf });
}

function workspaceOf(folder: string): string {
  const parent = path.dirname(folder);
  return path.basename(parent) === '.team' ? path.dirname(parent) : parent;
}

function readDocuments(folder: string): TeamFile[] | Refusal {
  const inAgents = documentsIn(folder, 'agents');
  const paths = [
    ...(kindOf(path.join(folder, TEAM_DOCUMENT)) === 'file' ? [TEAM_DOCUMENT] : []),
    ...(inAgents.length > 0 ? inAgents : documentsIn(folder, '.').filter((name) => name !== TEAM_DOCUMENT)),
  ];
  const problems: Problem[] = [];
  const files = paths.flatMap((name) => {
    const text = decode(fs.readFileSync(path.join(folder, name)));
    if (text === undefined) problems.push(notText(name));
    return text === undefined ? [] : [{ path: name, text }];
  });
  if (problems.length > 0) return documentRefusal(folder, problems);
  // A file beside TEAM.md is a role document only when it has a head; in agents/ every file is one.
  return files.filter(({ path: name, text }) => name.includes('/') || name === TEAM_DOCUMENT || hasFrontMatter(text));
}

function documentsIn(folder: string, below: string): string[] {
  const parent = path.join(folder, below);
  if (kindOf(parent) !== 'folder') return [];
  return fs
    .readdirSync(parent)
    .filter((name) => name.endsWith('.md') && !name.startsWith('.') && kindOf(path.join(parent, name)) === 'file')
    .map((name) => (below === '.' ? name : `${below}/${name}`));
}

function notText(file: string): Problem {
  const message = 'this file is not UTF-8 text; save it as UTF-8';
  return { kind: 'team_document_invalid', file, line: 1, key: 'encoding', message };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** What stands at a path, links followed. */
function kindOf(place: string): 'file' | 'folder' | 'nothing' {
  const found = fs.statSync(place, { throwIfNoEntry: false });
  if (found?.isDirectory()) return 'folder';
  return found?.isFile() ? 'file' : 'nothing';
}
