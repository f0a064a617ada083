import { firstLine, printable } from '../../kernel/text.ts';
import type { AgentStatus, StatusAnswer } from '../answers/index.ts';
import { stateText } from './deliveries.ts';
import { leaderText } from './leader.ts';
import { age, ago, duration, type Look, type Paint, span } from './look.ts';
import { boldLines } from './plan.ts';
import { type Cell, type Column, table } from './table.ts';
import { taskLines } from './tasks.ts';
import { truncate } from './width.ts';

/** One team at a glance: who is there, what they do, which messages wait, what came back, what to type next. */
export function statusLines(status: StatusAnswer, look: Look): string[] {
  return [
    ...header(status, look),
    '',
    ...agentTable(status, look),
    ...boldLines(status.safety?.agents ?? [], look),
    ...taskLines(status.tasks ?? [], look),
    ...waiting(status, look),
    ...latest(status, look),
    '',
    next(status, look),
  ];
}

function header(status: StatusAnswer, look: Look): string[] {
  const { paint } = look;
  const title = `${paint.bold(printable(status.name ?? status.team))}  ${upOrDown(status, paint)}  ${paint.dim(`tmux ${printable(status.session_name)}`)}`;
  return [
    title,
    `leader       ${truncate(leaderText(status.leader, status.team), look.columns - 13)}`,
    `coordinator  ${truncate(coordinatorText(status), look.columns - 13)}`,
    `messages     ${countsText(status)}`,
  ];
}

/** Whether agents of the team live is known only from a coordinator that looks. */
function upOrDown(status: StatusAnswer, paint: Paint): string {
  if (status.observed === 'none') return paint.yellow('not observed');
  return status.tmux_session_present === true ? paint.green('up') : paint.red('down');
}

function coordinatorText({ coordinator }: StatusAnswer): string {
  if (coordinator.gave_up) return printable(coordinator.gave_up);
  if (coordinator.pid === undefined) return 'absent: what agents do now is not known';
  const up = coordinator.uptime_ms === undefined ? '' : `, up ${span(coordinator.uptime_ms)}`;
  return `running, process ${coordinator.pid}${up}`;
}

const SHOWN_COUNTS = ['queued', 'held', 'submitted', 'consumed', 'answered', 'dead', 'cancelled'] as const;
/** Counts that are left out at zero: they are news when they are not. */
const RARE: ReadonlySet<string> = new Set(['dead', 'cancelled', 'answered']);

function countsText(status: StatusAnswer): string {
  const shown = SHOWN_COUNTS.filter((state) => !RARE.has(state) || (status.deliveries[state] ?? 0) > 0);
  return shown.map((state) => `${status.deliveries[state] ?? 0} ${state}`).join(', ');
}

const AGENT_COLUMNS: readonly Column[] = [
  { head: 'agent', least: 8 },
  { head: 'state' },
  { head: 'by', least: 4 },
  { head: 'since', align: 'right' },
  { head: 'task', least: 6 },
  { head: 'waiting for it', least: 8 },
];

function agentTable(status: StatusAnswer, look: Look): string[] {
  const rows = Object.entries(status.agents).map(([id, agent]): Cell[] => [
    id,
    { text: stateWords(agent), paint: (paint) => paintOf(agent.state, paint) },
    agent.state === null ? '-' : agent.state_source,
    age(agent.since, look.now),
    agent.task_id ?? '-',
    queueText(agent),
  ]);
  return table(AGENT_COLUMNS, rows, look);
}

const GLYPHS: Readonly<Record<string, string>> = {
  starting: '◌',
  idle: '○',
  working: '●',
  waiting_approval: '?',
  waiting_input: '?',
  interrupted: '!',
  provider_error: '!',
  exited: '×',
  unknown: '·',
};

/** A glyph for each state, so that states can be told apart without colours. */
export function glyphOf(state: string | null): string {
  return GLYPHS[state ?? 'unknown'] ?? '·';
}

export function paintOf(state: string | null, paint: Paint): (text: string) => string {
  if (state === 'working') return paint.green;
  if (state === 'exited' || state === 'provider_error') return paint.red;
  return state === 'idle' || state === 'starting' ? paint.cyan : paint.yellow;
}

/** What an agent is, and what was asked of it when that differs. */
function stateWords(agent: AgentStatus): string {
  const state = agent.state ?? 'not observed';
  const asked = agent.intent === 'running' ? '' : ` (${agent.intent})`;
  return `${glyphOf(agent.state)} ${state.replaceAll('_', ' ')}${asked}`;
}

function queueText({ queue }: AgentStatus): string {
  const counts = [
    queue.queued > 0 ? `${queue.queued} queued` : '',
    queue.submitted > 0 ? `${queue.submitted} submitted` : '',
  ];
  const text = counts.filter((part) => part !== '').join(', ');
  if (queue.because) return `${text === '' ? 'held' : text}: ${queue.because}`;
  return text === '' ? '-' : text;
}

