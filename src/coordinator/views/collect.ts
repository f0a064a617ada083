import path from 'node:path';
import type { TeamId } from '../../kernel/index.ts';
import {
  invalidResultsOf,
  type Reading,
  type ResultRow,
  resultCounts,
  resultsOf,
  type TeamRow,
  tasksOf,
} from '../../ledger/index.ts';
import type { InvalidResult, ResultEnvelope } from '../../results/index.ts';

/** What a result that has neither a task nor a message says it is about. */
const NO_TASK = 'manual';

/**
 * The results of a team, all collected: each was taken into its task when it came. `only`: what one file held, its results by
 * id and what was none.
 */
export async function collectView(
  db: Reading,
  team: TeamRow,
  coordinator: object,
  only?: { readonly taken: readonly string[]; readonly invalid: readonly InvalidResult[] },
) {
  const id = team.team as TeamId;
  const [all, refused, tasks, { invalid, unattributed: _, ...by_status }] = await Promise.all([
    resultsOf(db, id),
    invalidResultsOf(db, id),
    tasksOf(db, id),
    resultCounts(db, id),
  ]);
  const known = new Set(tasks.map(({ task_id }) => task_id));
  const shown = only ? all.filter(({ result_id }) => only.taken.includes(result_id)) : all;
  return {
    ok: true as const,
    team: team.team,
    collected: shown.map(envelopeOf),
    collected_results: shown.map((row) => collectedResult(row, known)),
    // Messages go by themselves: none waits for this.
    delivered_messages: [],
    invalid_results: only ? only.invalid : refused.map(invalidResult),
    results: {
      total: all.length + invalid,
      uncollected: 0,
      collected: all.length,
      invalid,
      by_status,
    },
    state_file: stateFileOf(team),
    coordinator,
  };
}
export type CollectView = Awaited<ReturnType<typeof collectView>>;

/** The summary of a team for its people: written, never read back. */
export function stateFileOf(team: Pick<TeamRow, 'documents'>): string {
  return path.join(team.documents, 'export', 'team_state.md');
}

/** A stored result as the envelope that others can check. */
function envelopeOf(row: ResultRow): ResultEnvelope {
  const { notes: _, ...envelope } = JSON.parse(row.envelope) as ResultEnvelope & { notes?: unknown };
  return { ...envelope, agent_id: row.agent_id, task_id: row.task_id ?? row.message_id ?? NO_TASK };
}

function collectedResult(row: ResultRow, tasks: ReadonlySet<string>) {
  const { result_id, task_id, message_id, agent_id, status, summary, created_at } = row;
  const ofTask = task_id !== null && tasks.has(task_id);
  const scope = ofTask ? ('task' as const) : message_id !== null ? ('message' as const) : ('none' as const);
  const { tests } = envelopeOf(row);
  return { result_id, task_id, message_id, agent_id, status, summary, tests, created_at, scope };
}

function invalidResult({ result_id, task_id, agent_id, error, envelope }: ResultRow): InvalidResult {
  const { path: file } = JSON.parse(envelope) as { path: string };
  return { result_id, path: file, task_id, agent_id, error: error ?? '' };
}
