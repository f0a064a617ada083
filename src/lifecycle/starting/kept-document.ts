import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { type AgentId, type Refusal, readIfThere, refuse, shellWord } from '../../kernel/index.ts';
import type { TeamRow } from '../../ledger/index.ts';

/** The role document that a team keeps for somebody who was added to it. */
export interface KeptDocument {
  /** Absolute path. */
  readonly path: string;
  readonly text: string;
  /** sha256 of the text, hex. */
  readonly hash: string;
  /** The same of what we write there; null when it stands there already, word for word: then it is not ours. */
  readonly written: string | null;
}

/** A document as a journal and a membership know it: what of it is ours to remove. */
export type Written = Pick<KeptDocument, 'path' | 'written'>;

/** What such a document would be; nothing is written. Refuses to take the place of what somebody else wrote there. */
export function keptDocument(
  { documents }: Pick<TeamRow, 'documents'>,
  agent: AgentId,
  text: string,
): KeptDocument | Refusal {
  const file = path.join(documents, 'added', `${agent}.md`);
  const there = readIfThere(file);
  if (there !== undefined && there !== text) return inTheWay(file, agent);
  const hash = hashOf(text);
  return { path: file, text, hash, written: there === undefined ? hash : null };
}

function inTheWay(file: string, agent: AgentId): Refusal {
  return refuse(
    'team_document_invalid',
    `${file} is there already, and the role document of ${agent} would be kept there. Move it away; if it is the one that is meant, name it where it is then. Nothing was changed.`,
    { evidence: { agent, file }, next: [`mv -n ${shellWord(file)} ${shellWord(besides(file, agent))}`] },
  );
}

/** Where it could be moved to: a name that is free. */
function besides(file: string, agent: AgentId, number = 1): string {
  const name = `${agent}.before${number === 1 ? '' : `-${number}`}.md`;
  const place = path.join(path.dirname(file), name);
  return fs.existsSync(place) ? besides(file, agent, number + 1) : place;
}

/** Writes it, for people to read and to edit. Whoever reads it sees the whole of it or nothing. */
export function keepDocument({ path: file, text, written }: KeptDocument): void {
  if (written === null) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(halfWritten(file), text);
  fs.renameSync(halfWritten(file), file);
}

const halfWritten = (file: string): string => `${file}.new`;

/** Removes a document that we wrote and nobody edited; what somebody else wrote stays. True when it is gone. */
export function removeDocument({ path: file, written }: Written): boolean {
  const text = readIfThere(file);
  if (text !== undefined && hashOf(text) !== written) return false;
  for (const ours of [file, halfWritten(file)]) fs.rmSync(ours, { force: true });
  const folder = path.dirname(file);
  if (fs.existsSync(folder) && fs.readdirSync(folder).length === 0) fs.rmdirSync(folder);
  return true;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
