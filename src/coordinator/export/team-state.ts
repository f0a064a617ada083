import { firstLine, printable, shellWord } from '../../kernel/index.ts';
import type { AgentRow, ResultRow, TaskRow, TeamRow } from '../../ledger/index.ts';
import { isStopped } from './settle.ts';

/** What is stored of a team, as far as its people want to read it. Nothing in it is observed: it holds while nobody looks. */
export interface TeamState {
  readonly team: Pick<TeamRow, 'team' | 'name' | 'documents' | 'session_name' | 'objective' | 'intent'>;
  /** Null: nobody leads. */
  readonly leader: { readonly provider: string; readonly epoch: number } | null;
  readonly agents: readonly Pick<AgentRow, 'agent_id' | 'role' | 'provider' | 'intent'>[];
  /** Those that matter most: what goes on, then what ended last. */
  readonly tasks: readonly Task[];
  readonly tasksInAll: number;
  /** Oldest first. */
  readonly results: readonly Result[];
  /** What agents ask, and what waits for a person's yes. */
  readonly questions: readonly Question[];
}

export interface Task
  extends Pick<TaskRow, 'task_id' | 'title' | 'status' | 'assignee' | 'retry_count' | 'retry_limit'> {
  readonly deps: readonly string[];
  /** What its last result says. */
  readonly result: string | null;
}

export type Result = Pick<ResultRow, 'result_id' | 'agent_id' | 'task_id' | 'status' | 'summary'>;

export interface Question {
  readonly text: string;
  /** The command that shows or answers it. */
  readonly command: string;
}

/** Characters of one text. */
const TEXT = 240;

/** The summary as Markdown. Every text of a document or an agent is on one line, and no mark in it counts as Markdown. */
export function renderTeamState(state: TeamState): string {
  const { team, leader, agents, results, questions } = state;
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['Objective', [plain(team.objective) || 'None was written.']],
    [
      'Team',
      [
        `- name: ${plain(team.name)} (${team.team}), ${team.intent}`,
        `- session: ${plain(team.session_name)}`,
        `- leader: ${leader ? `${plain(leader.provider)}, epoch ${leader.epoch}` : 'nobody; its mail waits in the mailbox'}`,
      ],
    ],
    [
      'Agents',
      agents.map((agent) => `- ${agent.agent_id}: ${plain(agent.role)} on ${plain(agent.provider)} (${agent.intent})`),
    ],
    ['Task Graph', taskGraph(state)],
    ['Latest Results', [...results].reverse().map(resultLine)],
    ['Blockers', state.tasks.filter(isStopped).map(blocker)],
    ['Questions', questions.map(({ text, command }) => `- ${plain(text)}: ${code(command)}`)],
    ['Next Step', [nextStep(state)]],
  ];
  const body = sections.map(([title, lines]) => `## ${title}\n\n${lines.length > 0 ? lines.join('\n') : 'None.'}\n`);
  return [`# Team ${plain(team.name)}\n`, ...body].join('\n');
}

function taskGraph({ tasks, tasksInAll }: TeamState): string[] {
  const left = tasksInAll - tasks.length;
  return [...tasks.map(taskLine), ...(left > 0 ? [`- and ${left} more`] : [])];
}

function taskLine(task: Task): string {
  const facts = [
    task.assignee === null ? 'nobody has it' : `with ${plain(task.assignee)}`,
    ...(task.deps.length > 0 ? [`after ${task.deps.map(plain).join(', ')}`] : []),
    ...(task.retry_limit > 0 ? [`retries ${task.retry_count} of ${task.retry_limit}`] : []),
  ];
  const result = task.result === null ? '' : `: ${plain(task.result)}`;
  return `- ${plain(task.task_id)}: ${task.status}, ${facts.join(', ')}. ${plain(task.title)}${result}`;
}

function resultLine({ result_id, agent_id, task_id, status, summary }: Result): string {
  const about = task_id === null ? '' : ` for ${plain(task_id)}`;
  return `- ${result_id}: ${status} of ${agent_id}${about}: ${plain(summary)}`;
}

function blocker(task: Task): string {
  return `- ${plain(task.task_id)} (${task.status}): ${plain(task.result ?? task.title)}`;
}

/** One sentence: what a person can do now. */
function nextStep({ team, tasks, questions, agents }: TeamState): string {
  const named = (which: readonly Task[]) =>
    which
      .slice(0, 5)
      .map(({ task_id }) => plain(task_id))
      .join(', ');
  const [question] = questions;
  const stopped = tasks.filter(isStopped);
  const ready = tasks.filter(({ status }) => status === 'ready');
  const running = tasks.filter(({ status }) => status === 'running');
  if (team.intent === 'stopped')
    return `Start the team again: ${code(`team-agent quick-start ${shellWord(team.documents)}`)}.`;
  if (question) return `Answer what waits: ${code(question.command)}.`;
  if (stopped.length > 0) return `Decide how these go on: ${named(stopped)}.`;
  if (ready.length > 0) return `Give out what is ready: ${named(ready)}.`;
  if (running.length > 0) return `Wait for ${named(running)}: ${code('team-agent wait --idle')}.`;
  return `Give the team work: ${code(`team-agent send ${agents[0]?.agent_id ?? 'AGENT'} "text"`)}.`;
}

/** A text on one line, in which no heading, list, code, link or tag begins; what is left of Markdown stays on that line. */
function plain(text: string): string {
  return oneLine(text)
    .replaceAll(/[\\`<[]/g, '\\$&')
    .replace(/^(\d*)([-+*>#=~|.)])/, '$1\\$2');
}

/** A command, as it is typed. */
function code(command: string): string {
  return `\`${oneLine(command).replaceAll('`', "'")}\``;
}

function oneLine(text: string): string {
  return firstLine(printable(text).replaceAll(/\s+/g, ' '), TEXT);
}
