import { type AgentId, type Refusal, refuse, shellWord, type TeamId } from '../../kernel/index.ts';
import {
  agentsOf,
  discardSessions,
  type IncarnationRow,
  liveIncarnations,
  type TeamRow,
  updateAgent,
} from '../../ledger/index.ts';
import type { Effects } from '../effects.ts';
import { type Ended, endLife, keepLastView } from '../ending.ts';
import { enrol } from '../enrolling.ts';
import { Saga } from '../journal.ts';
import { unended } from '../survivors.ts';

export interface AgentStopped {
  readonly ok: true;
  /** False when nothing ran any more. */
  readonly stopped: boolean;
  readonly last_view: string | null;
}

/** Ends one agent; its conversation, its mail and its documents stay. A second call finds nothing to do. */
export function stopAgent(effects: Effects, row: TeamRow, agent: AgentId): Promise<AgentStopped | Refusal> {
  return effects.queue.runAtOnce({ team: row.team as TeamId, agent }, () => stopNow(effects, row, agent));
}

/** The same for a verb that has the agent to itself already. */
export async function stopNow(
  effects: Effects,
  row: TeamRow,
  agent: AgentId,
  why = 'it was stopped',
): Promise<AgentStopped | Refusal> {
  const team = row.team as TeamId;
  const known = (await agentsOf(effects.ledger.db, team)).find(({ agent_id }) => agent_id === agent);
  if (!known) {
    return refuse('agent_not_found', `Nobody in the team ${team} is called ${agent}.`, {
      evidence: { agent },
      next: [`team-agent status --team ${shellWord(team)}`],
    });
  }
  const life = (await liveIncarnations(effects.ledger.db, team)).find(({ agent_id }) => agent_id === agent);
  const paused = known.intent === 'paused';
  if (!life && (paused || known.intent === 'stopped')) return { ok: true, stopped: false, last_view: null };
  const saga = new Saga(effects.ledger, team);
  await effects.ledger.change(team, 'coordinator', async (change) => {
    if (!paused) await updateAgent(change, agent, { intent: 'stopped' });
    await saga.open(change, 'stop', { incarnations: life ? [life.incarnation] : [] });
    await change.event('agent.stopping', { agent_id: agent, why });
  });
  await enrol(effects, team, agent);
  await effects.reach('stop.journalled');
  const [done] = await completeStop(effects, saga, life ? [life] : [], why);
  if (done && !done.ended) {
    const { message, next } = unended([done], `team-agent stop-agent ${shellWord(agent)} --team ${shellWord(team)}`);
    const { incarnation, left } = done;
    return refuse('shutdown_partial', message, { evidence: { agent, incarnation, left }, next });
  }
  return { ok: true, stopped: done !== undefined, last_view: done?.last_view ?? null };
}

/** The rest of a stop after its point of no return, its first commit; boot comes here when it was cut off. */
export async function completeStop(
  effects: Effects,
  saga: Saga,
  lives: readonly IncarnationRow[],
  why = 'it was stopped',
): Promise<readonly (Ended & { readonly last_view: string | null })[]> {
  const done = await Promise.all(
    lives.map(async (life) => {
      let last_view: string | undefined;
      const ended = await endLife(effects, life, why, async (pane) => {
        last_view = await keepLastView(effects, saga.team, life.agent_id as AgentId, pane);
      });
      return { ...ended, last_view: last_view ?? null };
    }),
  );
  await effects.reach('stop.ended');
  await saga.end('done', async (change) => {
    for (const { agent_id, ended } of done) if (ended) await change.event('agent.stopped', { agent_id });
  });
  return done;
}

/** Gives up the conversation of an agent that does not run: from now on nobody resumes it, and nothing would be lost. */
export async function discardConversation(effects: Effects, row: TeamRow, agent: AgentId, by: string): Promise<number> {
  const discarded = await effects.ledger.change(row.team as TeamId, by, async (change) => {
    const sessions = await discardSessions(change, agent);
    await change.event('session.discarded', { agent_id: agent, sessions });
    return sessions.length;
  });
  await enrol(effects, row.team as TeamId, agent);
  return discarded;
}
