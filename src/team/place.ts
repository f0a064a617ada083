import fs from 'node:fs';
import path from 'node:path';
import { isRefusal, type Refusal, readIfThere, refuse, shellWord, type TeamId, teamId } from '../kernel/index.ts';
import { TEAM_DOCUMENT } from './compile.ts';
import { readFrontMatter } from './front-matter.ts';
import { teamIdOf } from './names.ts';
import { PROFILES, profileFolders } from './profiles/store.ts';
import { isBroken } from './role.ts';
import { linesOf, readYaml } from './yaml.ts';

/** Where a team that can be read has its documents, below its folder. */
export const DOCUMENTS = [TEAM_DOCUMENT, 'agents'] as const;

/** The folder of a team's documents. */
export interface TeamPlace {
  readonly folder: string;
  /** What `--team` says of it. */
  readonly team: string;
  /** The folders in which its profiles may lie; new ones go into the first. */
  readonly profiles: readonly string[];
}

/**
 * The folder of the team that is meant, by its documents alone: `wanted` is a team's id or name, or a path of its folder;
 * without it, the only team below `.team/`. `command` is what asks, for what to type instead; `parts`: what of a team has to
 * lie there.
 */
export function findTeamFolder(
  workspace: string,
  wanted: string | undefined,
  command: string,
  parts: readonly string[] = [...DOCUMENTS, PROFILES],
): TeamPlace | Refusal {
  const known = teamsIn(path.join(workspace, '.team'), parts);
  if (wanted?.includes('/')) {
    const folder = path.resolve(workspace, wanted);
    if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory())
      return { folder, team: wanted, profiles: profilesOf(folder, workspace) };
  }
  const fitting = wanted === undefined ? known : known.filter(({ names }) => names.includes(wanted));
  const [only, ...others] = fitting;
  if (only && others.length === 0) return only;
  if (only) {
    // Two folders may claim one id: then each is named by its path.
    const candidates = fitting.map(({ team, folder }) =>
      fitting.filter((other) => other.team === team).length > 1 ? path.relative(workspace, folder) : team,
    );
    return refuse('team_ambiguous', `Several teams are meant: ${candidates.join(', ')}. Say which with --team.`, {
      evidence: { candidates },
      next: candidates.map((team) => `${command} --team ${shellWord(team)}`),
    });
  }
  return refuse(
    'team_not_found',
    wanted === undefined
      ? 'No team has its documents in this project yet: say which with --team.'
      : `No team here is called ${wanted}.`,
    {
      evidence: { teams: known.map(({ team }) => team) },
      next:
        known.length > 0 ? known.map(({ team }) => `${command} --team ${shellWord(team)}`) : [`${command} --team NAME`],
    },
  );
}

/** The same, or the folder that a team of this name will have. */
export function futureTeamFolder(workspace: string, wanted: string | undefined, command: string): TeamPlace | Refusal {
  const found = findTeamFolder(workspace, wanted, command);
  const id =
    isRefusal(found) && found.reason === 'team_not_found' && wanted !== undefined ? teamIdOf(wanted) : undefined;
  return id === undefined ? found : placeBelow(path.join(workspace, '.team', id), id);
}

/** Folders below `.team/` that one of these parts of a team lies in. */
function teamsIn(home: string, parts: readonly string[]): (TeamPlace & { readonly names: readonly string[] })[] {
  if (!fs.existsSync(home)) return [];
  return fs
    .readdirSync(home)
    .filter((entry) => teamId(entry) !== undefined)
    .flatMap((entry) => {
      const folder = path.join(home, entry);
      if (!parts.some((part) => fs.existsSync(path.join(folder, part)))) return [];
      const name = nameIn(path.join(folder, TEAM_DOCUMENT)) ?? entry;
      const team = teamIdOf(name) ?? entry;
      return [{ ...placeBelow(folder, team), names: [entry, name, team] }];
    });
}

function placeBelow(folder: string, team: string): TeamPlace {
  return { folder, team, profiles: [path.join(folder, PROFILES)] };
}

/** Documents that lie elsewhere are kept below `.team/` once their team is started, and its profiles may be there before. */
function profilesOf(folder: string, workspace: string): readonly string[] {
  return profileFolders(folder, workspace, teamIdOf(nameIn(path.join(folder, TEAM_DOCUMENT)) ?? path.basename(folder)));
}

/** The id of the team that a place means, a folder of documents or a spec, by its name alone; undefined when it has none. */
export function teamIdAt(place: string, fallbackName: string): TeamId | undefined {
  const spec = fs.statSync(place, { throwIfNoEntry: false })?.isFile() === true;
  return teamIdOf((spec ? nameInSpec(place) : nameIn(path.join(place, TEAM_DOCUMENT))) ?? fallbackName);
}

function nameInSpec(file: string): string | undefined {
  const { team } = readYaml(linesOf(fs.readFileSync(file, 'utf8')).join('\n')).values;
  const name = typeof team === 'object' && team !== null && 'name' in team ? team.name : undefined;
  return typeof name === 'string' ? name : undefined;
}

function nameIn(document: string): string | undefined {
  const front = readFrontMatter(TEAM_DOCUMENT, readIfThere(document) ?? '');
  const name = isBroken(front) ? undefined : front.values.name;
  return typeof name === 'string' ? name : undefined;
}
