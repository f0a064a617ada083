/**
 * One column each and nothing joins them: ASCII, Latin letters, dashes and dots, arrows, lines and shapes. The segmenter costs
 * 10 ms when it is first used, so it is left to the texts that need it.
 */
const PLAIN = /^[\u0020-\u007e\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u21ff\u2500-\u25fc]*$/;
/** Characters that a terminal draws two cells wide: East Asian Wide and Fullwidth (Unicode UAX #11), in ranges. */
const WIDE =
  /[\u1100-\u115f\u231a\u231b\u2329\u232a\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]/u;
const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u;
const INVISIBLE = /^[\p{M}\p{Cf}\p{Cc}\u200b]*$/u;

let segmenter: Intl.Segmenter | undefined;

/** What a person sees as one character each: a letter with its accents, a family of emoji. */
function graphemes(text: string): string[] {
  if (PLAIN.test(text)) return text.split('');
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function graphemeWidth(grapheme: string): number {
  if (PLAIN.test(grapheme)) return 1;
  if (WIDE.test(grapheme) || EMOJI.test(grapheme)) return 2;
  return INVISIBLE.test(grapheme) ? 0 : 1;
}

/** Columns that `text` takes in a terminal. It holds no escape sequences. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  return graphemes(text).reduce((sum, grapheme) => sum + graphemeWidth(grapheme), 0);
}

/** At most `columns` wide; what does not pad is replaced by `…`. Never half a character. */
export function truncate(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  if (columns <= 0) return '';
  let kept = '';
  let width = 0;
  for (const grapheme of graphemes(text)) {
    width += graphemeWidth(grapheme);
    if (width > columns - 1) break;
    kept += grapheme;
  }
  return `${kept.trimEnd()}…`;
}

/** Exactly `columns` wide: truncated, or filled with blanks on the right (or the left). */
export function pad(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const cut = truncate(text, columns);
  const blanks = ' '.repeat(Math.max(0, columns - displayWidth(cut)));
  return align === 'left' ? cut + blanks : blanks + cut;
}

/** Lines of at most `columns`, broken at blanks where there are some. Line breaks of the text stay. */
export function wrap(text: string, columns: number): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line, columns));
}

function wrapLine(line: string, columns: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ').flatMap((part) => pieces(part, columns))) {
    const joined = current === '' ? word : `${current} ${word}`;
    if (displayWidth(joined) <= columns) current = joined;
    else {
      lines.push(current);
      current = word;
    }
  }
  return [...lines, current];
}

/** A word that is wider than a line, in pieces that pad. */
function pieces(word: string, columns: number): string[] {
  if (displayWidth(word) <= columns) return [word];
  const found: string[] = [];
  let current = '';
  for (const grapheme of graphemes(word)) {
    if (displayWidth(current + grapheme) > columns && current !== '') {
      found.push(current);
      current = '';
    }
    current += grapheme;
  }
  return [...found, current];
}
