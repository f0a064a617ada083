import fs from 'node:fs';
import path from 'node:path';
import { callCoordinator } from '../../../client/index.ts';
import { isRefusal, type Refusal } from '../../../kernel/reasons.ts';
import { callerEnvironment } from '../../caller.ts';
import { callIn } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { documentsOf, warnOfAutoTrust } from '../../documents.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { quickStartLines } from '../../rendering/lists.ts';
import { planLines, preflightLines } from '../../rendering/plan.ts';
import { findWorkspace } from '../../workspace.ts';
import { surroundingOf } from './variables.ts';

interface Flags {
  readonly name?: string;
  readonly teamId?: string;
  readonly trust?: boolean;
  readonly yes?: boolean;
  readonly fresh?: boolean;
  readonly dryRun?: boolean;
}

/** The three names of one thing: what they read, and whether they ask first, differs. */
type Name = 'quick-start' | 'launch' | 'start';

/** Starts the team of a folder's documents, or of a spec. */
export async function run(context: Context, as: Name, given: string | undefined, flags: Flags): Promise<Outcome> {
  const found = await orderOf(context, as, given, flags);
  if (isRefusal(found)) return refused(found);
  const { workspace, order } = found;
  if (flags.dryRun) return outcomeOf(await callIn(workspace, 'plan', { of: 'quick-start', ...order }), planLines);
  const first = await checkedFirst(workspace, order);
  if (isRefusal(first)) return refused(first);
  return outcomeOf(
    await callIn(workspace, 'quick-start', { ...order, ...first }, context.interrupted),
    quickStartLines,
  );
}

/** Makes every check of a launch, and changes nothing. */
export async function preflight(context: Context, given: string | undefined, flags: Flags): Promise<Outcome> {
  const found = await orderOf(context, 'quick-start', given, flags);
  if (isRefusal(found)) return refused(found);
  return outcomeOf(await callIn(found.workspace, 'preflight', found.order), preflightLines);
}

/** What is asked for. */
async function orderOf(context: Context, as: Name, given: string | undefined, flags: Flags) {
  const workspace = findWorkspace(context, 'change');
  if (isRefusal(workspace)) return workspace;
  const folder = await documentsAt(context, workspace, as, given ?? context.globals.team ?? '.');
  if (isRefusal(folder)) return folder;
  const { name, teamId: team_id } = flags;
  const words = { ...(name === undefined ? {} : { name }), ...(team_id === undefined ? {} : { team_id }) };
  const asked = await callIn(workspace, 'who-starts', { verb: as, launches: { folder, ...words } });
  // What is wrong with them is told by the verb.
  if (!isRefusal(asked)) warnOfAutoTrust({ autoTrust: asked.auto_trust }, context);
  const surrounding = await surroundingOf(isRefusal(asked) ? [] : asked.agents, context.environment);
  const yeses = { trust: flags.trust ?? false, yes: flags.yes ?? false, fresh: flags.fresh ?? false };
  const caller_environment = callerEnvironment(context.environment);
  return { workspace, order: { folder, as, ...words, ...yeses, ...surrounding, caller_environment } };
}

/** The documents that a word means: a path, or a team that is kept in `.team/`, by its id or its name. */
async function documentsAt(context: Context, workspace: string, as: Name, word: string): Promise<string | Refusal> {
  const place = path.resolve(context.cwd, word);
  if (fs.existsSync(place)) return place;
  const kept = await documentsOf(workspace, word, `team-agent ${as}`);
  // That nothing is there is told of the path.
  return isRefusal(kept) && kept.reason === 'team_not_found' ? place : kept;
}

/**
 * What a launch is refused for is told before a coordinator is started, so that nothing is created for a team that cannot
 * be. A coordinator that lives tells it itself: it also knows who may not start a team at all.
 */
async function checkedFirst(workspace: string, order: object): Promise<{ readonly smoked: boolean } | Refusal> {
  const there = await callCoordinator(workspace, 'may-start', {}, { start: false });
  if (there) return isRefusal(there) ? there : { smoked: false };
  const { planWithoutCoordinator } = await import('../../../coordinator/offline.ts');
  const answer = await planWithoutCoordinator(workspace, 'may-launch', order);
  // What only a coordinator can tell, one that is started will tell.
  if (isRefusal(answer)) return answer.reason === 'coordinator_absent' ? { smoked: false } : answer;
  return { smoked: true };
}
