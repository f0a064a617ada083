import path from 'node:path';
import { isRefusal, type Refusal, refuse } from '../kernel/reasons.ts';
import { shellWord } from '../kernel/text.ts';
import type { Team } from '../team/index.ts';
import { callIn } from './calling.ts';
import type { Context } from './context.ts';
import { findWorkspace, needsTeam } from './workspace.ts';

/**
 * Reads a team where it is written, a folder with documents or a spec, as a start would: with those who were added to it
 * beside its documents and without those who were removed, where a ledger tells of any.
 */
export async function readTeamAt(
  place: string,
  { workspace }: { readonly workspace?: string | undefined },
): Promise<Team | Refusal> {
  const ledger = workspace !== undefined && needsTeam(workspace) === undefined;
  const asked = ledger
    ? await callIn(workspace, 'who-starts', { verb: 'validate', launches: { folder: place } })
    : null;
  if (asked && isRefusal(asked) && asked.evidence?.problems) return asked;
  // Whoever may not be told of them gets the documents alone.
  const changes = asked && !isRefusal(asked) ? (asked.changes ?? []) : [];
  const [{ readTeam }, { namedProvider }] = await Promise.all([
    import('../team/index.ts'),
    import('../providers/index.ts'),
  ]);
  return readTeam(place, {
    ...(workspace === undefined ? {} : { workspace }),
    fallbackName: path.basename(place),
    changes,
    providers: namedProvider,
  });
}

/** The refusal of documents that are wrong, to somebody who started nothing: they are mended, and checked again. */
export function checkedAgain(refusal: Refusal, place: string): Refusal {
  return refusal.evidence?.problems ? { ...refusal, next: [`team-agent validate ${shellWord(place)}`] } : refusal;
}

/**
 * Where the documents are that a command without a word means: those of the team that `--team` names, by its id or its name,
 * else of the only one below `.team/`. Refuses `not_a_team` when there is none, `team_not_found` or `team_ambiguous` with the
 * candidates.
 */
export async function documentsHere(context: Context, command: string): Promise<string | Refusal> {
  const workspace = findWorkspace(context, 'read');
  if (isRefusal(workspace)) return workspace;
  const { team } = context.globals;
  const found = await documentsOf(workspace, team, command);
  if (!isRefusal(found) || found.reason !== 'team_not_found' || team !== undefined) return found;
  return refuse('not_a_team', `There are no team documents in ${path.join(workspace, '.team')}.`, {
    evidence: { workspace },
    next: ['team-agent init', `${command} DIR`],
  });
}

/** The documents of the team that is called so, below `.team/`; `wanted` undefined: of the only one. */
export async function documentsOf(
  workspace: string,
  wanted: string | undefined,
  command: string,
): Promise<string | Refusal> {
  const { DOCUMENTS, findTeamFolder } = await import('../team/index.ts');
  const found = findTeamFolder(workspace, wanted, command, DOCUMENTS);
  return isRefusal(found) ? found : found.folder;
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
