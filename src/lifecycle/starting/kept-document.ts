import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { type AgentId, readIfThere } from '../../kernel/index.ts';
import type { TeamRow } from '../../ledger/index.ts';

/** The role document that a team keeps for somebody who was added to it. */
export interface KeptDocument {
  /** Absolute path. */
  readonly path: string;
  readonly text: string;
  /** sha256 of the text, hex. */
  readonly hash: string;
}

/** What such a document would be; nothing is written. */
export function keptDocument({ documents }: Pick<TeamRow, 'documents'>, agent: AgentId, text: string): KeptDocument {
  return { path: path.join(documents, 'added', `${agent}.md`), text, hash: hashOf(text) };
}

/** Writes it, for people to read and to edit. Whoever reads it sees the whole of it or nothing. */
export function keepDocument({ path: file, text }: KeptDocument): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(halfWritten(file), text);
  fs.renameSync(halfWritten(file), file);
}

const halfWritten = (file: string): string => `${file}.new`;

/** Removes a document of ours that nobody edited; what somebody wrote stays. True when it is gone. */
export function removeDocument({ path: file, hash }: Omit<KeptDocument, 'text'>): boolean {
  const text = readIfThere(file);
  if (text !== undefined && hashOf(text) !== hash) return false;
  for (const ours of [file, halfWritten(file)]) fs.rmSync(ours, { force: true });
  const folder = path.dirname(file);
  if (fs.existsSync(folder) && fs.readdirSync(folder).length === 0) fs.rmdirSync(folder);
  return true;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
