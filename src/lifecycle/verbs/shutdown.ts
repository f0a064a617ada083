import type { AgentId, TeamId } from '../../kernel/index.ts';
import { findTeam, type IncarnationRow, setTeamIntent, type TeamRow, updateAgent } from '../../ledger/index.ts';
import type { Effects } from '../effects.ts';
import { enrol } from '../enrolling.ts';
import { Saga } from '../journal.ts';
import { planShutdown } from '../planning/ending.ts';
import { type Closed, closeLives } from './stop.ts';

export interface ShutDown {
  readonly agents: readonly Closed[];
  /** True when nothing of the team ran any more. */
  readonly already: boolean;
}

/** Ends every process of a team and nothing else, all at once. What each agent showed last is kept. A second call finds nothing to do. */
export function shutDownTeam(effects: Effects, team: TeamRow): Promise<ShutDown> {
  return effects.queue.runAtOnce({ team: team.team as TeamId }, () => shutDown(effects, team.team as TeamId));
}

async function shutDown(effects: Effects, id: TeamId): Promise<ShutDown> {
  const { row, members, lives, already } = await planShutdown(effects, id);
  if (already) return { agents: [], already: true };
  const saga = new Saga(effects.ledger, id);
  await effects.ledger.change(id, 'coordinator', async (change) => {
    await setTeamIntent(change, 'stopped');
    for (const { agent_id, intent } of members)
      if (intent !== 'paused') await updateAgent(change, agent_id as AgentId, { intent: 'stopped' });
    await saga.open(change, 'shutdown', { incarnations: lives.map((life) => life.incarnation) });
    await change.event('team.stopping', { agents: members.map((agent) => agent.agent_id) });
  });
  await enrol(effects, id);
  await effects.reach('shutdown.journalled');
  return completeShutdown(effects, saga, row.session_name, lives);
}

/** The rest of a shutdown after its point of no return; boot comes here when it was cut off. */
export async function completeShutdown(
  effects: Effects,
  saga: Saga,
  sessionName: string,
  lives: readonly IncarnationRow[],
): Promise<ShutDown> {
  const agents = await closeLives(effects, saga.team, lives, 'the team was shut down');
  await effects.reach('shutdown.agents_ended');
  // Settled late, it finds a team that was started since.
  const row = await findTeam(effects.ledger.db, saga.team);
  if (row?.intent === 'stopped') await effects.terminals.closeSession(sessionName);
  await effects.reach('shutdown.session_ended');
  await saga.end('done', async (change) => {
    await change.event('team.stopped', {
      agents: agents.filter((agent) => agent.ended).map((agent) => agent.agent_id),
    });
  });
  return { agents, already: false };
}
