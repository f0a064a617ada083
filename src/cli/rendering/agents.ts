import { printable } from '../../kernel/text.ts';
import type { Answers } from '../answers/index.ts';
import { leaderText } from './leader.ts';
import { age, type Look, took } from './look.ts';
import { table } from './table.ts';
import { warningLines } from './warnings.ts';

const HOW = {
  noop: 'runs already',
  resumed: 'goes on with its conversation',
  fresh: 'begins a new conversation',
} as const;

export function agentStartedLines(answer: Answers['start-agent'], look: Look): string[] {
  const { agent_id, start_mode, session_id, warnings = [] } = answer;
  const { paint } = look;
  return [
    `${paint.bold(agent_id)}  ${paint.green(HOW[start_mode])}  ${paint.dim(session_id ?? '')}`,
    ...warningLines(warnings, look),
    ...goesOnLines([answer]),
  ];
}

export function agentStoppedLines(answer: Answers['stop-agent'], { paint }: Look): string[] {
  const { agent_id, stopped, last_view } = answer;
  const view = last_view === null ? '' : `  ${paint.dim(last_view)}`;
  return [`${paint.bold(agent_id)}  ${stopped ? 'stopped' : 'did not run'}${view}`, ...goesOnLines([answer])];
}

/** What agents that have ended started and that goes on without them: a line each, and how to look at it. */
export function goesOnLines(agents: readonly Pick<Answers['stop-agent'], 'agent_id' | 'goes_on'>[]): string[] {
  const pids = agents.flatMap(({ goes_on }) => goes_on.map(({ pid }) => pid));
  if (pids.length === 0) return [];
  const lines = agents.flatMap(({ agent_id, goes_on }) =>
    goes_on.map(({ pid, name }) => `process ${pid} (${printable(name)}) goes on; ${agent_id} started it`),
  );
  return [...lines, `next: ps -o pid,lstart,args -p ${pids.join(',')}`];
}

export function agentAddedLines(answer: Answers['add-agent'] | Answers['fork-agent'], look: Look): string[] {
  const { agent_id, session_id, role_file, warnings = [] } = answer;
  const { paint } = look;
  const how = 'source_agent_id' in answer ? `knows what ${answer.source_agent_id} knows` : HOW.fresh;
  return [
    `${paint.bold(agent_id)}  ${paint.green(how)}  ${paint.dim(session_id ?? '')}`,
    `role         ${role_file}`,
    ...warningLines(warnings, look),
  ];
}

export function agentRemovedLines(answer: Answers['remove-agent'], { paint }: Look): string[] {
  const { agent_id, last_view, role_file_removed, tasks } = answer;
  return [
    `${paint.bold(agent_id)}  is no member any more${last_view === null ? '' : `  ${paint.dim(last_view)}`}`,
    ...(role_file_removed === false ? ['its role document was edited, and stays'] : []),
    ...(tasks.length > 0 ? [`open tasks still name it: ${tasks.join(', ')}`] : []),
    ...goesOnLines([answer]),
  ];
}

export function restartLines(answer: Answers['restart'], look: Look): string[] {
  const rows = answer.agents.map(({ agent_id, restart_mode, session_id, ready_ms }) => [
    agent_id,
    HOW[restart_mode],
    took(ready_ms),
    session_id ?? '',
  ]);
  return [
    `${look.paint.bold(answer.team)}  ${look.paint.green('up again')}  tmux ${answer.session_name}`,
    `leader       ${leaderText(answer.leader, answer.team)}`,
    ...warningLines(answer.warnings, look),
    '',
    ...table(
      [{ head: 'agent', least: 12 }, { head: '', least: 20 }, { head: 'ready' }, { head: 'session', least: 8 }],
      rows,
      look,
    ),
  ];
}

export function sessionLines({ sessions }: Answers['sessions'], look: Look): string[] {
  const rows = sessions.map(({ agent_id, provider, session_id, captured_at, interacted }) => [
    agent_id,
    provider,
    session_id ?? 'none',
    captured_at === null ? '' : age(captured_at, look.now),
    interacted === 'never' ? 'never' : `${age(interacted, look.now)} ago`,
  ]);
  const columns = [
    { head: 'agent', least: 12 },
    { head: 'provider' },
    { head: 'session', least: 8 },
    { head: 'age' },
    { head: 'spoken to' },
  ];
  return table(columns, rows, look);
}
