import fs from 'node:fs';
import path from 'node:path';
import { isRefusal, type Refusal, refuse, shellWord } from '../kernel/index.ts';
import { TEAM_DOCUMENT } from './compile.ts';
import { readFrontMatter } from './front-matter.ts';
import { keepProfilesSecret, PROFILES } from './profiles/store.ts';
import { isSpec } from './read.ts';
import { isBroken } from './role.ts';
import type { Team } from './shape.ts';
import { documentsOf, scriptBeside } from './spec/documents.ts';

/** One file of a team, by its path below the team's folder in `.team/`. */
export interface InstalledFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Of a file with secrets, 0600. */
  readonly mode?: number;
}

/** Where a team's documents are from now on, and which files were written there. */
export interface Installed {
  readonly ok: true;
  readonly folder: string;
  readonly written: readonly string[];
}

/**
 * What has to be written so that `folder` holds exactly these documents. Pure. A file that is there and equal stays; one
 * that differs, or a role document that the source does not have, is a refusal: nothing is ever overwritten.
 */
export function planInstall(
  folder: string,
  source: readonly InstalledFile[],
  present: readonly InstalledFile[],
): readonly InstalledFile[] | Refusal {
  const there = new Map(present.map((file) => [file.path, file.bytes]));
  const wanted = new Set(source.map((file) => file.path));
  const differing = source.filter(({ path: name, bytes }) => {
    const found = there.get(name);
    return found !== undefined && Buffer.compare(found, bytes) !== 0;
  });
  const foreign = present.filter(({ path: name }) => /^agents\/[^/]+\.md$/.test(name) && !wanted.has(name));
  const inTheWay = [...differing, ...foreign].map((file) => path.join(folder, file.path));
  if (inTheWay.length === 0) return source.filter((file) => !there.has(file.path));
  const first = inTheWay[0] ?? folder;
  const lines = [
    ...differing.map((file) => `${path.join(folder, file.path)} is there and differs.`),
    ...foreign.map((file) => `${path.join(folder, file.path)} is there, and the given documents have no such agent.`),
  ];
  return refuse(
    'team_document_invalid',
    `${lines.join('\n')}\nNothing was written. Start the team from ${folder}, or give the new one another name.`,
    {
      evidence: { folder, files: inTheWay },
      next: [`team-agent quick-start ${shellWord(folder)}`, `ls -l ${shellWord(first)}`],
    },
  );
}

/**
 * Keeps a team's documents in `<workspace>/.team/<id>/`, so that the team is there tomorrow: TEAM.md (made when there was
 * none), its role documents, and the scripts and credential profiles that they name; of a spec, the documents that say the
 * same. A folder that lies in `.team/` already stays as it is. Read the team again from the folder that is returned.
 */
export function installTeam(source: string, workspace: string, team: Team): Installed | Refusal {
  const plan = planHome(source, workspace, team);
  if (isRefusal(plan)) return plan;
  if (plan.writes.some(isProfile)) keepProfilesSecret(path.join(plan.folder, PROFILES));
  for (const file of plan.writes) writeOnce(path.join(plan.folder, file.path), file);
  return { ok: true, folder: plan.folder, written: plan.writes.map((file) => file.path) };
}

/** Where a team's documents will be, and which files have to be written there. Changes nothing. */
export function planHome(
  source: string,
  workspace: string,
  team: Team,
): { readonly folder: string; readonly writes: readonly InstalledFile[] } | Refusal {
  const home = path.join(fs.realpathSync(workspace), '.team');
  const real = fs.realpathSync(source);
  const spec = isSpec(real);
  if (!spec && isBelow(home, real)) return { folder: real, writes: [] };
  const folder = path.join(home, team.id);
  const files = spec ? filesOfSpec(path.dirname(real), team) : filesOf(source, team);
  const outside = files.find((file) => !isBelow(folder, path.join(folder, file.path)));
  if (outside) {
    const message = `A script lies outside ${source} and cannot be kept with the team: ${outside.path}. Move it below agents/, or name it by its absolute path.`;
    return refuse('team_document_invalid', message, { next: [`ls -l ${shellWord(source)}`] });
  }
  const writes = planInstall(folder, files, presentFiles(folder, files));
  return isRefusal(writes) ? writes : { folder, writes };
}

/** What the team consists of, by the paths that it will have. */
function filesOf(source: string, team: Team): InstalledFile[] {
  const head = team.hasTeamDocument
    ? fs.readFileSync(path.join(source, TEAM_DOCUMENT))
    : Buffer.from(`---\nname: ${JSON.stringify(team.name)}\n---\n\n${team.objective}\n`);
  const files = new Map<string, Uint8Array>([[TEAM_DOCUMENT, head]]);
  for (const agent of team.described) {
    const document = fs.readFileSync(agent.file);
    files.set(`agents/${path.basename(agent.file)}`, document);
    const script = relativeScript(document.toString('utf8'));
    if (script !== undefined && agent.script !== undefined) {
      files.set(path.posix.join('agents', script), fs.readFileSync(agent.script));
    }
  }
  return [...profilesBelow(source, team), ...[...files].map(([name, bytes]) => ({ path: name, bytes }))];
}

/** The credential profiles that roles name and that lie with the documents; one that is kept with the team already does not. */
function profilesBelow(source: string, team: Team): InstalledFile[] {
  const files = team.described.flatMap(({ profile }) =>
    profile && isBelow(source, profile.file) ? [profile.file] : [],
  );
  return [...new Set(files)].map((file) => ({
    path: path.posix.join(PROFILES, path.basename(file)),
    bytes: fs.readFileSync(file),
    mode: 0o600,
  }));
}

function filesOfSpec(source: string, team: Team): InstalledFile[] {
  const documents = documentsOf(team).map(({ path: name, text }) => ({
    path: name,
    bytes: Buffer.from(text),
  }));
  const scripts = team.agents.flatMap((agent) => {
    const name = scriptBeside(agent);
    if (name === undefined || agent.script === undefined) return [];
    return [{ path: `agents/${name}`, bytes: fs.readFileSync(agent.script) }];
  });
  return [...profilesBelow(source, team), ...documents, ...scripts];
}

const isProfile = ({ path: name }: Pick<InstalledFile, 'path'>): boolean => name.startsWith(`${PROFILES}/`);

/** The script that a role document names relative to itself. One with an absolute path is found wherever the document is. */
function relativeScript(document: string): string | undefined {
  const front = readFrontMatter('', document);
  const script = isBroken(front) ? undefined : front.values.script;
  return typeof script === 'string' && !path.isAbsolute(script) ? script : undefined;
}

/** Those of the files that are there already, and the role documents beside them. */
function presentFiles(folder: string, files: readonly InstalledFile[]): InstalledFile[] {
  const agents = path.join(folder, 'agents');
  const documents = fs.existsSync(agents) ? fs.readdirSync(agents).map((name) => `agents/${name}`) : [];
  const names = new Set([...files.map((file) => file.path), ...documents]);
  return [...names]
    .filter((name) => fs.statSync(path.join(folder, name), { throwIfNoEntry: false })?.isFile())
    .map((name) => ({ path: name, bytes: fs.readFileSync(path.join(folder, name)) }));
}

/** Readers see the whole file or none. A crash between two files leaves what the next call completes. */
function writeOnce(file: string, { bytes, mode }: InstalledFile): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}.new`;
  fs.writeFileSync(fresh, bytes, mode === undefined ? {} : { mode });
  fs.renameSync(fresh, file);
}

function isBelow(folder: string, place: string): boolean {
  const way = path.relative(folder, place);
  return way !== '' && way !== '..' && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way);
}
