import {
  type AgentId,
  type IncarnationId,
  isRefusal,
  type Refusal,
  refuse,
  type SessionId,
  shellWord,
  type TeamId,
} from '../../kernel/index.ts';
import { type AgentRow, findIncarnation, lastSession, type Reading, type SessionRow } from '../../ledger/index.ts';
import { type Continues, findProvider, type Installation } from '../../providers/index.ts';
import type { AgentSpec } from '../../team/index.ts';
import { handleOf } from '../life.ts';
import { accountIn, accountOf, otherVendor } from './account.ts';
import { decideStart, type Remembered } from './decide.ts';
import type { Beginning } from './plan.ts';

/** What an agent could go on with, and whether that can still be done. */
interface Memory {
  readonly session: Remembered;
  readonly session_id: string | null;
  /** Why it cannot be resumed, when it cannot. */
  readonly because?: string;
  readonly continues?: Continues;
  /** What is kept of its life. */
  readonly before?: Beginning['before'];
}

/** The session that an agent worked on last, unless it was given up, as its provider sees it now. */
async function memoryOf(
  db: Reading,
  { team, agent_id }: Pick<AgentRow, 'team' | 'agent_id'>,
  spec: Pick<AgentSpec, 'provider' | 'folder' | 'profile'>,
  installation: Installation,
): Promise<Memory> {
  const last = await lastSession(db, team as TeamId, agent_id as AgentId);
  if (!last) return { session: 'none', session_id: null };
  const { session_id } = last;
  const provider = findProvider(spec.provider);
  if (isRefusal(provider) || last.provider !== spec.provider) {
    return { session: 'gone', session_id, because: `it is a conversation of ${last.provider}` };
  }
  if (!installation.capabilities.resume) {
    return { session: 'gone', session_id, because: `${spec.provider} ${installation.version} is not known to resume` };
  }
  const continues: Continues = { how: 'resume', session: session_id as SessionId, record: last.record };
  const details = await detailsOf(db, last);
  const other = otherVendor(accountOf(details), accountIn(spec));
  if (other !== undefined) return { session: 'gone', session_id, because: other };
  const found = provider.resumable({ ...continues, details, folder: spec.folder, installation });
  if (typeof found === 'object') return { session: 'gone', session_id, because: found.no };
  return { session: found === 'yes' ? 'resumable' : 'unknown', session_id, continues, before: details };
}

/** The conversation that another agent begins with, while its source goes on if it `runs`. Refuses what cannot be forked. */
export async function forkOf(
  db: Reading,
  member: AgentRow,
  spec: AgentSpec,
  installation: Installation,
  runs: boolean,
): Promise<Beginning | Refusal> {
  const memory = await memoryOf(db, member, spec, installation);
  const able = installation.capabilities.fork;
  if (able && memory.continues)
    return {
      action: 'fork',
      reason: `it begins with what ${spec.id} knows`,
      continues: { ...memory.continues, how: 'fork' },
      before: memory.before,
    };
  const why = able
    ? (memory.because ?? 'it has none yet')
    : `${spec.provider} ${installation.version} is not known to fork`;
  const words = `--team ${shellWord(member.team)}`;
  // Only a start gives it a conversation, where it can be forked at all.
  const begin = able && !runs ? [`team-agent start-agent ${shellWord(spec.id)} ${words}`] : [];
  return refuse('fork_unavailable', `The conversation of ${spec.id} cannot be forked: ${why}.`, {
    evidence: { agent: spec.id, session_id: memory.session_id },
    next: [`team-agent sessions ${words}`, ...begin],
  });
}

async function detailsOf(db: Reading, { incarnation }: SessionRow): Promise<Readonly<Record<string, string>>> {
  const life = await findIncarnation(db, incarnation as IncarnationId);
  return (life && handleOf(life)?.details) ?? {};
}

/** What a start may give up. */
export interface Consent {
  /** A conversation that cannot be resumed. */
  readonly allow_fresh: boolean;
  /** The command line that asks for it. */
  readonly command: string;
  /** Agents whose conversations did not come up when this very verb tried to resume them. */
  readonly lost?: ReadonlySet<string>;
}

/** With which conversation a start goes on. Refuses what would lose something unasked. */
export async function conversationFor(
  db: Reading,
  member: AgentRow,
  spec: AgentSpec,
  installation: Installation,
  { allow_fresh, command, lost }: Consent,
): Promise<Beginning | Refusal> {
  if (lost?.has(spec.id)) return { action: 'fresh', reason: 'its conversation was resumed and did not come up' };
  const memory = await memoryOf(db, member, spec, installation);
  const interacted = member.interacted_at !== null;
  const decision = decideStart({ interacted, session: memory.session, allowFresh: allow_fresh });
  if (decision === 'resume' && memory.continues)
    return {
      action: 'resume',
      reason: 'it goes on with its conversation',
      continues: memory.continues,
      before: memory.before,
    };
  if (decision === 'fresh') return memory.session === 'none' ? NOTHING_TO_GO_ON_WITH : leftBehind(memory);
  return refuse(
    'resume_unavailable',
    `The conversation of ${spec.id} cannot be resumed: ${memory.because ?? 'it left no session'}. A fresh start would lose it.`,
    {
      evidence: { agent: spec.id, session_id: memory.session_id, first_send_at: member.interacted_at },
      next: [`${command} --allow-fresh`],
    },
  );
}

export const NOTHING_TO_GO_ON_WITH: Beginning = { action: 'start', reason: 'it has no conversation yet' };

function leftBehind({ because }: Memory): Beginning {
  return { action: 'fresh', reason: `its conversation cannot be resumed (${because ?? 'nothing is known of it'})` };
}
