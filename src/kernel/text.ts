/** Control bytes except tab and newline, and the C1 range: what could move a cursor or ring in somebody's terminal. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const ESCAPE_SEQUENCE = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])/g;

/** Text from an agent or a message, made safe to print: escape sequences and control bytes are dropped. */
export function printable(text: string): string {
  return text.replace(ESCAPE_SEQUENCE, '').replace(CONTROL, '');
}

/** The first line with anything on it, at most `limit` characters. */
export function firstLine(text: string, limit = 200): string {
  const line = text.split('\n').find((candidate) => candidate.trim() !== '') ?? '';
  const characters = [...line.trim()];
  return characters.length <= limit ? line.trim() : `${characters.slice(0, limit - 1).join('')}…`;
}

/** A word that a POSIX shell reads back as `text`. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
