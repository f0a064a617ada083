import type { Problem } from './problems.ts';
import { type Flaw, keyOfLine, linesOf, proseOf, type ReadYaml, readYaml, setKeys } from './yaml.ts';

/** Where something is written: the line, counted from 1, and what its author calls it. */
export interface Place {
  readonly line: number;
  readonly key: string;
}

/** The fields of a document, or of a part of one, and its prose. */
export interface FrontMatter {
  readonly values: Readonly<Record<string, unknown>>;
  /** Where a key or list item is written; line 1 when it is not. */
  place(path: readonly PropertyKey[]): Place;
  /** What follows the head, without the empty lines around it; lines end in `\n`. */
  readonly body: string;
}

const FENCE = /^---[ \t]*$/;

/** Does a text begin with a head at all? */
export function hasFrontMatter(text: string): boolean {
  return FENCE.test(linesOf(text)[0] ?? '');
}

/**
 * Reads a document: a head in strict YAML 1.2 between two lines `---`, then the body. A text without a head is all
 * body. Keys written twice, anchors and tags are flaws; every flaw is told with its line.
 */
export function readFrontMatter(file: string, text: string): FrontMatter | readonly Problem[] {
  const parts = partsOf(file, text);
  if ('problems' in parts) return parts.problems;
  const { head, body } = parts;
  if (head === undefined) return { ...NO_HEAD, body };
  return { values: head.read.values, place: (path) => ({ line: head.read.lineOf(path), key: nameOf(path) }), body };
}

/** The same document with some keys of its head set; its comments, its other keys and its body stay as they are. */
export function withKeys(
  file: string,
  text: string,
  keys: Readonly<Record<string, unknown>>,
): string | readonly Problem[] {
  const parts = partsOf(file, text);
  if ('problems' in parts) return parts.problems;
  return `---\n${setKeys(parts.head?.yaml ?? '', keys).trimStart()}---\n\n${parts.body}\n`;
}

type Parts =
  | { readonly head: { readonly yaml: string; readonly read: ReadYaml } | undefined; readonly body: string }
  | { readonly problems: readonly Problem[] };

/** A document's head, when it has one, and its body; or every flaw of the head. */
function partsOf(file: string, text: string): Parts {
  const lines = linesOf(text);
  if (!FENCE.test(lines[0] ?? '')) return { head: undefined, body: proseOf(text) };
  const end = lines.findIndex((line, index) => index > 0 && FENCE.test(line));
  const broken = (flaw: Flaw): Problem => ({
    kind: 'team_document_invalid',
    file,
    line: flaw.line,
    key: keyOfLine(lines[flaw.line - 1]) ?? HEAD,
    message: flaw.message,
  });
  const open = { line: 1, message: 'the head is never closed; write a line --- below its last key' };
  if (end === -1) return { problems: [broken(open)] };
  const head = lines.slice(1, end);
  const strict = readHead(head);
  const older = strict.read.flaws.length === 0 ? strict : readHead(quoteOlderScalars(head));
  if (older.read.flaws.length > 0) return { problems: strict.read.flaws.map(broken) };
  return { head: older, body: proseOf(lines.slice(end + 1).join('\n')) };
}

/** What a document without a head says. */
export const NO_HEAD: FrontMatter = { values: {}, place: (path) => ({ line: 1, key: nameOf(path) }), body: '' };

const HEAD = 'front matter';

function nameOf(path: readonly PropertyKey[]): string {
  return path.map(String).join('.') || HEAD;
}

/** The empty line stands for the opening fence, so that lines are those of the file. */
function readHead(head: readonly string[]) {
  const yaml = `\n${head.join('\n')}\n`;
  return { yaml, read: readYaml(yaml) };
}

/**
 * Documents of version 0.2 may hold without quotes what YAML 1.2 wants in quotes: a value with `: ` in it, a text that
 * begins with `@`, `%` or a backquote, and the tool `*`. Only lines at the left edge and items of `tools:` are touched, so that
 * no text inside a block changes.
 */
function quoteOlderScalars(head: readonly string[]): string[] {
  let inTools = false;
  return head.map((line) => {
    if (/^\w+:/.test(line)) inTools = /^tools:\s*$/.test(line);
    const item = /^(\s*- )([@*]\S*)\s*$/.exec(line);
    if (inTools && item) return `${item[1]}${JSON.stringify(item[2])}`;
    const [, key, value = ''] = /^(\w+): +([^\s"'[{|>&*!#].*)$/.exec(line) ?? [];
    return key && (/^[@%`]/.test(value) || /:(\s|$)/.test(value)) ? `${key}: ${JSON.stringify(value.trimEnd())}` : line;
  });
}