function waiting(status: StatusAnswer, look: Look): string[] {
  if (status.queued_messages.length === 0) return [];
  const rows = status.queued_messages.map((message): Cell[] => [
    message.message_id,
    `→ ${message.to}`,
    { text: stateText(message), paint: (paint) => paint.yellow },
    span(message.age_ms),
    message.attempts === 0 ? '' : `${message.attempts} offered`,
  ]);
  const columns = [
    { head: 'waiting', least: 14 },
    { head: '', least: 8 },
    { head: '', least: 10 },
    { head: '' },
    { head: '' },
  ];
  return ['', ...table(columns, rows, look)];
}

function latest(status: StatusAnswer, look: Look): string[] {
  if (status.latest_results.length === 0) return [];
  const rows = status.latest_results.map((result): Cell[] => [
    result.agent_id,
    { text: result.status, paint: (paint) => (result.status === 'success' ? paint.green : paint.yellow) },
    result.task_id ?? '',
    firstLine(result.summary),
    age(result.created_at, look.now),
  ]);
  const columns: Column[] = [
    { head: 'results', least: 8 },
    { head: '' },
    { head: '', least: 6 },
    { head: '', least: 20 },
    { head: '', align: 'right' },
  ];
  return ['', ...table(columns, rows, look)];
}

/** The command that helps most from here. */
function next(status: StatusAnswer, { paint }: Look): string {
  const [agent = 'AGENT'] = Object.keys(status.agents);
  const stuck = Object.entries(status.agents).find(
    ([, { intent, state, queue }]) =>
      // Who was stopped is as somebody wants it, unless mail waits.
      (intent === 'running' || queue.queued > 0) && state !== null && !['idle', 'working', 'starting'].includes(state),
  );
  const asks = Object.values(status.agents).some(({ approvals = [] }) => approvals.length > 0);
  const command =
    status.observed === 'none'
      ? 'team-agent coordinator start'
      : asks
        ? 'team-agent approvals'
        : stuck
          ? `team-agent why ${stuck[0]}`
          : status.latest_results.length > 0
            ? 'team-agent results'
            : `team-agent send ${agent} "text"`;
  return `${paint.dim('next:')} ${paint.bold(command)}`;
}

/** Triage in exactly five lines. */
export function summaryLines(status: StatusAnswer, look: Look): string[] {
  const states = new Map<string, number>();
  for (const agent of Object.values(status.agents)) {
    const state = agent.state ?? 'not observed';
    states.set(state, (states.get(state) ?? 0) + 1);
  }
  const agents = [...states].map(([state, count]) => `${count} ${state.replaceAll('_', ' ')}`).join(', ');
  const session =
    status.tmux_session_present === null ? 'not observed' : status.tmux_session_present ? 'present' : 'absent';
  const result = status.latest_results.at(-1);
  const told = result
    ? `${result.agent_id} ${result.status}, ${age(result.created_at, look.now)}: ${firstLine(printable(result.summary))}`
    : 'none yet';
  const oldest = status.oldest_pending_ms ? `; the oldest waits ${span(status.oldest_pending_ms)}` : '';
  return [
    `coordinator  ${coordinatorText(status)}; tmux session ${session}`,
    `leader       ${leaderText(status.leader, status.team)}`,
    `agents       ${Object.keys(status.agents).length}: ${agents || 'none'}`,
    `messages     ${countsText(status)}${oldest}`,
    `latest       ${told}`,
  ].map((line) => truncate(line, look.columns));
}

/** What an agent was granted and not granted, each with `*` where nothing but the text of its role keeps it to that. */
function toolRows({ tools = [] }: AgentStatus): [string, string][] {
  const listed = (granted: boolean) =>
    tools
      .filter((mark) => mark.granted === granted)
      .map(({ tool, enforcement }) => (enforcement === 'hard' ? tool : `${tool}*`))
      .join(' ');
  if (tools.length === 0) return [];
  return [
    ['tools', listed(true) || 'none'],
    ['not granted', listed(false) || 'none'],
    ['', '* by the text of its role alone'],
  ];
}

/** One agent: what it is, what waits for it, what it said last. */
export function agentLines(id: string, status: StatusAnswer, look: Look): string[] {
  const agent = status.agents[id];
  if (!agent) return [];
  const { paint } = look;
  const rows: [string, string][] = [
    ['asked for', agent.intent],
    ['provider', [agent.provider, agent.model].filter(Boolean).join(', ')],
    ['role', agent.role ?? '-'],
    ['permission', agent.permission ?? '-'],
    ...toolRows(agent),
    ['task', agent.task_id ?? '-'],
    ['waiting for it', queueText(agent)],
    ['channel', agent.channel ?? '-'],
    ['session', agent.session_id ?? '-'],
    ['incarnation', agent.incarnation ?? '-'],
    [
      'first message',
      agent.interacted === undefined || agent.interacted === 'never' ? 'never' : ago(agent.interacted, look.now),
    ],
  ];
  const since = agent.since === null ? '' : ` for ${duration(agent.since, look.now)}, by ${agent.state_source}`;
  const results = status.latest_results.filter((result) => result.agent_id === id);
  return [
    `${paint.bold(id)}  ${paintOf(agent.state, paint)(stateWords(agent))}${since}`,
    ...rows.map(([name, value]) => truncate(`${name.padEnd(14)} ${printable(value)}`, look.columns)),
    ...latest({ ...status, latest_results: results }, look),
    '',
    `${paint.dim('next:')} ${paint.bold(`team-agent why ${id}`)}`,
  ];
}
