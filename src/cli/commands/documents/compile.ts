import fs from 'node:fs';
import path from 'node:path';
import { isRefusal, type Refusal, refuse } from '../../../kernel/reasons.ts';
import { shellWord } from '../../../kernel/text.ts';
import type { Team } from '../../../team/index.ts';
import type { Context } from '../../context.ts';
import { checkedAgain, documentsHere, readTeamAt, warnOfAutoTrust } from '../../documents.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { writtenLines } from '../../rendering/documents.ts';
import { findWorkspace } from '../../workspace.ts';

/** What is written unless somebody names another file. */
const SPEC_FILE = 'team.spec.yaml';

/** Writes the spec of a team. An earlier spec in its place is replaced; anything else there is refused. */
export async function run(context: Context, { out = SPEC_FILE }: { readonly out?: string }): Promise<Outcome> {
  const folder = await folderOf(context);
  if (isRefusal(folder)) return refused(folder);
  const workspace = findWorkspace(context, 'read');
  if (isRefusal(workspace)) return refused(workspace);
  const team = await readTeamAt(folder, { workspace });
  if (isRefusal(team)) return refused(checkedAgain(team, folder));
  const { isSpecText, specOf, specText } = await import('../../../team/index.ts');
  const file = path.resolve(context.cwd, out);
  const inTheWay = whatIsThere(file, isSpecText, elsewhere(context, file, team));
  if (inTheWay) return refused(inTheWay);
  warnOfAutoTrust(team, context);
  replace(file, specText(specOf(team, path.dirname(file))));
  const agents = team.agents.map(({ id }) => id);
  const next = [`team-agent validate ${shellWord(file)}`, `team-agent quick-start ${shellWord(file)}`];
  return outcomeOf({ ok: true as const, team_dir: folder, out: file, agents, next }, (_, look) =>
    writtenLines([file], next, look),
  );
}

/** `--team` names a folder here; a team below `.team/` may be named as it is elsewhere. */
async function folderOf(context: Context): Promise<string | Refusal> {
  const { team } = context.globals;
  const given = team === undefined ? undefined : path.resolve(context.cwd, team);
  return given !== undefined && fs.existsSync(given) ? given : documentsHere(context, 'team-agent compile');
}

/** The same command for another file. */
function elsewhere({ globals }: Context, file: string, { id }: Pick<Team, 'id'>): string {
  const which = globals.team === undefined ? '' : ` --team ${shellWord(globals.team)}`;
  const name = path.basename(file) === SPEC_FILE ? `${id}.spec.yaml` : SPEC_FILE;
  return `team-agent compile${which} --out ${shellWord(name)}`;
}

function whatIsThere(file: string, isSpec: (text: string) => boolean, next: string): Refusal | undefined {
  const found = fs.statSync(file, { throwIfNoEntry: false });
  const folder = path.dirname(file);
  if (found === undefined) {
    if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return undefined;
    return refuse('usage', `There is no folder ${folder} to write into.`, { next: [`mkdir -p ${shellWord(folder)}`] });
  }
  if (found.isFile() && isSpec(fs.readFileSync(file, 'utf8'))) return undefined;
  return refuse('usage', `${file} is there and is no spec. Nothing was written.`, {
    evidence: { file },
    next: [next],
  });
}

/** Readers see the file that was there, or the whole new one. */
function replace(file: string, text: string): void {
  const fresh = `${file}.${process.pid}.new`;
  fs.writeFileSync(fresh, text);
  fs.renameSync(fresh, file);
}
