import type { ComposerSeen } from '../paste-channel.ts';

/** An approval waits for yes or no, a question for Enter. Either swallows what is pasted into it. */
export type DialogKind = 'approval' | 'question';
export interface Dialog {
  readonly kind: DialogKind;
  readonly text: string;
}

/**
 * The marks by which the last lines of the screen are known, top to bottom: either the composer or a dialog with its
 * keys, then the status. Plain ASCII, so that no locale of a terminal changes them.
 */
export const COMPOSER_MARK = '> ';
export const DIALOG_MARK = '? ';
export const KEYS_MARK = '[Enter]';
export const STATUS_MARK = '-- ';

/**
 * Reads the bottom of a screen. Only the last lines count: what the agent said above them may look like anything.
 */
export function readComposer(screen: readonly string[]): ComposerSeen {
  const last = screen.findLastIndex((line) => line.trim() !== '');
  const status = screen[last];
  const input = screen[last - 1];
  if (!status?.startsWith(STATUS_MARK) || input === undefined) return { seen: 'nothing' };
  if (input.startsWith(KEYS_MARK)) {
    const text = screen[last - 2]?.trimEnd() ?? '';
    return { seen: 'dialog', text: text.startsWith(DIALOG_MARK) ? text.slice(DIALOG_MARK.length) : text };
  }
  if (input.trimEnd() === COMPOSER_MARK.trimEnd()) return { seen: 'empty' };
  if (input.startsWith(COMPOSER_MARK)) return { seen: 'draft', text: input.slice(COMPOSER_MARK.length).trimEnd() };
  return { seen: 'nothing' };
}
