import { printable } from '../../kernel/text.ts';
import type { Team } from '../../team/index.ts';
import type { Look } from './look.ts';
import { type Column, table } from './table.ts';
import { truncate } from './width.ts';

const COLUMNS: readonly Column[] = [{ head: '' }, { head: '', least: 12 }, { head: '' }, { head: '', least: 8 }];

/** A team whose documents are right: its name, and a line for each agent. */
export function validTeamLines({ path }: { readonly path: string }, team: Team, look: Look): string[] {
  const rows = team.agents.map(({ id, role, provider, model, paused }) => [
    `  ${id}`,
    role,
    provider,
    [model ?? '', ...(paused ? ['paused'] : [])].filter((word) => word !== '').join(', '),
  ]);
  return [
    truncate(`valid: ${printable(path)}`, look.columns),
    truncate(`team ${team.id}${team.name === team.id ? '' : ` (${printable(team.name)})`}`, look.columns),
    ...table(COLUMNS, rows, look),
  ];
}

/** What a command wrote, and what to type next. */
export function writtenLines(files: readonly string[], next: readonly string[], { paint }: Look): string[] {
  return [
    ...files.map((file) => `wrote ${printable(file)}`),
    ...next.map((command) => `${paint.dim('next:')} ${paint.bold(printable(command))}`),
  ];
}
