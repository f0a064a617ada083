import { type AgentId, type Refusal, refuse, shellWord, type TeamId } from '../../kernel/index.ts';
import {
  type AgentRow,
  agentsOf,
  findTeam,
  type IncarnationRow,
  liveIncarnations,
  type TeamRow,
} from '../../ledger/index.ts';
import type { Sight } from '../sight.ts';
import { type AgentPlan, type Kept, subjectOf } from './plan.ts';

/** What a stop will do. */
export interface StopPlan {
  readonly team: TeamId;
  readonly member: AgentRow;
  /** Undefined: nothing runs. */
  readonly life: IncarnationRow | undefined;
  /** Nothing runs, and nothing is asked to. */
  readonly already: boolean;
  readonly agents: readonly AgentPlan[];
}

export async function planStop({ ledger }: Sight, row: TeamRow, agent: AgentId): Promise<StopPlan | Refusal> {
  const team = row.team as TeamId;
  const members = await agentsOf(ledger.db, team);
  const member = members.find(({ agent_id }) => agent_id === agent);
  if (!member) return unknownMember(team, agent, members);
  const life = (await liveIncarnations(ledger.db, team)).find(({ agent_id }) => agent_id === agent);
  const already = !life && member.intent !== 'running';
  return { team, member, life, already, agents: [endOf(member, life)] };
}

export function unknownMember(team: TeamId, agent: AgentId, members: readonly AgentRow[]): Refusal {
  return refuse('agent_not_found', `Nobody in the team ${team} is called ${agent}.`, {
    evidence: { agent, members: members.map(({ agent_id }) => agent_id) },
    next: [`team-agent status --team ${shellWord(team)}`],
  });
}

/** What a shutdown will do. */
export interface ShutdownPlan {
  readonly row: TeamRow;
  readonly members: readonly AgentRow[];
  readonly lives: readonly IncarnationRow[];
  /** Nothing of the team runs, and nothing is asked to. */
  readonly already: boolean;
  readonly agents: readonly AgentPlan[];
}

export async function planShutdown({ ledger }: Sight, team: TeamId): Promise<ShutdownPlan> {
  const row = await findTeam(ledger.db, team);
  if (!row) throw new Error(`no such team: ${team}`);
  const [members, lives] = await Promise.all([agentsOf(ledger.db, team), liveIncarnations(ledger.db, team)]);
  const already = row.intent === 'stopped' && lives.length === 0;
  const agents = members.map((member) =>
    endOf(
      member,
      lives.find(({ agent_id }) => agent_id === member.agent_id),
    ),
  );
  return { row, members, lives, already, agents };
}

function endOf(member: AgentRow, life: IncarnationRow | undefined): AgentPlan {
  const spec = subjectOf(member);
  if (life) return { action: 'stop', spec, life, reason: 'it runs; what it knows stays' };
  const intent: Kept['intent'] = member.intent === 'paused' ? 'paused' : 'stopped';
  return { action: 'keep', spec, intent, reason: 'it does not run' };
}
