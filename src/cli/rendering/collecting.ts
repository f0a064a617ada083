import { firstLine, printable } from '../../kernel/text.ts';
import type { Answers } from '../answers/index.ts';
import { age, type Look } from './look.ts';
import { type Cell, type Column, table } from './table.ts';
import { truncate, wrap } from './width.ts';

const RESULT_COLUMNS: readonly Column[] = [
  { head: 'agent', least: 8 },
  { head: 'result' },
  { head: 'for', least: 8 },
  { head: '', least: 20 },
  { head: '', align: 'right' },
];

/** What was collected, a line each, and what was no result. */
export function collectLines(
  { collected_results, invalid_results, results }: Answers['collect'],
  look: Look,
): string[] {
  const rows = collected_results.map((result): Cell[] => [
    result.agent_id,
    { text: result.status, paint: (paint) => (result.status === 'success' ? paint.green : paint.yellow) },
    result.scope === 'task'
      ? (result.task_id ?? '')
      : result.scope === 'message'
        ? (result.message_id ?? '')
        : 'nobody',
    firstLine(result.summary),
    age(result.created_at, look.now),
  ]);
  const invalid = results.invalid > 0 ? `, ${results.invalid} invalid` : '';
  return [
    ...(rows.length > 0 ? table(RESULT_COLUMNS, rows, look) : ['no result yet']),
    ...invalid_results.map(({ agent_id, error }) =>
      truncate(`invalid: ${printable(agent_id ?? 'nobody')}: ${printable(error).replaceAll('\n', '; ')}`, look.columns),
    ),
    '',
    `collected ${results.collected}${invalid}; results go into their tasks as they come`,
  ];
}

export function settleLines(answer: Answers['settle'], look: Look): string[] {
  const { paint } = look;
  return [
    ...wrap(printable(answer.summary), look.columns),
    `kept in ${printable(answer.details_log)}`,
    ...answer.next_actions.map((command) => `${paint.dim('next:')} ${paint.bold(printable(command))}`),
  ];
}

export function peerTalkLines({ a, b, reason }: Answers['allow-peer-talk'], look: Look): string[] {
  const may = reason === 'team_scoped_peer_messages_enabled';
  const says = may
    ? 'write to each other already: every agent of a team may'
    : 'may not write to each other: TEAM.md says so for the whole team';
  return wrap(`${a} and ${b} ${says}. Nothing was changed.`, look.columns);
}

export function validLines(
  { task_id, agent_id, status }: { task_id: string; agent_id: string; status: string },
  look: Look,
): string[] {
  return [
    truncate(
      `valid: ${status} of ${printable(agent_id)} for ${printable(task_id)}`.replaceAll(/\s+/g, ' '),
      look.columns,
    ),
  ];
}
