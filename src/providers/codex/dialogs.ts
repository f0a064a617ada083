import type { ComposerSeen } from '../paste-channel.ts';

/** Begins the composer's line, and the chosen line of a list. */
const PROMPT = '› ';
/** What an empty composer shows. */
const PLACEHOLDER = /^Ask Codex to do anything/;
/** The keys that a dialog names in its last line. */
const KEYS = /\benter\b.*\b(confirm|submit|continue|select)\b|\besc\b.*\b(cancel|back|exit)\b/i;
/** Lines between the composer and the end of the screen: its own further lines, an empty one, status, hints. */
const STATUS_LINES = 6;

/** Reads the bottom of a screen of Codex. Only its last lines count: what was said above them may look like anything. */
export function readComposer(screen: readonly string[]): ComposerSeen {
  const lines = screen.map((line) => line.trimEnd());
  const last = lines.findLastIndex((line) => line !== '');
  const bottom = lines.slice(Math.max(0, last - STATUS_LINES), last + 1);
  if (KEYS.test(bottom.at(-1) ?? '')) return { seen: 'dialog', text: titleOf(lines.slice(0, last + 1)) };
  const composer = bottom.findLastIndex((line) => line.startsWith(PROMPT) || line === PROMPT.trimEnd());
  if (composer < 0) return { seen: 'nothing' };
  const text = (bottom[composer] ?? '').slice(PROMPT.length);
  if (text === '' || PLACEHOLDER.test(text)) return { seen: 'empty' };
  return { seen: 'draft', text };
}

/** The last question on the screen, else its last paragraph's first line. */
function titleOf(lines: readonly string[]): string {
  const question = lines.findLast((line) => line.trim().endsWith('?'));
  return (question ?? lines.at(-1) ?? '').trim();
}
