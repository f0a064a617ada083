import { z } from 'zod';
import {
  type AgentId,
  isRefusal,
  LEADER,
  type Refusal,
  refuse,
  shellWord,
  type TaskId,
  type TeamId,
} from '../../../kernel/index.ts';
import { agentsOf, findTask, tasksOf } from '../../../ledger/index.ts';
import { repairTask, TASK_STATUSES } from '../../../results/index.ts';
import { ownTeamsOf, senderIn } from '../../api/callers.ts';
import { selectTeam } from '../../teams.ts';
import { stateFileOf, unknownAgent } from '../../views/index.ts';
import { verb } from '../verb.ts';

/** Sets a task right by hand: who has it, how it stands. What it was before stays on record. */
export const repairState = verb({
  input: z.object({
    task: z.string(),
    assignee: z.string().optional(),
    status: z.string().optional(),
    summary: z.string().optional(),
    team: z.string().optional(),
  }),
  agents: false,
  run: async ({ runtime, caller }, args) => {
    const { ledger } = runtime.effects;
    const team = await selectTeam(ledger.db, args.team, ownTeamsOf(caller));
    if (isRefusal(team)) return team;
    const id = team.team as TeamId;
    const status = TASK_STATUSES.find((known) => known === args.status);
    if (args.status !== undefined && status === undefined) return unknownStatus(args.task, args.status);
    const members = (await agentsOf(ledger.db, id)).map(({ agent_id }) => agent_id);
    if (args.assignee !== undefined && args.assignee !== LEADER && !members.includes(args.assignee))
      return unknownAgent(team, args.assignee, members);
    if (args.assignee === undefined && status === undefined && args.summary === undefined)
      return nothingToDo(args.task);
    const assignee = args.assignee as AgentId | undefined;
    const repaired = await ledger.change(id, senderIn(team.team, caller).sender, async (change) => {
      const task = await findTask(change.tx, id, args.task as TaskId);
      return task && repairTask(change, task, { assignee, status, summary: args.summary });
    });
    if (!repaired)
      return unknownTask(
        args.task,
        (await tasksOf(ledger.db, id)).map(({ task_id }) => task_id),
      );
    return { ok: true, task_id: args.task, ...repaired, state_file: stateFileOf(team) };
  },
});

function unknownStatus(task: string, status: string): Refusal {
  return refuse('usage', `A task is one of ${TASK_STATUSES.join(', ')}, not ${JSON.stringify(status)}.`, {
    evidence: { status, known: TASK_STATUSES },
    next: [`team-agent repair-state --task ${shellWord(task)} --status ready`],
  });
}

function nothingToDo(task: string): Refusal {
  return refuse('usage', 'Say what is to be set: --assignee, --status, or --summary for the record.', {
    next: [`team-agent repair-state --task ${shellWord(task)} --status ready`],
  });
}

function unknownTask(task: string, known: readonly string[]): Refusal {
  const there = known.length === 0 ? 'The team has none.' : `There are ${known.join(', ')}.`;
  return refuse('task_unknown', `There is no task ${task}. ${there}`, {
    evidence: { task, known },
    next: ['team-agent status', ...(known.length === 0 ? ['team-agent send AGENT "text" --task TASK'] : [])],
  });
}
