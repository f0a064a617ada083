import { printable } from '../../kernel/text.ts';
import type { Answers, EventAnswer } from '../answers/index.ts';
import { goesOnLines } from './agents.ts';
import { stateText } from './deliveries.ts';
import { age, type Look, span } from './look.ts';
import { type Cell, table } from './table.ts';
import { truncate, wrap } from './width.ts';

export function inboxLines(inbox: Answers['inbox'], look: Look): string[] {
  const { paint } = look;
  const left = inbox.waiting ? `; ${inbox.waiting} more wait` : '';
  const taken = inbox.taken === undefined ? [] : [`taken: ${inbox.taken}${left}`];
  if (inbox.messages.length === 0) return [`no message for ${printable(inbox.agent_id)}`, ...taken];
  const letters = inbox.messages.flatMap((message) => {
    const task = message.task_id ? `, task ${message.task_id}` : '';
    const expects = message.expects === 'nothing' ? '' : `, expects ${message.expects}`;
    const head = `${paint.bold(message.sender)}${task}${expects}  ${paint.dim(`${age(message.created_at, look.now)}  ${stateText(message)}  ${message.message_id}`)}`;
    return [head, ...wrap(printable(message.body), look.columns - 2).map((line) => `  ${line}`), ''];
  });
  return [...letters.slice(0, -1), ...taken];
}

/** One event on one line: when, what, who, and what it says. */
export function eventLine(event: EventAnswer, look: Look): string {
  const time = new Date(event.at).toISOString().slice(11, 23);
  const data = Object.entries(event.data).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const text = `${String(event.seq).padStart(5)}  ${time}  ${event.type.padEnd(20)} ${event.actor}  ${data.join(' ')}`;
  return truncate(
    printable(text)
      .replaceAll(/\s*\n\s*/g, ' ')
      .trimEnd(),
    look.columns,
  );
}

export function whyLines(why: Answers['why'], look: Look): string[] {
  const { paint } = look;
  const since = why.since === null ? '' : ` for ${age(why.since, look.now)}`;
  return [
    `${paint.bold(printable(why.agent_id))}  ${why.state ?? 'not observed'}${since}, by ${why.source}`,
    ...(why.line ? [`  its mail waits: ${why.line}`] : []),
    ...section('evidence', why.evidence, look),
    ...section(
      'rejected',
      why.rejected.map((fact) => `${fact.source} says ${fact.state}: ${fact.why}`),
      look,
    ),
    ...section('would change it', why.would_change, look),
  ];
}

/** A list of facts below its title; nothing where there are none. */
function section(title: string, facts: readonly string[], look: Look): string[] {
  if (facts.length === 0) return [];
  return [
    look.paint.dim(title),
    ...facts.flatMap((line) => wrap(printable(line), look.columns - 2).map((part) => `  ${part}`)),
  ];
}

export function quickStartLines(answer: Answers['quick-start'], look: Look): string[] {
  const { paint } = look;
  const rows = answer.agents.map((agent): Cell[] => [
    agent.agent_id,
    agent.provider,
    { text: agent.state ?? 'unknown', paint: (colours) => colours.green },
    agent.ready_ms === null || agent.ready_ms === undefined ? '-' : span(agent.ready_ms),
  ]);
  const columns = [
    { head: 'agent', least: 8 },
    { head: 'provider' },
    { head: 'state' },
    { head: 'ready after', align: 'right' as const },
  ];
  const first = answer.agents[0]?.agent_id ?? 'AGENT';
  return [
    `${paint.bold(answer.team)}  ${answer.ok ? paint.green('up') : paint.yellow('partly up')}  ${paint.dim(`tmux ${answer.session_name}`)}`,
    '',
    ...table(columns, rows, look),
    '',
    ...(answer.warnings ?? []).flatMap((warning) => [
      ...wrap(printable(warning), look.columns).map((line) => paint.yellow(line)),
      '',
    ]),
    ...(answer.next?.length ? answer.next : [`team-agent send ${first} "text"`]).map(
      (command) => `${paint.dim('next:')} ${paint.bold(command)}`,
    ),
  ];
}

export function shutdownLines(answer: Answers['shutdown'], gone: boolean, look: Look): string[] {
  if (answer.already) return [`${answer.team} was down already`];
  const rows = answer.agents.map((agent): Cell[] => [
    agent.agent_id,
    String(agent.exit ?? 'ended'),
    agent.last_view ?? '',
  ]);
  const coordinator =
    answer.coordinator.status === 'running' ? 'runs on for another team' : gone ? 'ended' : 'is ending';
  return [
    `${look.paint.bold(answer.team)}  down; the coordinator ${coordinator}`,
    ...table([{ head: 'agent', least: 8 }, { head: 'exit' }, { head: 'its last view', least: 20 }], rows, look),
    ...goesOnLines(answer.agents),
  ];
}
