import { z } from 'zod';
import { type AgentId, isRefusal, type Refusal, refuse, type TeamId } from '../../kernel/index.ts';
import { agentsOf, sessionOf, type TeamRow } from '../../ledger/index.ts';
import {
  type ResetOrder,
  resetAgent as resetAgentOf,
  restartTeam,
  startOne,
  stopAgent,
} from '../../lifecycle/index.ts';
import { type Caller, ownTeamsOf, workerMayNot } from '../api/callers.ts';
import {
  resetInput,
  resetOrder,
  restartInput,
  restartOrder,
  startInput,
  startOrder,
  stopInput,
  whoInput,
} from '../orders.ts';
import type { Origins } from '../origins.ts';
import { type Asker, planVerb } from '../planning.ts';
import type { Runtime } from '../runtime.ts';
import { selectRunningTeam, selectTeam, selectTeamToRestart, teamWords } from '../teams.ts';
import { leaderView, sessionsView, stateFileOf } from '../views/index.ts';
import { bindCaller } from './leading/launching.ts';
import { type Asked, verb } from './verb.ts';

/** Who asks for a plan, or for what it would do. */
export const askerOf = (caller: Caller): Asker => ({ own: ownTeamsOf(caller), by: askedBy(caller) });

export const askedBy = (caller: Caller): string => (caller.kind === 'leader' ? 'leader' : 'person');

/**
 * The team that runs, and the order of a verb that starts one of its agents, with what that one gets from whoever asks.
 * `orderOf` makes the order of what was said.
 */
export async function orderFor<
  Said extends Parameters<Origins['of']>[1] & { readonly team?: string | undefined },
  Order,
>(
  { runtime, caller }: Pick<Asked, 'runtime' | 'caller'>,
  said: Said,
  orderOf: (row: TeamRow, said: Said, asked_by: string) => Order & { readonly command: string },
): Promise<{ readonly team: TeamRow; readonly order: Order } | Refusal> {
  const team = await selectRunningTeam(runtime.effects.ledger.db, said.team, ownTeamsOf(caller));
  if (isRefusal(team)) return team;
  const { command } = orderOf(team, said, askedBy(caller));
  const origin = runtime.origins.of(team.team as TeamId, said, command);
  return isRefusal(origin) ? origin : { team, order: orderOf(team, { ...said, ...origin }, askedBy(caller)) };
}

/** Who would be started: the caller finds out which variables they ask for, and passes the values on. */
export const whoStarts = verb({
  input: whoInput,
  agents: true,
  run: async ({ runtime, caller }, args) => {
    // Said of the verb that was typed, which is the next to be asked for.
    const mayNot = workerMayNot(caller, args.verb);
    if (mayNot) return mayNot;
    return planVerb('who-starts', runtime.effects, args, askerOf(caller));
  },
});

export const startAgent = verb({
  input: startInput,
  agents: false,
  run: async (asked, args) => {
    const { runtime } = asked;
    const found = await orderFor(asked, args, startOrder);
    if (isRefusal(found)) return found;
    const { team, order } = found;
    const { agent } = order;
    const started = await startOne(runtime.effects, team, order);
    if (isRefusal(started)) return started;
    runtime.office(team.team as TeamId).wake(agent);
    const warnings = started.started?.agent.installation.warnings ?? [];
    const { start_mode, goes_on } = started;
    return { ok: true, ...(await agentView(runtime, team, agent)), start_mode, warnings, goes_on };
  },
});

export const stopOne = verb({
  input: stopInput,
  agents: false,
  run: async ({ runtime, caller }, args) => {
    const team = await selectTeam(runtime.effects.ledger.db, args.team, ownTeamsOf(caller));
    if (isRefusal(team)) return team;
    const stopped = await stopAgent(runtime.effects, team, args.agent as AgentId);
    if (isRefusal(stopped)) return stopped;
    return { ...stopped, agent_id: args.agent, status: 'stopped', state_file: stateFileOf(team) };
  },
});

