import type { Member } from '../agents/index.ts';
import { childEnvironment, type IncarnationId, isRefusal, type TeamId } from '../kernel/index.ts';
import { findIncarnation, findTeam, updateIncarnation } from '../ledger/index.ts';
import { type AgentHandle, findProvider } from '../providers/index.ts';
import type { Effects } from './effects.ts';
import { viewOf } from './life.ts';

/** A view that keeps closing is left closed after so many times in so many ms: its life goes on all the same. */
const MOST = 3;
const WINDOW = 600_000;

/** When views were opened again, UTC ms, by life. */
const reopened = new Map<string, number[]>();

/**
 * Opens the pane again that shows a life whose own pane shows nothing: closing it ended nothing but the view. The view has
 * the environment of the coordinator's own start; what the life needs it has already.
 */
export async function reopenView(effects: Effects, member: Member, environment: NodeJS.ProcessEnv): Promise<void> {
  const { handle, incarnation, row } = member;
  const provider = findProvider(row.provider);
  if (!handle?.view || !incarnation || isRefusal(provider)) return;
  if (member.processLiveness() !== 'alive' || !mayReopen(incarnation, effects.clock.now())) return;
  const program = provider.view?.(handle, childEnvironment(environment));
  const team = await findTeam(effects.ledger.db, row.team as TeamId);
  if (!program || !team) return;
  const pane = await effects.terminals.open({
    session: team.session_name,
    window: member.id,
    incarnation: viewOf(incarnation),
    folder: row.folder,
    ...program,
    again: true,
  });
  if (isRefusal(pane)) return;
  await keep(effects, member, incarnation, { ...handle, view: pane });
}

function mayReopen(incarnation: IncarnationId, now: number): boolean {
  const recent = (reopened.get(incarnation) ?? []).filter((at) => now - at < WINDOW);
  if (recent.length >= MOST) return false;
  reopened.set(incarnation, [...recent, now]);
  return true;
}

async function keep(effects: Effects, member: Member, incarnation: IncarnationId, handle: AgentHandle): Promise<void> {
  await effects.ledger.change(member.row.team as TeamId, 'coordinator', async (change) => {
    await updateIncarnation(change, incarnation, { handle: JSON.stringify(handle) });
    await change.event('agent.view_reopened', { agent_id: member.id, incarnation });
  });
  const row = await findIncarnation(effects.ledger.db, incarnation);
  if (row?.ended_at === null) effects.roster.follow(row, handle);
}
