/** Reads one half to the last line. */
import fs from 'node:fs';
import path from 'node:path';
import { languageOf } from './sources.mjs';

const MARKS = /\b(?:TODO|FIXME|XXX|HACK)\b/;

/** Everything that is known of the half of `who`. Imports of files in the other half are kept apart: `across`. */
export function readHalf({ folder, halves }, who) {
  const mine = halves[who].map((file) => file.path);
  const theirs = halves[who === 'ann' ? 'bob' : 'ann'].map((file) => file.path);
  const known = new Set([...mine, ...theirs]);
  const files = mine.flatMap((file) => readFile(folder, file, known));
  const within = new Map();
  const across = new Map();
  const own = new Set(mine);
  for (const target of files.flatMap((file) => file.imports)) count(own.has(target) ? within : across, target);
  const sum = (key) => files.reduce((total, file) => total + file[key], 0);
  return {
    who,
    files: files.length,
    lines: sum('lines'),
    blank: sum('blank'),
    comment: sum('comment'),
    functions: sum('functions'),
    marks: sum('marks'),
    packages: sum('packages'),
    languages: tally(files.map((file) => [file.language, file.lines])),
    longestFile: largest(
      files,
      (file) => file.lines,
      ({ path: name, lines }) => ({ path: name, lines }),
    ),
    longestBlock: largest(
      files.flatMap((file) => file.longest ?? []),
      (block) => block.lines,
      (block) => block,
    ),
    within: Object.fromEntries(within),
    across: Object.fromEntries(across),
  };
}

function readFile(folder, file, known) {
  let text;
  try {
    text = fs.readFileSync(path.join(folder, file), 'utf8');
  } catch {
    return []; // it has gone since the plan was made
  }
  if (text.includes('\u0000')) return [];
  const language = languageOf(file);
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const blocks = findBlocks(lines, language.blocks).map((block) => ({ ...block, path: file }));
  const targets = importedNames(text, language.name);
  const imports = targets.flatMap((target) => resolveImport(file, target, known) ?? []);
  return [
    {
      path: file,
      language: language.name,
      lines: lines.length,
      ...countKinds(lines, language.comments),
      marks: lines.filter((line) => MARKS.test(line)).length,
      functions: blocks.length,
      longest: largest(
        blocks,
        (block) => block.lines,
        (block) => block,
      ),
      imports,
      packages: targets.length - imports.length,
    },
  ];
}

function countKinds(lines, { line: mark, block }) {
  let blank = 0;
  let comment = 0;
  let inside = false;
  for (const raw of lines) {
    const line = raw.trim();
    if (line === '') blank++;
    else if (inside || (mark && line.startsWith(mark)) || (block && line.startsWith(block[0]))) {
      comment++;
      if (block && (inside || line.startsWith(block[0]))) inside = !line.includes(block[1]);
    }
  }
  return { blank, comment };
}

const BRACE_START =
  /^\s*(?:export\s+|default\s+|pub(?:\([a-z]+\))?\s+|public\s+|private\s+|protected\s+|static\s+|async\s+|unsafe\s+)*(?:(?:function\*?|fn|func|fun)\s*(?:\([^)]*\)\s*)?([A-Za-z_$][\w$]*)|(?:const|let|var)\s+([A-Za-z_$][\w$]*)[^=]*=\s*(?:async\s*)?(?:function|\([^)]*\)[^=]*=>|[\w$]+\s*=>).*\{\s*$|(?:get\s+|set\s+)?([#A-Za-z_$][\w$<>[\], *]*?)\s*\([^;]*\)[^;=]*\{\s*$)/;
const INDENT_START = /^\s*(?:async\s+)?(?:def|(?:local\s+)?function)\s+([\w.:?!]+)/;
const NO_FUNCTIONS = new Set(['if', 'for', 'while', 'switch', 'catch', 'else', 'do', 'return', 'try', 'with', 'match']);

/** Functions and methods by the look of their first line; each ends at the next line that is not indented deeper. */
function findBlocks(lines, style) {
  if (style === 'none') return [];
  const start = style === 'braces' ? BRACE_START : INDENT_START;
  const blocks = [];
  for (const [index, line] of lines.entries()) {
    const found = start.exec(line);
    const name = found?.slice(1).find((group) => group !== undefined);
    const word = name?.trim().split(/\s+/).at(-1);
    if (word === undefined || NO_FUNCTIONS.has(word) || NO_FUNCTIONS.has(name.trim().split(/\W/)[0])) continue;
    const end = endOf(lines, index, style);
    blocks.push({ name: word, line: index + 1, lines: end - index });
  }
  return blocks;
}

function endOf(lines, start, style) {
  const depth = indentation(lines[start]);
  if (style === 'braces' && /\{.*\}\s*;?\s*$/.test(lines[start])) return start + 1;
  let last = start;
  for (let index = start + 1; index < lines.length; index++) {
    const line = lines[index];
    if (line.trim() === '') continue;
    if (indentation(line) > depth || (style === 'braces' && /^\s*[)\]]/.test(line))) {
      last = index;
      continue;
    }
    const closes = style === 'braces' ? /^\s*\}/.test(line) : /^\s*end\b/.test(line);
    return closes ? index + 1 : last + 1;
  }
  return last + 1;
}

