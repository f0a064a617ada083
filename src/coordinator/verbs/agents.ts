import { z } from 'zod';
import { type AgentId, isRefusal, type Refusal, refuse, shellWord, type TeamId } from '../../kernel/index.ts';
import { agentsOf, sessionOf, type TeamRow } from '../../ledger/index.ts';
import { resetAgent as resetAgentOf, restartTeam, startOne, stopAgent, whoAsks } from '../../lifecycle/index.ts';
import { type Caller, ownTeamOf, workerMayNot } from '../callers.ts';
import type { Runtime } from '../runtime.ts';
import { selectRunningTeam, selectTeam, selectTeamToRestart } from '../teams.ts';
import { leaderView, sessionsView, stateFileOf } from '../views/index.ts';
import { bindCaller } from './leading/launching.ts';
import { verb } from './verb.ts';

const environment = z.record(z.string(), z.string()).default({});
const consent = {
  environment,
  umask: z.number().int().min(0).max(0o777).optional(),
  trust: z.boolean().optional(),
  yes: z.boolean().optional(),
  allow_fresh: z.boolean().default(false),
  team: z.string().optional(),
};

const askedBy = (caller: Caller): string => (caller.kind === 'leader' ? 'leader' : 'person');

/** Who would be started: the caller finds out which variables they ask for, and passes the values on. */
export const whoStarts = verb({
  input: z.object({ verb: z.string(), team: z.string().optional() }),
  agents: true,
  run: async ({ runtime, caller }, args) => {
    // Said of the verb that was typed, which is the next to be asked for.
    const mayNot = workerMayNot(caller, args.verb);
    if (mayNot) return mayNot;
    const own = ownTeamOf(caller);
    const team =
      args.verb === 'restart'
        ? await selectTeamToRestart(runtime, args.team, own)
        : await selectTeam(runtime.effects.ledger.db, args.team, own);
    if (isRefusal(team)) return team;
    const agents = whoAsks(runtime.effects, team);
    return isRefusal(agents) ? agents : { ok: true, team: team.team, agents };
  },
});

export const startAgent = verb({
  input: z.object({ agent: z.string(), force: z.boolean().default(false), ...consent }),
  agents: false,
  run: async ({ runtime, caller }, args) => {
    const team = await selectRunningTeam(runtime.effects.ledger.db, args.team, ownTeamOf(caller));
    if (isRefusal(team)) return team;
    const agent = args.agent as AgentId;
    const command = commandOf(`start-agent ${shellWord(agent)}`, team, args);
    const started = await startOne(runtime.effects, team, { ...args, agent, asked_by: askedBy(caller), command });
    if (isRefusal(started)) return started;
    runtime.office(team.team as TeamId).wake(agent);
    return { ok: true, ...(await agentView(runtime, team, agent)), start_mode: started.start_mode };
  },
});

export const stopOne = verb({
  input: z.object({ agent: z.string(), team: z.string().optional() }),
  agents: false,
  run: async ({ runtime, caller }, args) => {
    const team = await selectTeam(runtime.effects.ledger.db, args.team, ownTeamOf(caller));
    if (isRefusal(team)) return team;
    const stopped = await stopAgent(runtime.effects, team, args.agent as AgentId);
    if (isRefusal(stopped)) return stopped;
    const { last_view } = stopped;
    const state_file = stateFileOf(team);
    return { ok: true, agent_id: args.agent, status: 'stopped', stopped: stopped.stopped, last_view, state_file };
  },
});

/** Gives up an agent's conversation and starts it with none. */
export const resetAgent = verb({
  input: z.object({ agent: z.string(), discard_session: z.boolean().default(false), ...consent }),
  agents: false,
  run: async ({ runtime, caller }, args) => {
    const team = await selectRunningTeam(runtime.effects.ledger.db, args.team, ownTeamOf(caller));
    if (isRefusal(team)) return team;
    const command = commandOf(`reset-agent ${shellWord(args.agent)}`, team, args);
    if (!args.discard_session) return discardRequired(args.agent, command);
    const agent = args.agent as AgentId;
    const reset = await resetAgentOf(runtime.effects, team, { ...args, agent, asked_by: askedBy(caller), command });
    if (isRefusal(reset)) return reset;
    runtime.office(team.team as TeamId).wake(agent);
    const { start_mode, stopped, discarded } = reset;
    return { ok: true, ...(await agentView(runtime, team, agent)), start_mode, stopped, discarded };
  },
});

export const restart = verb({
  input: z.object({ ...consent, caller_environment: environment }),
  agents: false,
  run: async ({ runtime, caller }, args) => {
    const { effects } = runtime;
    const team = await selectTeamToRestart(runtime, args.team, ownTeamOf(caller));
    if (isRefusal(team)) return team;
    const command = commandOf('restart', team, args);
    const restarted = await restartTeam(effects, team, { ...args, asked_by: askedBy(caller), command });
    if (isRefusal(restarted)) return restarted;
    const told = await bindCaller(runtime, restarted.team.id, caller, {
      ...args.environment,
      ...args.caller_environment,
    });
    const agents = await Promise.all(
      restarted.agents.map(async ({ agent, ready_ms, restart_mode }) => ({
        ...(await agentView(runtime, team, agent.spec.id)),
        restart_mode,
        ready_ms,
      })),
    );
    return {
      ok: true,
      team: team.team,
      session_name: restarted.team.sessionName,
      agents,
      coordinator: { status: 'running', pid: process.pid },
      leader: await leaderView(effects.ledger.db, runtime, team.team as TeamId),
      warnings: told,
      next: ['team-agent status', 'team-agent shutdown'],
    };
  },
});

/** One row per agent: what it would go on with. */
export const sessions = verb({
  input: z.object({ team: z.string().optional() }),
  agents: true,
  run: async ({ runtime, caller }, args) => {
    const team = await selectTeam(runtime.effects.ledger.db, args.team, ownTeamOf(caller));
    return isRefusal(team) ? team : sessionsView(runtime.effects.ledger.db, team);
  },
});

async function agentView(runtime: Runtime, team: TeamRow, agent: AgentId) {
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

function discardRequired(agent: string, command: string): Refusal {
  return refuse(
    'discard_session_required',
    `A reset gives up the conversation of ${agent}: say so with --discard-session.`,
    { evidence: { agent }, next: [`${command} --discard-session`] },
  );
}

interface Said {
  readonly force?: boolean;
  readonly allow_fresh?: boolean;
  readonly discard_session?: boolean;
  readonly trust?: boolean | undefined;
  readonly yes?: boolean | undefined;
}

/** The command line that asked, to be typed again with more flags. */
function commandOf(words: string, team: TeamRow, said: Said): string {
  const { force, allow_fresh, discard_session, trust, yes } = said;
  return [
    `team-agent ${words} --team ${shellWord(team.team)}`,
    ...(force ? ['--force'] : []),
    ...(allow_fresh ? ['--allow-fresh'] : []),
    ...(discard_session ? ['--discard-session'] : []),
    ...(trust ? ['--trust'] : []),
    ...(yes ? ['--yes'] : []),
  ].join(' ');
}
