import { LEADER, type TeamId } from '../../kernel/index.ts';
import type { LeaderIdentity } from '../../leader/index.ts';
import {
  agentsOf,
  foremostTasks,
  latestResults,
  leaseOf,
  type Reading,
  type TeamRow,
  unansweredQuestions,
} from '../../ledger/index.ts';
import { questionsOfMessages } from '../verbs/approving/held-messages.ts';
import type { TeamState } from './team-state.ts';

const TASKS = 200;
const RESULTS = 5;
const QUESTIONS = 20;

/** What is stored of a team now. */
export async function teamStateOf(db: Reading, team: TeamRow): Promise<TeamState> {
  const id = team.team as TeamId;
  const [lease, agents, { tasks, total }, results, asked, held] = await Promise.all([
    leaseOf(db, id),
    agentsOf(db, id),
    foremostTasks(db, id, TASKS),
    latestResults(db, id, RESULTS),
    unansweredQuestions(db, id, LEADER, QUESTIONS),
    questionsOfMessages(db, id),
  ]);
  const identity = lease?.receiver && lease.identity ? (JSON.parse(lease.identity) as LeaderIdentity) : undefined;
  return {
    team,
    leader: lease && identity ? { provider: identity.provider, epoch: lease.epoch } : null,
    agents,
    tasks: tasks.map((task) => ({ ...task, deps: JSON.parse(task.deps) as string[] })),
    tasksInAll: total,
    results,
    questions: [
      ...asked.map(({ message_id, sender, body }) => ({
        text: `${sender}, ${message_id}: ${body}`,
        command: `team-agent send ${sender} "text" --reply-to ${message_id}`,
      })),
      ...held.map(({ id: message, text }) => ({ text, command: `team-agent approve ${message}` })),
    ],
  };
}