const indentation = (line) => /^\s*/.exec(line)[0].replaceAll('\t', '    ').length;

const SCRIPT_IMPORT =
  /(?:^|[\s;}])(?:import|export)\b[^'"`;]*?['"]([^'"\n]+)['"]|\b(?:import|require)\(\s*['"]([^'"\n]+)['"]\s*\)/gm;
const IMPORTS = {
  JavaScript: SCRIPT_IMPORT,
  TypeScript: SCRIPT_IMPORT,
  Python: /^\s*(?:from\s+([.\w]+)\s+import|import\s+([.\w]+))/gm,
  Go: /^\s*(?:import\s+)?(?:[\w.]+\s+)?"([\w./-]+)"\s*$/gm,
  Rust: /^\s*(?:pub\s+)?(?:use\s+([\w:]+)|mod\s+(\w+)\s*;)/gm,
  C: /^\s*#\s*(?:include|import)\s+["<]([^">]+)[">]/gm,
  Java: /^\s*(?:import|using)\s+(?:static\s+)?([\w.]+)/gm,
  PHP: /^\s*use\s+([\w\\]+)/gm,
  Ruby: /^\s*require(?:_relative)?\s+['"]([^'"]+)['"]/gm,
  Shell: /^\s*(?:\.|source)\s+["']?([\w./-]+)/gm,
  Lua: /\brequire\s*\(?\s*['"]([^'"]+)['"]/gm,
};

function importedNames(text, language) {
  const pattern = IMPORTS[language];
  if (!pattern) return [];
  return [...text.matchAll(pattern)].flatMap((match) => match.slice(1).find((group) => group !== undefined) ?? []);
}

const ENDINGS = [
  '',
  '.ts',
  '.tsx',
  '.js',
  '.mjs',
  '.py',
  '.rb',
  '.rs',
  '.lua',
  '/index.ts',
  '/index.js',
  '/__init__.py',
  '/mod.rs',
];

/** The file that an import means; undefined when it is a package, or none of the files of this survey. */
function resolveImport(from, target, known) {
  const folder = path.posix.dirname(from);
  const plain = /^[./]/.test(target) && !/^\.+\w/.test(target);
  const words = plain || target.includes('/') ? target : target.replace(/^\.+/, '').replaceAll(/::|\.|\\/g, '/');
  const places = [
    path.posix.join(folder, words),
    words,
    path.posix.join('src', words),
    path.posix.join(folder, target),
    target,
  ];
  for (const place of places) {
    for (const ending of ENDINGS) {
      const bare = place.replace(/\.(?:js|mjs)$/, '.ts');
      if (known.has(place + ending) && place + ending !== from) return place + ending;
      if (ending === '' && known.has(bare) && bare !== from) return bare;
    }
  }
  return undefined;
}

function count(map, key) {
  map.set(key, (map.get(key) ?? 0) + 1);
}

function tally(pairs) {
  const map = {};
  for (const [key, amount] of pairs) map[key] = (map[key] ?? 0) + amount;
  return map;
}

function largest(items, size, shown) {
  const best = items.reduce((top, item) => (top === undefined || size(item) > size(top) ? item : top), undefined);
  return best === undefined ? null : shown(best);
}
