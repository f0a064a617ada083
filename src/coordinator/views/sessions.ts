import type { AgentId, IncarnationId, TeamId } from '../../kernel/index.ts';
import { agentsOf, findIncarnation, lastSession, type Reading, type TeamRow } from '../../ledger/index.ts';
import { handleOf } from '../../lifecycle/index.ts';

/** What each agent of a team would go on with at its next start. */
export async function sessionsView(db: Reading, team: TeamRow) {
  const id = team.team as TeamId;
  const rows = await Promise.all(
    (await agentsOf(db, id)).map(async ({ agent_id, provider, model, intent, interacted_at }) => {
      const last = await lastSession(db, id, agent_id as AgentId);
      const life = last && (await findIncarnation(db, last.incarnation as IncarnationId));
      return {
        agent_id,
        provider,
        model,
        intent,
        // The credential profile of the life that worked on it.
        profile: (life && handleOf(life)?.details.profile) ?? null,
        session_id: last?.session_id ?? null,
        record: last?.record ?? null,
        captured_at: last?.opened_at ?? null,
        incarnation: last?.incarnation ?? null,
        interacted: interacted_at ?? ('never' as const),
      };
    }),
  );
  return { ok: true as const, team: team.team, sessions: rows };
}
