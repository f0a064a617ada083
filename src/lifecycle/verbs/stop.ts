import { type AgentId, isRefusal, type Refusal, refuse, shellWord, type TeamId } from '../../kernel/index.ts';
import { discardSessions, type IncarnationRow, type TeamRow, updateAgent } from '../../ledger/index.ts';
import { giveUp } from '../../results/index.ts';
import type { Effects } from '../effects.ts';
import { type Ended, endLife, keepLastView } from '../ending.ts';
import { enrol } from '../enrolling.ts';
import { Saga } from '../journal.ts';
import { planStop } from '../planning/ending.ts';
import { unended } from '../survivors.ts';

export interface AgentStopped {
  readonly ok: true;
  /** False when nothing ran any more. */
  readonly stopped: boolean;
  readonly last_view: string | null;
  /** What it started and that goes on without it. */
  readonly goes_on: Ended['goes_on'];
}

/** Ends one agent; its conversation, its mail and its documents stay. A second call finds nothing to do. */
export function stopAgent(effects: Effects, row: TeamRow, agent: AgentId): Promise<AgentStopped | Refusal> {
  return effects.queue.runAtOnceUnlessRefused(
    { team: row.team as TeamId, agent },
    () => planStop(effects, row, agent),
    () => stopNow(effects, row, agent),
  );
}

/** The same for a verb that has the agent to itself already. */
export async function stopNow(
  effects: Effects,
  row: TeamRow,
  agent: AgentId,
  why = 'it was stopped',
): Promise<AgentStopped | Refusal> {
  const plan = await planStop(effects, row, agent);
  if (isRefusal(plan)) return plan;
  const { team, life, already } = plan;
  if (already) return { ok: true, stopped: false, last_view: null, goes_on: [] };
  const saga = new Saga(effects.ledger, team);
  await effects.ledger.change(team, 'coordinator', async (change) => {
    if (plan.member.intent !== 'paused') await updateAgent(change, agent, { intent: 'stopped' });
    await saga.open(change, 'stop', { agent, incarnations: life ? [life.incarnation] : [] });
    await change.event('agent.stopping', { agent_id: agent, why });
  });
  await enrol(effects, team, agent);
  await effects.reach('stop.journalled');
  const [done] = await completeStop(effects, saga, life ? [life] : [], why);
  if (done && !done.ended)
    return cannotProveEnd(done, `team-agent stop-agent ${shellWord(agent)} --team ${shellWord(team)}`);
  return {
    ok: true,
    stopped: done !== undefined,
    last_view: done?.last_view ?? null,
    goes_on: done?.goes_on ?? [],
  };
}

/** The rest of a stop after its point of no return, its first commit; boot comes here when it was cut off. */
export async function completeStop(
  effects: Effects,
  saga: Saga,
  lives: readonly IncarnationRow[],
  why = 'it was stopped',
): Promise<readonly Closed[]> {
  const done = await closeLives(effects, saga.team, lives, why);
  await effects.reach('stop.ended');
  await saga.end('done', async (change) => {
    for (const { agent_id, ended } of done) if (ended) await change.event('agent.stopped', { agent_id });
  });
  return done;
}

/** A life that was to end, with what its screen showed last. */
export type Closed = Ended & { readonly last_view: string | null };

/** Ends lives side by side, each by its own pane. */
export function closeLives(
  effects: Effects,
  team: TeamId,
  lives: readonly IncarnationRow[],
  why: string,
): Promise<readonly Closed[]> {
  return Promise.all(
    lives.map(async (life) => {
      let last_view: string | undefined;
      const ended = await endLife(effects, life, why, async (pane) => {
        last_view = await keepLastView(effects, team, life.agent_id as AgentId, pane);
      });
      return { ...ended, last_view: last_view ?? null };
    }),
  );
}

/** `again`: the command that tries it once more. */
export function cannotProveEnd(done: Ended, again: string): Refusal {
  const { agent_id: agent, incarnation, left } = done;
  const { message, next } = unended([done], again);
  return refuse('shutdown_partial', message, { evidence: { agent, incarnation, left }, next });
}

/** Gives up the conversation of an agent that does not run: from now on nobody resumes it, and nothing would be lost. */
export async function discardConversation(effects: Effects, row: TeamRow, agent: AgentId, by: string): Promise<number> {
  const discarded = await effects.ledger.change(row.team as TeamId, by, async (change) => {
    const sessions = await giveUp(
      change,
      effects.mint,
      { agent, what: 'lost its conversation, which was given up' },
      () => discardSessions(change, agent),
    );
    await change.event('session.discarded', { agent_id: agent, sessions });
    return sessions.length;
  });
  await enrol(effects, row.team as TeamId, agent);
  return discarded;
}
