import { type AgentId, isRefusal, type Refusal, type TaskId, type TeamId } from '../../kernel/index.ts';
import { type Reading, type ResultRow, resultsOf, type TeamRow } from '../../ledger/index.ts';
import { parseSince } from './since.ts';

export function resultView(row: ResultRow) {
  const { result_id, seq, agent_id, task_id, message_id, status, summary, created_at } = row;
  const envelope = JSON.parse(row.envelope) as Record<string, unknown>;
  return {
    ...envelope,
    result_id,
    seq,
    agent_id,
    task_id,
    message_id,
    status,
    summary,
    unattributed: row.unattributed === 1,
    created_at,
  };
}
export type ResultView = ReturnType<typeof resultView>;

export async function resultsView(
  db: Reading,
  team: TeamRow,
  args: { agent?: string | undefined; task?: string | undefined; since?: string | number | undefined },
): Promise<{ ok: true; team: string; results: ResultView[] } | Refusal> {
  const since = parseSince(args.since);
  if (isRefusal(since)) return since;
  const filter = { agent: args.agent as AgentId | undefined, task: args.task as TaskId | undefined, ...since };
  const rows = await resultsOf(db, team.team as TeamId, filter);
  return { ok: true, team: team.team, results: rows.map(resultView) };
}
