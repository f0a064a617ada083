import { identifyProcess } from '../kernel/index.ts';
import type { ControlAnswer } from './server/control-client.ts';
import type { PaneHandle } from './shape.ts';

/** One pane of the server as `list-panes` tells it. */
export interface PaneRow {
  readonly pane: string;
  readonly pid: number;
  readonly dead: boolean;
  readonly inMode: boolean;
  readonly width: number;
  readonly height: number;
  /** Empty for a pane that we did not open. */
  readonly incarnation: string;
  readonly mode: string;
  readonly session: string;
}

/** The option of a pane that says whose it is. */
export const INCARNATION = '@team_agent_incarnation';

/** Neither a session name nor a mode can hold a colon. */
export const ROW = [
  'pane_id',
  'pane_pid',
  'pane_dead',
  'pane_in_mode',
  'pane_width',
  'pane_height',
  INCARNATION,
  'pane_mode',
  'session_name',
]
  .map((name) => `#{${name}}`)
  .join(':');

/** Undefined for a line that is no row. */
export function parseRow(line: string): PaneRow | undefined {
  const [pane, pid, dead, inMode, width, height, incarnation, mode, session] = line.split(':');
  if (!pane?.startsWith('%') || session === undefined) return undefined;
  return {
    pane,
    pid: Number(pid),
    dead: dead !== '0',
    inMode: inMode !== '0' && inMode !== '',
    width: Number(width),
    height: Number(height),
    incarnation: incarnation ?? '',
    mode: mode ?? '',
    session,
  };
}

/** The rows in an answer; none when there was no answer. */
export function rowsOf(answer: ControlAnswer): PaneRow[] {
  return answer.answered ? parseRows(answer.blocks.flatMap((block) => block.lines)) : [];
}

export function parseRows(lines: readonly string[]): PaneRow[] {
  return lines.map(parseRow).filter((row) => row !== undefined);
}

/** The handle of a row's pane; undefined when its process has ended meanwhile. */
export function handleOf(row: PaneRow): PaneHandle | undefined {
  const found = identifyProcess(row.pid);
  return found && { pane: row.pane, incarnation: row.incarnation, process: found };
}
