import fs from 'node:fs';
import path from 'node:path';
import { isRefusal, type Refusal, refuse } from '../kernel/reasons.ts';
import { printable, shellWord } from '../kernel/text.ts';
import type { Team } from '../team/index.ts';
import type { Context } from './context.ts';
import { findWorkspace } from './workspace.ts';

/** Reads a team where it is written: a folder with documents, or a spec. */
export async function readTeamAt(
  place: string,
  { workspace, name }: { readonly workspace?: string | undefined; readonly name?: string | undefined },
): Promise<Team | Refusal> {
  const [{ readTeam }, { namedProvider }] = await Promise.all([
    import('../team/index.ts'),
    import('../providers/index.ts'),
  ]);
  return readTeam(place, {
    ...(workspace === undefined ? {} : { workspace }),
    fallbackName: name ?? path.basename(place),
    providers: namedProvider,
  });
}

/** The refusal of documents that are wrong, to somebody who started nothing: they are mended, and checked again. */
export function checkedAgain(refusal: Refusal, place: string): Refusal {
  return refusal.evidence?.problems ? { ...refusal, next: [`team-agent validate ${shellWord(place)}`] } : refusal;
}

/** Names that `.team/` uses itself. */
const NO_TEAMS: ReadonlySet<string> = new Set(['run', 'runtime', 'logs', 'export']);

/**
 * Where the documents are that a command without a word means: those of the team that `--team` names, else of the only one
 * below `.team/`. Refuses `not_a_team` when there is none, `team_ambiguous` with the candidates when there are several.
 */
export function documentsHere(context: Context, command: string): string | Refusal {
  const workspace = findWorkspace(context, 'read');
  if (isRefusal(workspace)) return workspace;
  const home = path.join(workspace, '.team');
  const teams = foldersOf(home).filter((name) => isTeam(path.join(home, name)));
  const { team } = context.globals;
  const fitting = team === undefined ? teams : teams.filter((name) => name === team);
  const [only, ...others] = fitting;
  if (only === undefined) {
    const named = team === undefined ? '' : ` for a team ${printable(team)}`;
    return refuse('not_a_team', `There are no team documents${named} in ${home}.`, {
      evidence: { workspace, teams },
      next: ['team-agent init', `${command} DIR`, ...teams.map((name) => `${command} --team ${shellWord(name)}`)],
    });
  }
  if (others.length === 0) return path.join(home, only);
  return refuse('team_ambiguous', `Several teams are meant: ${fitting.join(', ')}. Say which with --team.`, {
    evidence: { candidates: fitting },
    next: fitting.map((name) => `${command} --team ${shellWord(name)}`),
  });
}

function foldersOf(home: string): string[] {
  if (!fs.existsSync(home)) return [];
  return fs
    .readdirSync(home, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !NO_TEAMS.has(entry.name))
    .map(({ name }) => name)
    .sort();
}

function isTeam(folder: string): boolean {
  return fs.existsSync(path.join(folder, 'TEAM.md')) || fs.existsSync(path.join(folder, 'agents'));
}

let warned = false;

/** Tells a person, once in a process, that a switch in the documents does nothing any more. */
export function warnOfAutoTrust({ autoTrust }: Pick<Team, 'autoTrust'>, { stderr }: Pick<Context, 'stderr'>): void {
  if (!autoTrust || warned) return;
  warned = true;
  stderr.write(
    'warning: auto_trust_own_workspace is deprecated: since 0.3.0 it trusts nothing. Remove it, and say yes to a folder with --trust.\n',
  );
}
