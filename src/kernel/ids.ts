import { createHash, randomBytes, randomUUID } from 'node:crypto';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A team's key inside its workspace: the slug of its name, and the folder of its documents below `.team/`. */
export type TeamId = Branded<'TeamId'>;
/** A durable member of a team. The leader is a member too, and its id is always `leader`. */
export type AgentId = Branded<'AgentId'>;
/** `m_` + 24 hex digits, minted by the client, so that a repeated call is the same message. */
export type MessageId = Branded<'MessageId'>;
/** A uuid: it becomes the id of the recipient's own record wherever the provider lets us choose it. */
export type DeliveryId = Branded<'DeliveryId'>;
/** `i_` + 16 hex digits: one process life of an agent. */
export type IncarnationId = Branded<'IncarnationId'>;
/** The provider's conversation id. */
export type SessionId = Branded<'SessionId'>;
/** `r_` + 24 hex digits. */
export type ResultId = Branded<'ResultId'>;
/** A task's name, given by whoever asks for the work. */
export type TaskId = Branded<'TaskId'>;

export const LEADER = 'leader' as AgentId;
/** Who the coordinator's own notices come from. */
export const SYSTEM = 'team-agent' as AgentId;

const WORD = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
/** An agent's id: a word that is neither the leader's name, however it is written, nor `SYSTEM`. */
export const AGENT_ID = /^(?![Ll][Ee][Aa][Dd][Ee][Rr]$)(?!team-agent$)[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const MESSAGE_ID = /^m_[0-9a-f]{24}$/;
const RESERVED_TEAMS = new Set(['run', 'runtime', 'logs', 'export']);

/** An agent id as a document or a person wrote it; undefined when it is malformed or reserved. */
export function agentId(text: string): AgentId | undefined {
  return AGENT_ID.test(text) ? (text as AgentId) : undefined;
}

/** A team id; undefined when malformed, or a name that `.team/` uses itself. */
export function teamId(text: string): TeamId | undefined {
  return WORD.test(text) && !RESERVED_TEAMS.has(text) && !text.startsWith('team.db') ? (text as TeamId) : undefined;
}

/** A message id minted by a client; undefined when malformed. */
export function messageId(text: string): MessageId | undefined {
  return MESSAGE_ID.test(text) ? (text as MessageId) : undefined;
}

/**
 * The message that one tool call stores: a call that comes twice names the same message, so it is stored once. `call` is the
 * provider's own id of the call.
 */
export function messageOfCall(incarnation: IncarnationId, call: string): MessageId {
  return `m_${digest(incarnation, call)}` as MessageId;
}

/** The result that one tool call reports; see `messageOfCall`. */
export function resultOfCall(incarnation: IncarnationId, call: string): ResultId {
  return `r_${digest(incarnation, call)}` as ResultId;
}

/** The result that a file holds: the same content in the same team is one result, from whatever file it comes. */
export function resultOfContent(team: TeamId, kind: 'valid' | 'invalid', content: string): ResultId {
  return `r_${digest('file', kind, team, content)}` as ResultId;
}

function digest(...words: readonly string[]): string {
  return createHash('sha256').update(words.join('\0')).digest('hex').slice(0, 24);
}

/** Where new ids come from. Given as an argument, so that the simulator can replay a run. */
export interface Mint {
  message(): MessageId;
  delivery(): DeliveryId;
  incarnation(): IncarnationId;
  session(): SessionId;
  result(): ResultId;
  /** 192 bits, base64url: a secret. Only its sha256 is ever stored. */
  token(): string;
  /** 8 hex digits around a rendered body. */
  nonce(): string;
}

export const mint: Mint = {
  message: () => `m_${randomBytes(12).toString('hex')}` as MessageId,
  delivery: () => randomUUID() as DeliveryId,
  incarnation: () => `i_${randomBytes(8).toString('hex')}` as IncarnationId,
  session: () => randomUUID() as SessionId,
  result: () => `r_${randomBytes(12).toString('hex')}` as ResultId,
  token: () => randomBytes(24).toString('base64url'),
  nonce: () => randomBytes(4).toString('hex'),
};
