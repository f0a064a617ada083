import { z } from 'zod';
import { type AgentId, isRefusal, type Refusal, refuse, shellWord, type TeamId } from '../../kernel/index.ts';
import { agentsOf, type TeamRow } from '../../ledger/index.ts';
import { teamNotRunning } from '../../lifecycle/index.ts';
import { ownTeamOnly, ownTeamsOf } from '../api/callers.ts';
import type { Runtime } from '../runtime.ts';
import { selectTeam } from '../teams.ts';
import { verb } from './verb.ts';

/** Nothing is known of one that nobody follows. */
const NOTHING = { process_started: false, cli_prompt_ready: false, mcp_ready: false };

/** Waits until every agent that is asked to run takes input and has its team tools. Every commit, and all that is seen of an agent, is a new look. */
export const waitReady = verb({
  input: z.object({ timeout_s: z.number().positive().max(86_400).default(120), team: z.string().optional() }),
  agents: true,
  run: async ({ runtime, caller, gone }, args): Promise<object | Refusal> => {
    const { ledger, changes } = runtime.effects;
    const team = await selectTeam(ledger.db, args.team, ownTeamsOf(caller));
    if (isRefusal(team)) return team;
    const foreign = ownTeamOnly(caller, team.team);
    if (foreign) return foreign;
    const look = async () => {
      const agents = await readinessOf(runtime, team);
      return agents.length === 0 || agents.every(isReady) ? agents : undefined;
    };
    const agents = await changes.until(look, args.timeout_s * 1_000, gone);
    if (!agents) return notReady(await readinessOf(runtime, team), team, args.timeout_s);
    return agents.length === 0 ? teamNotRunning(team) : answer(agents, team);
  },
});

async function readinessOf(runtime: Runtime, { team }: TeamRow) {
  const members = await agentsOf(runtime.effects.ledger.db, team as TeamId);
  return members
    .filter(({ intent }) => intent === 'running')
    .map(({ agent_id, interacted_at }) => {
      const seen = runtime.member(team as TeamId, agent_id as AgentId)?.readiness() ?? NOTHING;
      return { agent_id, readiness: { ...seen, task_prompt_delivered: interacted_at !== null } };
    });
}
type Looked = Awaited<ReturnType<typeof readinessOf>>;

const isReady = ({ readiness }: Looked[number]): boolean =>
  readiness.process_started && readiness.cli_prompt_ready && readiness.mcp_ready;

function answer(agents: Looked, { team }: TeamRow): object {
  return {
    ok: true,
    team,
    summary: `${agents.map(({ agent_id }) => agent_id).join(', ')}: ready`,
    readiness: ofAll(agents),
    agents,
    next_actions: [`team-agent send AGENT "what is to be done" --team ${shellWord(team)}`],
  };
}

/** What is true of every one of them. */
function ofAll(agents: Looked) {
  const all = (fact: keyof Looked[number]['readiness']) => agents.every(({ readiness }) => readiness[fact]);
  return {
    process_started: all('process_started'),
    cli_prompt_ready: all('cli_prompt_ready'),
    mcp_ready: all('mcp_ready'),
    task_prompt_delivered: all('task_prompt_delivered'),
  };
}

function notReady(agents: Looked, { team }: TeamRow, seconds: number): Refusal {
  const late = agents.filter((agent) => !isReady(agent));
  const lacks = late.map(({ agent_id, readiness }) => `${agent_id} (${missing(readiness)})`).join(', ');
  return refuse('timeout', `Not ready after ${seconds} s: ${lacks}.`, {
    evidence: { team, readiness: ofAll(agents), agents },
    next: [...late.map(({ agent_id }) => `team-agent why ${agent_id} --team ${shellWord(team)}`), 'team-agent status'],
  });
}

function missing(readiness: Looked[number]['readiness']): string {
  if (!readiness.process_started) return 'its process does not run';
  return readiness.cli_prompt_ready ? 'it has not asked for its team tools' : 'it takes no input yet';
}
