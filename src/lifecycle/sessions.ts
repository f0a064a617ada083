import type { AgentId, SessionId, TeamId } from '../kernel/index.ts';
import { isRefusal } from '../kernel/index.ts';
import { type AgentRow, findIncarnation, lastSession, type Reading } from '../ledger/index.ts';
import { findProvider, type LaunchRequest } from '../providers/index.ts';
import type { Remembered } from './continuing.ts';
import { handleOf } from './life.ts';

/** What an agent could go on with, and whether that can still be done. */
export interface Memory {
  readonly session: Remembered;
  readonly session_id: string | null;
  /** Why it cannot be resumed, when it cannot. */
  readonly because?: string;
  readonly continues?: LaunchRequest['continues'];
}

/** The session that an agent worked on last, unless it was given up, as its provider sees it now. */
export async function memoryOf(db: Reading, row: Pick<AgentRow, 'team' | 'agent_id' | 'provider'>): Promise<Memory> {
  const last = await lastSession(db, row.team as TeamId, row.agent_id as AgentId);
  if (!last) return { session: 'none', session_id: null };
  const session_id = last.session_id;
  const provider = findProvider(row.provider);
  if (isRefusal(provider) || last.provider !== row.provider) {
    return { session: 'gone', session_id, because: `it was a session of ${last.provider}` };
  }
  const life = await findIncarnation(db, last.incarnation as Parameters<typeof findIncarnation>[1]);
  const session = { session: session_id as SessionId, record: last.record };
  const found = provider.resumable({ ...session, details: (life && handleOf(life)?.details) ?? {} });
  if (typeof found === 'object') return { session: 'gone', session_id, because: found.no };
  return { session: found === 'yes' ? 'resumable' : 'unknown', session_id, continues: { how: 'resume', ...session } };
}
