import { LEADER, shellWord } from '../../kernel/index.ts';
import type { TaskRow, TeamRow } from '../../ledger/index.ts';
import type { CollectView, StatusView } from '../views/index.ts';

/** Tasks that do not go on by themselves. */
const STOPPED: ReadonlySet<TaskRow['status']> = new Set(['blocked', 'failed', 'needs_retry']);

export function isStopped({ status }: Pick<TaskRow, 'status'>): boolean {
  return STOPPED.has(status);
}

/** How a team stands, in one sentence: what came in, what is being worked on, what waits. */
export function settledSummary(status: StatusView, { results }: CollectView): string {
  const running = status.tasks.filter((task) => task.status === 'running').length;
  const stopped = status.tasks.filter(isStopped).length;
  const { queued, held, submitted, dead } = status.deliveries;
  const parts = [
    counted(results.collected, 'result'),
    ...(results.invalid > 0 ? [`${results.invalid} invalid`] : []),
    `${counted(running, 'task')} running`,
    ...(stopped > 0 ? [`${stopped} stopped`] : []),
    `${counted(queued + held + submitted, 'message')} on the way`,
    ...(dead > 0 ? [`${dead} dead`] : []),
  ];
  return `${status.team}: ${parts.join(', ')}`;
}

/** What helps most from here, as commands. */
export function nextActions(status: StatusView, { documents }: Pick<TeamRow, 'documents'>): string[] {
  const asks = Object.values(status.agents).some(({ approvals }) => approvals.length > 0);
  const toLeader = status.queued_messages.some(({ to, reason }) => to === LEADER && reason === 'leader_unbound');
  const asked = status.queued_messages.some(({ reason }) => reason === 'human_confirmation');
  const stopped = status.tasks.filter(isStopped).slice(0, 5);
  const [agent = 'AGENT'] = Object.keys(status.agents);
  const actions = [
    ...(status.intent === 'stopped' ? [`team-agent quick-start ${shellWord(documents)}`] : []),
    ...(asks || asked ? ['team-agent approvals'] : []),
    ...(toLeader ? ['team-agent inbox leader --take'] : []),
    ...stopped.map(
      ({ id, assignee }) => `team-agent send ${assignee ?? agent} "what is to be done" --task ${shellWord(id)}`,
    ),
    ...(status.deliveries.dead > 0 ? ['team-agent deliveries'] : []),
    ...(status.tasks.some((task) => task.status === 'running') ? ['team-agent wait --idle'] : []),
  ];
  return actions.length > 0 ? actions : [`team-agent send ${agent} "what is to be done"`];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
