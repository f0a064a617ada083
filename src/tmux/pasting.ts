import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { probeProcess } from '../kernel/index.ts';
import { type PaneRow, parseRow } from './rows.ts';
import { BEGUN, bufferName, deleteBuffer, HELD, loadBuffer, pasteBuffer, ruleOut } from './server/commands.ts';
import type { ControlAnswer } from './server/control-client.ts';
import type { PaneHandle, PasteOutcome, PasteRefused } from './shape.ts';

export interface Pasting {
  /** A private folder. */
  readonly folder: string;
  readonly request: (line: string) => Promise<ControlAnswer>;
  /** Says it once more over another client when the first was cut off. */
  readonly ask: (line: string) => Promise<ControlAnswer>;
}

/**
 * Pastes text and presses Enter, in two steps of which only the second touches the pane: the text becomes a buffer of
 * the server; then one guarded command pastes it, presses Enter and deletes it, or only deletes it.
 */
export async function paste(
  { folder, request, ask }: Pasting,
  pane: PaneHandle,
  text: string,
  name: string,
): Promise<PasteOutcome> {
  if (text === '') throw new Error('there is nothing to paste');
  if (probeProcess(pane.process) === 'dead') {
    return refused('pane_dead', `process ${pane.process.pid} of ${pane.pane} has ended`);
  }
  const buffer = bufferName(name);
  const loaded = await load(folder, ask, text, buffer);
  if (loaded) return loaded;
  const answer = await request(pasteBuffer(pane, buffer));
  if (!answer.answered) return afterSilence(request, buffer, answer.evidence);
  return outcome(answer, pane);
}

/** See `Terminals.ruleOutPaste`. */
export async function ruleOutPaste(
  ask: Pasting['ask'],
  pane: PaneHandle,
  name: string,
): Promise<'ruled_out' | 'begun' | undefined> {
  const answer = await ask(ruleOut(pane, bufferName(name)));
  const said = answer.answered ? answer.blocks.flatMap((block) => block.lines) : [];
  if (said.includes(HELD)) return 'ruled_out';
  return said.includes(BEGUN) ? 'begun' : undefined;
}

/** Control lines go through tmux's parser and are limited by its buffers; a file is neither parsed nor limited. */
async function load(
  folder: string,
  ask: Pasting['ask'],
  text: string,
  buffer: string,
): Promise<PasteRefused | undefined> {
  const file = path.join(folder, `${buffer}.text`);
  try {
    await writeFile(file, text, { mode: 0o600 });
    const answer = await ask(loadBuffer(buffer, file));
    if (!answer.answered) return refused('tmux_unreachable', answer.evidence);
    const failed = answer.blocks.find((block) => !block.ok);
    return failed ? refused('tmux_unreachable', failed.lines.join(' ')) : undefined;
  } finally {
    await rm(file, { force: true });
  }
}

/**
 * The paste's command deletes the buffer either way, in the step in which it pastes. A buffer that we can still delete
 * was therefore not pasted, and now it never will be. With no buffer there, nothing is proved.
 */
async function afterSilence(request: Pasting['request'], buffer: string, evidence: string): Promise<PasteOutcome> {
  const answer = await request(deleteBuffer(buffer));
  const deleted = answer.answered && answer.blocks.every((block) => block.ok);
  return deleted ? refused('tmux_unreachable', evidence) : { pasted: 'unknown', evidence };
}

function outcome(answer: ControlAnswer & { answered: true }, pane: PaneHandle): PasteOutcome {
  const lines = answer.blocks.flatMap((block) => block.lines);
  if (lines.includes(HELD)) return { pasted: true };
  const failed = answer.blocks.findIndex((block) => !block.ok);
  // Blocks stand in the order of the commands: if-shell, set-option, paste-buffer, send-keys.
  if (failed > 2) return { pasted: 'unknown', evidence: lines.join(' ') };
  if (failed >= 0) return refused('tmux_unreachable', lines.join(' '));
  const row = lines.map(parseRow).find((candidate) => candidate !== undefined);
  return whyRefused(row, pane);
}

function whyRefused(row: PaneRow | undefined, pane: PaneHandle): PasteRefused {
  if (!row) return refused('pane_gone', `there is no pane ${pane.pane}`);
  if (row.incarnation !== pane.incarnation || row.pid !== pane.process.pid) {
    return refused('pane_reused', `${row.pane} is process ${row.pid} of ${row.incarnation || 'somebody else'}`);
  }
  if (row.dead) return refused('pane_dead', `${row.pane} is dead`);
  if (row.inMode) return refused('pane_in_mode', `${row.pane} is in ${row.mode}`);
  return refused('tmux_unreachable', `tmux refused ${row.pane} for no reason that it told`);
}

function refused(why: PasteRefused['why'], evidence: string): PasteRefused {
  return { pasted: false, why, evidence };
}
