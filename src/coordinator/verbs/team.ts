import { z } from 'zod';
import { isRefusal, type Refusal, shellWord } from '../../kernel/index.ts';
import { sessionOf, type TeamRow, teams } from '../../ledger/index.ts';
import { type Launched, launchTeam, shutDownTeam, unended } from '../../lifecycle/index.ts';
import { ownTeamsOf, workerMayNot } from '../api/callers.ts';
import { launchInput, launchOrder, planInput, shutdownInput } from '../orders.ts';
import { planVerb } from '../planning.ts';
import type { Runtime } from '../runtime.ts';
import { selectTeam, teamWords } from '../teams.ts';
import { leaderView } from '../views/index.ts';
import { askedBy, askerOf } from './agents.ts';
import { bindCaller } from './leading/launching.ts';
import { verb } from './verb.ts';

export const quickStart = verb({
  input: launchInput,
  agents: false,
  run: async ({ runtime, caller }, args) => {
    const launched = await launchTeam(runtime.effects, launchOrder(args, askedBy(caller)));
    if (isRefusal(launched)) return launched;
    const environment = args.environment ?? {};
    runtime.origins.keep(launched.team.id, { environment, umask: args.umask });
    const told = await bindCaller(runtime, launched.team.id, caller, { ...environment, ...args.caller_environment });
    return launchedAnswer(runtime, launched, told);
  },
});

/** What another verb would do. */
export const plan = verb({
  input: planInput,
  agents: false,
  run: ({ runtime, caller }, { of, ...args }) => planVerb(of, runtime.effects, args, askerOf(caller)),
});

/** Every check that a launch makes, and what came out. */
export const preflight = verb({
  input: launchInput,
  agents: true,
  run: ({ runtime, caller }, args) => planVerb('preflight', runtime.effects, args, askerOf(caller)),
});

/** May this caller start a team? Asked when its own environment speaks against it, which need not be a person's. */
export const mayStart = verb({
  input: z.object({}),
  agents: true,
  run: async ({ caller }) => workerMayNot(caller, 'quick-start') ?? { ok: true },
});

async function launchedAnswer(runtime: Runtime, { team, agents }: Launched, told: readonly string[]): Promise<object> {
  const rows = await Promise.all(
    agents.map(async ({ agent, ready_ms }) => ({
      agent_id: agent.spec.id,
      provider: agent.spec.provider,
      incarnation: agent.incarnation,
      session_id: (await sessionOf(runtime.effects.ledger.db, agent.incarnation))?.session_id ?? null,
      state: runtime.member(team.id, agent.spec.id)?.turn().state ?? null,
      ready_ms,
    })),
  );
  const [first] = rows;
  const words = await teamWords(runtime.effects.ledger.db, team.id);
  return {
    ok: true,
    team: team.id,
    name: team.name,
    session_name: team.sessionName,
    folder: team.folder,
    agents: rows,
    coordinator: { status: 'running', pid: process.pid },
    leader: await leaderView(runtime.effects.ledger.db, runtime, team.id),
    warnings: [...new Set(agents.flatMap(({ agent }) => agent.installation.warnings)), ...told],
    next: [
      `team-agent send${words} ${first?.agent_id ?? 'AGENT'} "what is to be done"`,
      `team-agent status${words}`,
      `team-agent inbox leader --take${words}`,
      `team-agent shutdown${words}`,
    ],
  };
}

export const shutdown = verb({
  input: shutdownInput,
  agents: false,
  run: async ({ runtime, caller }, args): Promise<object | Refusal> => {
    const { db } = runtime.effects.ledger;
    const team = await selectTeam(db, args.team, ownTeamsOf(caller));
    if (isRefusal(team)) return team;
    // The end of a session cuts our client off as a crash would: nobody is to be revived for that.
    const revive = (await onlyStopped(runtime, team)) ? await runtime.effects.terminals.reviveWith('') : undefined;
    const done = await shutDownTeam(runtime.effects, team);
    await runtime.office(team.team as Parameters<Runtime['office']>[0]).settled();
    const left = done.agents.filter((agent) => !agent.ended);
    // Looked at now: another verb may have begun meanwhile, or wait for this one.
    const ending = left.length === 0 && (await onlyStopped(runtime)) && runtime.effects.queue.isIdle();
    if (ending) runtime.endSoon('the last team was shut down');
    else if (revive) await runtime.effects.terminals.reviveWith(revive);
    const answer = {
      team: team.team,
      session_name: team.session_name,
      ...done,
      coordinator: { status: ending ? ('ending' as const) : ('running' as const), pid: process.pid },
    };
    if (left.length === 0) return { ok: true, ...answer };
    return {
      ...answer,
      ok: false,
      partial: true,
      reason: 'shutdown_partial',
      evidence: { left: left.map((agent) => agent.agent_id) },
      ...unended(left, `team-agent shutdown --team ${shellWord(team.team)}`),
    };
  },
});

/** Does nobody need a coordinator, or nobody but this team? */
async function onlyStopped(runtime: Runtime, but?: TeamRow): Promise<boolean> {
  const running = (await teams(runtime.effects.ledger.db)).filter(({ intent }) => intent !== 'stopped');
  return running.every(({ team }) => team === but?.team) && !runtime.effects.leaders.someLaunched();
}
