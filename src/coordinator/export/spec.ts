import { isRefusal, type Refusal } from '../../kernel/index.ts';
import type { TeamRow } from '../../ledger/index.ts';
import { readDocuments } from '../../lifecycle/index.ts';
import { specOf, specText } from '../../team/index.ts';

/** The spec of a team by its documents as they are now, to lie in `folder`; or what is wrong with them. */
export function specOfRow(workspace: string, { documents, name }: TeamRow, folder: string): string | Refusal {
  const team = readDocuments(workspace, { folder: documents, name });
  return isRefusal(team) ? team : specText(specOf(team, folder));
}
