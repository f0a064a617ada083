import { type AgentId, type Refusal, refuse, shellWord, type TeamId } from '../../kernel/index.ts';
import type { Reading } from '../../ledger/index.ts';
import type { Team } from '../../team/index.ts';
import { livesOf, type Sight } from '../sight.ts';

/** Refuses one agent more than `max_active_agents` allows. Looked at in the plan, and again where the start is committed. */
export async function overLimit(
  { roster }: Pick<Sight, 'roster'>,
  db: Reading,
  { id, maxActive }: Pick<Team, 'id' | 'maxActive'>,
  agent: AgentId,
): Promise<Refusal | undefined> {
  if (maxActive === null) return undefined;
  const { going } = await livesOf({ ledger: { db }, roster }, id);
  const others = going.filter((other) => other !== agent);
  return others.length < maxActive ? undefined : limitReached(id, agent, maxActive, others);
}

function limitReached(team: TeamId, agent: AgentId, most: number, running: readonly AgentId[]): Refusal {
  const words = `--team ${shellWord(team)}`;
  return refuse(
    'max_active_agents',
    `At most ${most} of the agents of ${team} run at a time (max_active_agents), and ${running.join(', ')} ${running.length === 1 ? 'does' : 'do'}. Stop one before ${agent} is started.`,
    {
      evidence: { agent, max_active_agents: most, running },
      next: running.map((other) => `team-agent stop-agent ${other} ${words}`),
    },
  );
}

/** A start that others were quicker than: thrown where it would be committed, so that nothing of it is. */
export class TooMany extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}
