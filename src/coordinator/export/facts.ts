import { LEADER, type TeamId } from '../../kernel/index.ts';
import type { LeaderIdentity } from '../../leader/index.ts';
import {
  acceptedResults,
  agentsOf,
  leaseOf,
  type Reading,
  resultsSummary,
  type TeamRow,
  tasksOf,
  unansweredQuestions,
} from '../../ledger/index.ts';
import { questionsOfMessages } from '../verbs/held-messages.ts';
import type { TeamState } from './team-state.ts';

const RESULTS = 5;
const QUESTIONS = 20;

/** What is stored of a team now. */
export async function teamStateOf(db: Reading, team: TeamRow): Promise<TeamState> {
  const id = team.team as TeamId;
  const [lease, agents, tasks, accepted, results, asked, held] = await Promise.all([
    leaseOf(db, id),
    agentsOf(db, id),
    tasksOf(db, id),
    acceptedResults(db, id),
    resultsSummary(db, id, RESULTS),
    unansweredQuestions(db, id, LEADER, QUESTIONS),
    questionsOfMessages(db, id),
  ]);
  const said = new Map(accepted.map(({ result_id, summary }) => [result_id, summary]));
  const identity = lease?.receiver && lease.identity ? (JSON.parse(lease.identity) as LeaderIdentity) : undefined;
  return {
    team,
    leader: lease && identity ? { provider: identity.provider, epoch: lease.epoch } : null,
    agents,
    tasks: tasks.map((task) => ({
      ...task,
      deps: JSON.parse(task.deps) as string[],
      result: task.accepted_result_id === null ? null : (said.get(task.accepted_result_id) ?? null),
    })),
    results: results.latest,
    questions: [
      ...asked.map(({ message_id, sender, body }) => ({
        text: `${sender}, ${message_id}: ${body}`,
        command: `team-agent send ${sender} "text" --reply-to ${message_id}`,
      })),
      ...held.map(({ id: message, text }) => ({ text, command: `team-agent approve ${message}` })),
    ],
  };
}
