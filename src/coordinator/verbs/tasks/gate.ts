import {
  type AgentId,
  firstLine,
  LEADER,
  type Refusal,
  refuse,
  shellWord,
  type TaskId,
} from '../../../kernel/index.ts';
import {
  type AgentRow,
  assignTask,
  type Change,
  type TaskRow,
  type TeamRow,
  updateTask,
} from '../../../ledger/index.ts';
import type { Letter, Sent } from '../../../messages/index.ts';
import { confirmTask, missingTools, type Route, routeTask } from '../../../results/index.ts';
import type { Routing } from '../../../team/index.ts';
import { type Caller, senderIn } from '../../api/callers.ts';

/** Who gets the task that a message without a recipient is about; refused when the task, or somebody for it, is not known. */
export function routeOf(
  team: TeamRow,
  name: string | undefined,
  task: TaskRow | undefined,
  members: readonly AgentRow[],
): Route | Refusal {
  const isMember = (id: string) => id === LEADER || members.some((member) => member.agent_id === id);
  const route = task && routeTask(task, JSON.parse(team.routing) as Partial<Routing>, isMember);
  return (
    route ??
    refuse(
      'task_unknown',
      name === undefined ? 'Say whom the message is for.' : `Nobody has the task ${name} yet: say who is to do it.`,
      {
        evidence: { task: name ?? null, known: task !== undefined, members: members.map(({ agent_id }) => agent_id) },
        next: [`team-agent send AGENT "text"${name === undefined ? '' : ` --task ${shellWord(name)}`}`],
      },
    )
  );
}

/** What a message asks of whom, as far as its task goes. */
export interface Work {
  readonly task: TaskRow | undefined;
  /** Does it ask for the task's result? Only that is work on it. */
  readonly asked: boolean;
  readonly to: readonly AgentId[];
  readonly members: readonly AgentRow[];
  /** The sender says that a person agrees. */
  readonly confirmed: boolean;
}

/** May this message go to these agents, and must a person say yes first? */
export function gateOf(
  caller: Caller,
  team: TeamRow,
  { task, asked, to, members, confirmed }: Work,
): { readonly confirmation?: Letter['confirmation'] } | Refusal {
  if (confirmed && !speaksForPerson(caller, team)) return onlyAPerson(task);
  if (!task || !asked) return {};
  for (const agent of members.filter(({ agent_id }) => to.some((recipient) => recipient === agent_id))) {
    const missing = missingOf(task, agent);
    if (missing.length > 0) return toolsMissing(task, agent, missing, members);
  }
  if (task.human_confirmation === 0 || task.confirmed_by !== null) return {};
  return { confirmation: confirmed ? 'given' : 'wanted' };
}

/** A person, or the leader where the team says that it may. */
function speaksForPerson(caller: Caller, team: TeamRow): boolean {
  const { authority } = senderIn(team.team, caller);
  return caller.kind === 'person' || (authority === 'leader' && team.approvals === 'leader');
}

function onlyAPerson(task: TaskRow | undefined): Refusal {
  return refuse(
    'person_may_not',
    'Only a person confirms a task (the leader too, when TEAM.md says approvals: leader). Send it without --confirm-human: it waits for a yes.',
    {
      evidence: { task: task?.task_id ?? null },
      next: [`team-agent send AGENT "text" --task ${task?.task_id ?? 'TASK'}`],
    },
  );
}

function missingOf(task: TaskRow, { tools }: AgentRow): string[] {
  const own = JSON.parse(tools) as readonly string[];
  // A row that an earlier version wrote says nothing about tools; documents always do.
  return own.length === 0 ? [] : missingTools(task, own);
}

function toolsMissing(
  task: TaskRow,
  agent: AgentRow,
  missing: readonly string[],
  members: readonly AgentRow[],
): Refusal {
  const id = shellWord(task.task_id);
  const able = members.filter((member) => missingOf(task, member).length === 0).map(({ agent_id }) => agent_id);
  const others =
    able.length > 0
      ? `${able.join(', ')} could do it`
      : `no agent has all it needs: add them to tools in a role document and start the team again`;
  return refuse(
    'tools_missing',
    `${agent.agent_id} lacks ${missing.join(', ')} for the task ${task.task_id}; ${others}.`,
    {
      evidence: { task: task.task_id, agent: agent.agent_id, missing, able },
      next:
        able.length > 0 ? able.map((other) => `team-agent send ${other} "text" --task ${id}`) : ['team-agent status'],
    },
  );
}

/** How a message goes, once nothing stands in its way. */
export interface Plan extends Work {
  /** The task that it names, known or not. */
  readonly name: string | undefined;
  /** How it was found who gets it; undefined: the sender named them. */
  readonly route: Route | undefined;
  readonly confirmation?: Letter['confirmation'];
}

/** What a stored message makes of its task, in the transaction that stores it. `text` names a task that is new. */
export async function noteTask(change: Change, sent: Sent, text: string, plan: Plan): Promise<void> {
  if (plan.name === undefined) return;
  const id = plan.name as TaskId;
  const agent = plan.to.find((recipient) => recipient !== LEADER) ?? plan.to[0] ?? null;
  if (plan.asked) await assignTask(change, id, firstLine(text, 80), agent);
  if (plan.asked && sent.deliveries.some(({ state }) => state !== 'held'))
    await updateTask(change, id, { status: 'running' });
  if (plan.confirmation === 'given') await confirmTask(change, id, change.actor);
  if (plan.route) await change.event('routing.decision', { task_id: id, ...plan.route, manual: false });
  else if (plan.task && plan.asked)
    await change.event('routing.decision', { task_id: id, agent, reason: 'named', manual: true });
}
