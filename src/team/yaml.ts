import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';

/** Something that cannot be read, and the line where it stands, counted from 1. */
export interface Flaw {
  readonly line: number;
  readonly message: string;
}

/** A map of YAML as plain values. */
export interface ReadYaml {
  readonly values: Readonly<Record<string, unknown>>;
  /** Everything that is wrong; `values` is empty then. */
  readonly flaws: readonly Flaw[];
  /** The line, counted from 1, where a key or list item is written; that of the nearest one around it when it is not. */
  lineOf(path: readonly PropertyKey[]): number;
}

const STRICT = { version: '1.2', strict: true, uniqueKeys: true, stringKeys: true, prettyErrors: false } as const;

/** A map that has no flaws with some of its keys set; its comments and everything else stay as they are. */
export function setKeys(text: string, keys: Readonly<Record<string, unknown>>): string {
  const document = parseDocument(text, STRICT);
  for (const [key, value] of Object.entries(keys)) document.set(key, value);
  return document.toString({ lineWidth: 0 });
}

/** Reads a map in strict YAML 1.2 (JSON is part of it). Keys written twice, anchors and tags are flaws; each has its line. */
export function readYaml(text: string): ReadYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, { ...STRICT, lineCounter: lines });
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  const flaws: Flaw[] = [...document.errors, ...document.warnings].map((error) => ({
    line: lineAt(error.pos[0]),
    message: ADVICE[error.code] ?? `${error.message}; this must be YAML 1.2`,
  }));
  if (flaws.length === 0) flaws.push(...unreadable(document, lineAt));
  const values: Record<string, unknown> = flaws.length === 0 ? (document.toJS() ?? {}) : {};
  return { flaws, values, lineOf: (path) => lineAt(offsetOf(document, path)) };
}

/** The key of a line, as far as it can be told from the line alone. */
export function keyOfLine(line: string | undefined): string | undefined {
  return /^\s*(?:- )?"?([\w-]+)"?\s*:/.exec(line ?? '')?.[1];
}

/** A text as lines, whatever ended them, without a byte order mark. */
export function linesOf(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
    .split('\n');
}

/** A text without the empty lines around it; its lines end in `\n`. */
export function proseOf(text: string): string {
  return linesOf(text)
    .join('\n')
    .replace(/^(?:[ \t]*\n)+/, '')
    .trimEnd();
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
  const top = document.contents;
  if (top !== null && !isMap(top) && !isEmpty(top)) {
    const line = lineAt(top.range?.[0] ?? 0);
    flaws.push({ line, message: 'there must be keys with values; write lines such as name: builder' });
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

function isEmpty(node: unknown): boolean {
  return isScalar(node) && node.value === null;
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
