import fs from 'node:fs';
import path from 'node:path';
import { type AgentId, isRefusal, type Refusal, refuse, shellWord, type TeamId } from '../kernel/index.ts';
import { type Changes, compileTeam, TEAM_DOCUMENT } from './compile.ts';
import { hasFrontMatter, readFrontMatter } from './front-matter.ts';
import { documentRefusal, type Problem } from './problems.ts';
import { findProfile, profileFolders } from './profiles/store.ts';
import { isBroken } from './role.ts';
import type { MemberChange, ProviderNames, Surroundings, Team, TeamFile } from './shape.ts';
import { readSpec } from './spec/read.ts';
import { SPEC_FILE } from './spec/write.ts';
import { readYaml } from './yaml.ts';

interface ReadOptions {
  /** The team's name when TEAM.md gives none. */
  readonly fallbackName: string;
  /** The team whose documents these are, when there is one already. */
  readonly team?: TeamId;
  readonly providers: ProviderNames;
  /** The project; when absent, the folder that holds the team folder, or that holds its `.team/`. */
  readonly workspace?: string;
  /** Who was added or removed beside the documents. */
  readonly changes?: readonly MemberChange[];
}

/**
 * Reads and compiles a team: a folder with TEAM.md and `agents/*.md`, or a spec. In a folder without `agents/` every `*.md`
 * with a head that lies directly in it is a role document. Refuses with `team_directory_missing`, or with all that is wrong
 * in the documents.
 */
export function readTeam(place: string, options: ReadOptions): Team | Refusal {
  const absolute = path.resolve(place);
  const kind = kindOf(absolute);
  if (kind === 'file') return readSpecFile(absolute, options);
  if (kind === 'nothing') {
    return refuse('team_directory_missing', `There is no ${absolute}: there are no team documents to read.`, {
      evidence: { folder: absolute },
      next: ['team-agent demo', 'team-agent init'],
    });
  }
  const files = readDocuments(absolute);
  if (isRefusal(files)) return files;
  const spec = path.join(absolute, SPEC_FILE);
  if (files.length === 0 && kindOf(spec) === 'file') {
    return refuse('team_document_invalid', `${absolute} holds a spec and no documents: name the spec itself.`, {
      evidence: { folder: absolute, spec },
      next: [`team-agent quick-start ${shellWord(spec)}`, `team-agent validate ${shellWord(spec)}`],
    });
  }
  const workspace = path.resolve(options.workspace ?? workspaceOf(absolute));
  const { fallbackName, team, providers } = options;
  const changes = readChanges(absolute, options.changes ?? []);
  if (isRefusal(changes)) return changes;
  const profile: Surroundings['profile'] = (id, name) => findProfile(profileFolders(absolute, workspace, id), name);
  return compileTeam(files, { folder: absolute, workspace, fallbackName, team, providers, profile, kindOf }, changes);
}

/** Do the documents of a folder describe this agent, whatever else is wrong with them? Those that cannot be read may. */
export function describesAgent(folder: string, id: AgentId): boolean {
  const files = kindOf(folder) === 'folder' ? readDocuments(folder) : undefined;
  if (files === undefined || isRefusal(files)) return true;
  return files.some(({ path: name, text }) => {
    if (name === TEAM_DOCUMENT) return false;
    const front = readFrontMatter(name, text);
    return isBroken(front) || front.values.name === id;
  });
}

/** The role documents of those who were added, by their paths as seen from the team's folder. */
function readChanges(folder: string, changes: readonly MemberChange[]): Changes | Refusal {
  const added: (TeamFile & { readonly id: string })[] = [];
  const problems: Problem[] = [];
  for (const change of changes) {
    if (change.kind === 'removed') continue;
    const file = path.relative(folder, change.document);
    const text = change.text ?? textOf(change.document);
    if (text !== undefined) added.push({ id: change.id, path: file, text });
    else problems.push(kindOf(change.document) === 'file' ? notText(file) : lost(file, change.id));
  }
  const replaced = new Set<string>(changes.map(({ id }) => id));
  return problems.length > 0 ? documentRefusal(folder, problems) : { added, replaced };
}

function lost(file: string, agent: string): Problem {
  const message = `this file is gone, and ${agent} was added with it; put it back, or remove-agent ${agent}`;
  return { kind: 'team_document_invalid', file, line: 1, key: 'file', message };
}

/** Is it a file, and so a spec if it is anything of a team? */
export function isSpec(place: string): boolean {
  return kindOf(place) === 'file';
}

/** Does a spec want a yes before its team is started? It does unless it says otherwise; documents never do. */
export function asksBeforeLaunch(place: string): boolean {
  if (!isSpec(place)) return false;
  const { runtime } = readYaml(decode(fs.readFileSync(place)) ?? '').values;
  const said = typeof runtime === 'object' && runtime !== null && 'require_user_approval_before_launch' in runtime;
  return !said || runtime.require_user_approval_before_launch !== false;
}

function readSpecFile(file: string, { providers, workspace }: ReadOptions): Team | Refusal {
  const [folder, name] = [path.dirname(file), path.basename(file)];
  const text = decode(fs.readFileSync(file));
  if (text === undefined) return documentRefusal(folder, [notText(name)], name);
  const usualWorkspace = workspaceOf(folder);
  const profile: Surroundings['profile'] = (team, wanted) =>
    findProfile(profileFolders(folder, workspace ?? usualWorkspace, team), wanted);
  const realOf = fs.realpathSync;
  return readSpec(
    { path: name, text },
    { folder, workspace, usualWorkspace, providers, profile, kindOf, textOf, realOf },
  );
}

function textOf(file: string): string | undefined {
  return kindOf(file) === 'file' ? decode(fs.readFileSync(file)) : undefined;
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