/** Gives up an agent's conversation and starts it with none. */
export const resetAgent = verb({
  input: resetInput,
  agents: false,
  run: async ({ runtime, caller }, args) => {
    const team = await selectRunningTeam(runtime.effects.ledger.db, args.team, ownTeamsOf(caller));
    if (isRefusal(team)) return team;
    if (!args.discard_session) return discardRequired(resetOrder(team, args, askedBy(caller)));
    const found = await orderFor({ runtime, caller }, args, resetOrder);
    if (isRefusal(found)) return found;
    const { order } = found;
    const { agent } = order;
    const reset = await resetAgentOf(runtime.effects, team, order);
    if (isRefusal(reset)) return reset;
    runtime.office(team.team as TeamId).wake(agent);
    const warnings = reset.started?.agent.installation.warnings ?? [];
    const { start_mode, stopped, discarded, goes_on } = reset;
    const seen = await agentView(runtime, team, agent);
    return { ok: true, ...seen, start_mode, stopped, discarded, warnings, goes_on };
  },
});

export const restart = verb({
  input: restartInput,
  agents: false,
  run: async ({ runtime, caller }, args) => {
    const { effects } = runtime;
    const team = await selectTeamToRestart(effects, args.team, ownTeamsOf(caller));
    if (isRefusal(team)) return team;
    const { command } = restartOrder(team, args, askedBy(caller));
    const origin = runtime.origins.of(team.team as TeamId, args, command);
    if (isRefusal(origin)) return origin;
    const restarted = await restartTeam(effects, team, restartOrder(team, { ...args, ...origin }, askedBy(caller)));
    if (isRefusal(restarted)) return restarted;
    const told = await bindCaller(runtime, restarted.team.id, caller, {
      ...origin.environment,
      ...args.caller_environment,
    });
    const agents = await Promise.all(
      restarted.agents.map(async ({ agent, ready_ms, restart_mode }) => ({
        ...(await agentView(runtime, team, agent.spec.id)),
        restart_mode,
        ready_ms,
      })),
    );
    const words = await teamWords(effects.ledger.db, team.team as TeamId);
    return {
      ok: true,
      team: team.team,
      session_name: restarted.team.sessionName,
      agents,
      coordinator: { status: 'running', pid: process.pid },
      leader: await leaderView(effects.ledger.db, runtime, team.team as TeamId),
      warnings: [...new Set(restarted.agents.flatMap(({ agent }) => agent.installation.warnings)), ...told],
      next: [`team-agent status${words}`, `team-agent shutdown${words}`],
    };
  },
});

/** One row per agent: what it would go on with. */
export const sessions = verb({
  input: z.object({ team: z.string().optional() }),
  agents: true,
  run: async ({ runtime, caller }, args) => {
    const team = await selectTeam(runtime.effects.ledger.db, args.team, ownTeamsOf(caller));
    return isRefusal(team) ? team : sessionsView(runtime.effects.ledger.db, team);
  },
});

/** An agent that was just started. */
export async function agentView(runtime: Runtime, team: TeamRow, agent: AgentId) {
  const { db } = runtime.effects.ledger;
  const member = runtime.member(team.team as TeamId, agent);
  const incarnation = member?.incarnation;
  const row = (await agentsOf(db, team.team as TeamId)).find(({ agent_id }) => agent_id === agent);
  return {
    agent_id: agent,
    status: 'running' as const,
    provider: row?.provider ?? null,
    incarnation: incarnation ?? null,
    session_id: incarnation ? ((await sessionOf(db, incarnation))?.session_id ?? null) : null,
    state: member?.turn().state ?? null,
  };
}

function discardRequired({ agent, command }: ResetOrder): Refusal {
  return refuse(
    'discard_session_required',
    `A reset gives up the conversation of ${agent}: say so with --discard-session.`,
    { evidence: { agent }, next: [`${command} --discard-session`] },
  );
}
