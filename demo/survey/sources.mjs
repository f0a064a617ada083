/** Which files are read, what language they are in, and who reads which. */
import fs from 'node:fs';
import path from 'node:path';

const SLASHES = { line: '//', block: ['/*', '*/'] };
const HASH = { line: '#' };
const DASHES = { line: '--' };
/** How a language marks comments and opens what we call a function. Blocks end by braces, or by indentation. */
const LANGUAGES = {
  JavaScript: { extensions: ['js', 'mjs', 'cjs', 'jsx'], comments: SLASHES, blocks: 'braces' },
  TypeScript: { extensions: ['ts', 'mts', 'cts', 'tsx'], comments: SLASHES, blocks: 'braces' },
  Python: { extensions: ['py'], comments: HASH, blocks: 'indentation' },
  Go: { extensions: ['go'], comments: SLASHES, blocks: 'braces' },
  Rust: { extensions: ['rs'], comments: SLASHES, blocks: 'braces' },
  C: { extensions: ['c', 'h', 'cc', 'cpp', 'hpp', 'm'], comments: SLASHES, blocks: 'braces' },
  Java: { extensions: ['java', 'kt', 'scala', 'cs', 'swift'], comments: SLASHES, blocks: 'braces' },
  PHP: { extensions: ['php'], comments: SLASHES, blocks: 'braces' },
  Ruby: { extensions: ['rb'], comments: HASH, blocks: 'indentation' },
  Shell: { extensions: ['sh', 'bash', 'zsh'], comments: HASH, blocks: 'braces' },
  Lua: { extensions: ['lua'], comments: DASHES, blocks: 'indentation' },
  SQL: { extensions: ['sql'], comments: DASHES, blocks: 'none' },
};
const PROSE = { extensions: ['md', 'txt', 'rst', 'yaml', 'yml', 'toml', 'html', 'css'], comments: {}, blocks: 'none' };

const BY_EXTENSION = new Map(
  Object.entries(LANGUAGES).flatMap(([name, language]) =>
    language.extensions.map((extension) => [extension, { name, ...language }]),
  ),
);

/** Folders that hold what others wrote or a machine made. */
const NOT_OURS = new Set([
  'node_modules',
  'dist',
  'build',
  'out',
  'target',
  'vendor',
  'coverage',
  '__pycache__',
  'venv',
]);
/** A larger file is data. Bytes. */
const LARGEST = 1_000_000;
/** So many files are read; more would keep a spectator waiting. */
const MOST_FILES = 4_000;

/** The language of a file by its name; prose when it is none that we know. */
export function languageOf(file) {
  return BY_EXTENSION.get(path.extname(file).slice(1).toLowerCase()) ?? { name: 'text', ...PROSE };
}

/** Source files below `folder`, by path; without any, its texts. `skipped` counts what was more than `MOST_FILES`. */
export function findSources(folder) {
  const all = walk(folder, '');
  const sources = all.filter((file) => BY_EXTENSION.has(extension(file)));
  const wanted = sources.length > 0 ? sources : all.filter((file) => PROSE.extensions.includes(extension(file)));
  const files = wanted
    .map((file) => ({ path: file, bytes: fs.statSync(path.join(folder, file), { throwIfNoEntry: false })?.size ?? 0 }))
    .filter(({ bytes }) => bytes <= LARGEST)
    .sort((one, other) => (one.path < other.path ? -1 : 1));
  return { files: files.slice(0, MOST_FILES), skipped: Math.max(0, files.length - MOST_FILES) };
}

const extension = (file) => path.extname(file).slice(1).toLowerCase();

/** Links are not followed, and a folder that may not be read is passed over. */
function walk(folder, below) {
  let entries;
  try {
    entries = fs.readdirSync(path.join(folder, below), { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    if (entry.name.startsWith('.') || NOT_OURS.has(entry.name)) return [];
    const place = path.posix.join(below, entry.name);
    if (entry.isDirectory()) return walk(folder, place);
    return entry.isFile() ? [place] : [];
  });
}

/** Two halves of about the same size, cut so that folders stay together. */
export function splitInTwo(files) {
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  let before = 0;
  let cut = 0;
  while (cut < files.length && before + files[cut].bytes / 2 < total / 2) before += files[cut++].bytes;
  return { ann: files.slice(0, cut), bob: files.slice(cut) };
}
