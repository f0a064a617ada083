import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {
  type AgentId,
  agentId,
  isRefusal,
  type Refusal,
  readIfThere,
  refuse,
  shellWord,
  type TeamId,
} from '../../kernel/index.ts';
import { agentsOf, type MemberChangeRow, memberChanges, type TeamRow } from '../../ledger/index.ts';
import { type AgentSpec, adoptRole, type Team } from '../../team/index.ts';
import type { Effects } from '../effects.ts';
import { changesOf } from './members.ts';
import { readDocuments } from './plan.ts';

/** Somebody who is to become a member, with the role document that the team keeps for it. */
export interface Newcomer {
  readonly team: Team;
  readonly spec: AgentSpec;
  readonly document: KeptDocument;
  /** What held of this id before: it holds again when nothing comes of this. */
  readonly before: MemberChangeRow | null;
}

/** A role document that a verb wrote into a team's folder. */
export interface KeptDocument {
  /** Absolute path. */
  readonly path: string;
  readonly text: string;
  /** sha256 of the text, hex. */
  readonly hash: string;
}

/** Whose role document somebody new gets: `text` stands in `source`. */
export interface Wanted {
  readonly id: string;
  readonly source: string;
  readonly text: string;
  readonly role?: string | undefined;
}

/** Reads what a team would be with somebody new in it. Changes nothing. */
export async function plannedNewcomer(effects: Effects, row: TeamRow, wanted: Wanted): Promise<Newcomer | Refusal> {
  const id = agentId(wanted.id);
  if (id === undefined) return notAnId(wanted.id);
  const team = row.team as TeamId;
  const taken = await nameTaken(effects, row, id);
  if (taken) return taken;
  const text = adoptRole(wanted.source, wanted.text, { id, role: wanted.role });
  if (typeof text !== 'string') return text;
  const others = (await changesOf(effects, team)).filter((change) => change.id !== id);
  // What is wrong is told of the file that its author knows.
  const added = { kind: 'added', id, document: wanted.source, text } as const;
  const documents = { folder: row.documents, name: row.name };
  const read = readDocuments(effects.workspace, documents, [...others, added]);
  if (isRefusal(read)) return read;
  const spec = read.agents.find((agent) => agent.id === id);
  if (!spec) throw new Error(`${id} was compiled away`);
  const before = (await memberChanges(effects.ledger.db, team)).find(({ agent_id }) => agent_id === id);
  const document = { path: keptPath(row, id), text, hash: hashOf(text) };
  return { team: read, spec: { ...spec, file: document.path }, document, before: before ?? null };
}

/** Where a team keeps the role document of somebody who was added to it. */
function keptPath({ documents }: Pick<TeamRow, 'documents'>, agent: AgentId): string {
  return path.join(documents, 'added', `${agent}.md`);
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

function notAnId(id: string): Refusal {
  return refuse(
    'agent_id_invalid',
    `${JSON.stringify(id)} cannot be an agent: 1 to 64 of the characters A-Z a-z 0-9 _ -, beginning with a letter or digit, and not leader.`,
    { evidence: { agent: id }, next: ['team-agent status'] },
  );
}

async function nameTaken({ ledger }: Effects, { team }: TeamRow, id: AgentId): Promise<Refusal | undefined> {
  const member = (await agentsOf(ledger.db, team as TeamId)).find(({ agent_id }) => agent_id === id);
  if (!member) return undefined;
  const words = `${shellWord(id)} --team ${shellWord(team)}`;
  return refuse('agent_exists', `The team ${team} has an agent ${id} already. Nothing was changed.`, {
    evidence: { agent: id, provider: member.provider, intent: member.intent },
    next: [`team-agent status --team ${shellWord(team)}`, `team-agent start-agent ${words}`],
  });
}
