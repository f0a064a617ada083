import fs from 'node:fs';
import path from 'node:path';
import { isRefusal } from '../../../kernel/reasons.ts';
import type { Team } from '../../../team/index.ts';
import type { Context } from '../../context.ts';
import { checkedAgain, documentsHere, readTeamAt, warnOfAutoTrust } from '../../documents.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { validTeamLines } from '../../rendering/documents.ts';
import { findWorkspace } from '../../workspace.ts';

/** Checks the documents of one team, and changes nothing. */
export async function run(context: Context, given: string | undefined): Promise<Outcome> {
  const place =
    given === undefined ? await documentsHere(context, 'team-agent validate') : path.resolve(context.cwd, given);
  if (isRefusal(place)) return refused(place);
  const spec = fs.statSync(place, { throwIfNoEntry: false })?.isFile() === true;
  const workspace = spec ? undefined : findWorkspace(context, 'read');
  if (isRefusal(workspace)) return refused(workspace);
  const team = await readTeamAt(place, { workspace });
  if (isRefusal(team)) return refused(checkedAgain(team, place));
  warnOfAutoTrust(team, context);
  return outcomeOf(answerOf(team, place, spec), (answer, look) => validTeamLines(answer, team, look));
}

function answerOf(team: Team, place: string, spec: boolean) {
  return {
    ok: true as const,
    type: spec ? ('spec' as const) : ('team_dir' as const),
    path: place,
    workspace: team.workspace,
    team: team.id,
    name: team.name,
    agents: team.agents.map(({ id }) => id),
  };
}
