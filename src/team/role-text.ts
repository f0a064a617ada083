import path from 'node:path';
import type { AgentId, Refusal } from '../kernel/index.ts';
import { readFrontMatter, withKeys } from './front-matter.ts';
import { documentRefusal } from './problems.ts';
import { isBroken } from './role.ts';

/** What another member's role document says otherwise than the one that it is made of. */
export interface Adopting {
  readonly id: AgentId;
  /** What the agent is, when it is not what the document says. */
  readonly role?: string | undefined;
}

/**
 * The text of a role document as another member has it: under its own name, with a script that is found from anywhere.
 * Everything else stands as its author wrote it.
 */
export function adoptRole(document: string, text: string, { id, role }: Adopting): string | Refusal {
  const file = path.basename(document);
  const front = readFrontMatter(file, text);
  if (isBroken(front)) return documentRefusal(path.dirname(document), front);
  const { script } = front.values;
  const adopted = withKeys(file, text, {
    name: id,
    ...(role === undefined ? {} : { role }),
    ...(typeof script === 'string' ? { script: path.resolve(path.dirname(document), script) } : {}),
  });
  return typeof adopted === 'string' ? adopted : documentRefusal(path.dirname(document), adopted);
}
