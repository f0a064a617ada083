import type { AgentId, TeamId } from '../kernel/index.ts';
import { everybodyOf } from '../ledger/index.ts';
import type { Effects } from './effects.ts';

/**
 * Who is in a team by the ledger is in it by the roster, as the ledger has it now: everybody, or one agent. Who was removed
 * is known there too: what is still on its way to it is settled.
 */
export async function enrol({ ledger, roster }: Effects, team: TeamId, agent?: AgentId): Promise<void> {
  for (const row of await everybodyOf(ledger.db, team)) {
    if (agent === undefined || row.agent_id === agent) roster.enrol(row);
  }
}
