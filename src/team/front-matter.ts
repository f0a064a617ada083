import { Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Problem } from './problems.ts';

/** A document's head and body. */
export interface FrontMatter {
  readonly values: Readonly<Record<string, unknown>>;
  /** The line, counted from 1, where a key or list item is written; 1 when it is not. */
  lineOf(path: readonly PropertyKey[]): number;
  /** What follows the head, without the empty lines around it; lines end in `\n`. */
  readonly body: string;
}

interface Flaw {
  readonly line: number;
  readonly message: string;
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
  const read = partsOf(file, text);
  if ('problems' in read) return read.problems;
  const { head, body } = read;
  return { values: head?.values ?? {}, lineOf: head?.lineOf ?? (() => 1), body };
}

/** The same document with some keys of its head set; its comments, its other keys and its body stay as they are. */
export function withKeys(
  file: string,
  text: string,
  keys: Readonly<Record<string, unknown>>,
): string | readonly Problem[] {
  const read = partsOf(file, text);
  if ('problems' in read) return read.problems;
  const document = read.head?.document ?? new Document({});
  for (const [key, value] of Object.entries(keys)) document.set(key, value);
  return `---\n${document.toString({ lineWidth: 0 }).trimStart()}---\n\n${read.body}\n`;
}

type Parts =
  | { readonly head: ReturnType<typeof parseHead> | undefined; readonly body: string }
  | { readonly problems: readonly Problem[] };

/** A document's head, when it has one, and its body; or every flaw of the head. */
function partsOf(file: string, text: string): Parts {
  const lines = linesOf(text);
  if (!FENCE.test(lines[0] ?? '')) return { head: undefined, body: trimLines(lines) };
  const end = lines.findIndex((line, index) => index > 0 && FENCE.test(line));
  const broken = (flaw: Flaw): Problem => ({
    kind: 'team_document_invalid',
    file,
    line: flaw.line,
    key: /^\s*(?:- )?([\w-]+)\s*:/.exec(lines[flaw.line - 1] ?? '')?.[1] ?? 'front matter',
    message: flaw.message,
  });
  if (end === -1)
    return {
      problems: [broken({ line: 1, message: 'the head is never closed; write a line --- below its last key' })],
    };
  const head = lines.slice(1, end);
  const strict = parseHead(head);
  const parsed = strict.flaws.length === 0 ? strict : parseHead(quoteOlderScalars(head));
  if (parsed.flaws.length > 0) return { problems: strict.flaws.map(broken) };
  return { head: parsed, body: trimLines(lines.slice(end + 1)) };
}

function linesOf(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
    .split('\n');
}

function trimLines(lines: readonly string[]): string {
  return lines
    .join('\n')
    .replace(/^(?:[ \t]*\n)+/, '')
    .trimEnd();
}

function parseHead(head: readonly string[]) {
  const lines = new LineCounter();
  // The empty line stands for the opening fence, so that positions are those of the file.
  const document = parseDocument(`\n${head.join('\n')}\n`, {
    version: '1.2',
    strict: true,
    uniqueKeys: true,
    stringKeys: true,
    prettyErrors: false,
    lineCounter: lines,
  });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const flaws: Flaw[] = [...document.errors, ...document.warnings].map((error) => ({
    line: lineAt(error.pos[0]),
    message: ADVICE[error.code] ?? `${error.message}; the head must be YAML 1.2`,
  }));
  if (flaws.length === 0) flaws.push(...unreadable(document, lineAt));
  const values: Record<string, unknown> = flaws.length === 0 ? (document.toJS() ?? {}) : {};
  return { document, flaws, values, lineOf: (path: readonly PropertyKey[]) => lineAt(offsetOf(document, path)) };
}

const ADVICE: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this key is written twice; keep one of the two',
  TAB_AS_INDENT: 'a tab cannot indent; use spaces',
  BLOCK_AS_IMPLICIT_KEY: 'a text with ": " in it needs quotes; write key: "a: b"',
  BAD_SCALAR_START: 'a text that starts with this character needs quotes; write "@builtin" with them',
  MISSING_CHAR: 'a quote or bracket above this line is never closed; close it',
};

/** Valid YAML that a document of ours does not use: anchors, aliases, and anything but a map at the top. */
function unreadable(document: Document.Parsed, lineAt: (offset: number) => number): Flaw[] {
  const flaws: Flaw[] = [];
  if (document.contents !== null && !isMap(document.contents) && !isEmptyHead(document)) {
    flaws.push({ line: 2, message: 'the head must be keys with values; write lines such as name: builder' });
  }
  visit(document, {
    Alias: (_, alias) => {
      flaws.push({
        line: lineAt(alias.range?.[0] ?? 0),
        message: 'aliases are not read; write the text out, in quotes',
      });
    },
  });
  return flaws;
}

function isEmptyHead(document: Document.Parsed): boolean {
  return isScalar(document.contents) && document.contents.value === null;
}

function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  let offset = 0;
  let node: unknown = document.contents;
  for (const step of path) {
    let child: unknown;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
      offset = isNode(pair?.key) ? (pair.key.range?.[0] ?? offset) : offset;
      child = pair?.value;
    } else if (isSeq(node)) {
      child = node.items[Number(step)];
      offset = isNode(child) ? (child.range?.[0] ?? offset) : offset;
    }
    node = child;
  }
  return offset;
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
