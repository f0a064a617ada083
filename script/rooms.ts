import path from 'node:path';

/** The rooms of src/, top to bottom. A room imports only rooms that come after it here, each through its `index.ts`. */
export const ROOMS = [
  'cli',
  'mcp',
  'web',
  'coordinator',
  'doctor',
  'display',
  'plans',
  'attention',
  'lifecycle',
  'results',
  'leader',
  'messages',
  'agents',
  'team',
  'providers',
  'tmux',
  'ledger',
  'client',
  'kernel',
] as const;

/** Arrows that the order would allow and the design does not. */
const NEVER = [{ from: 'providers', to: 'ledger', because: 'a provider tells facts, it stores nothing' }] as const;

/**
 * Folders that may import single files of a room instead of its index. They run in a process that is started for each use,
 * and an index loads its whole room.
 */
const DIRECT = [
  { from: 'src/cli/', to: 'src/kernel/' },
  { from: 'src/cli/', to: 'src/coordinator/offline.ts' },
  { from: 'src/cli/', to: 'src/results/envelope.ts' },
  { from: 'src/cli/', to: 'src/mcp/bridge.ts' },
  { from: 'src/client/', to: 'src/kernel/' },
  { from: 'src/providers/scripted/program/', to: 'src/kernel/' },
] as const;

/** Source texts by path relative to the project, with `/`: `src/kernel/ids.ts`. */
export type Sources = ReadonlyMap<string, string>;

const IMPORT =
  /^(?:import|export)\b[^'"`;]*?\bfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|^\} from ['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

/** What a source imports by a relative path, types included, resolved to paths like those of `Sources`. */
export function importsOf(file: string, text: string): string[] {
  const withoutComments = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const found = [...withoutComments.matchAll(IMPORT)].map((match) => match.slice(1).find((part) => part !== undefined));
  const relative = found
    .filter((name) => name?.startsWith('.'))
    .map((name) => path.posix.join(path.posix.dirname(file), name ?? ''));
  return [...new Set(relative)];
}

/** One line for each import that breaks the order of the rooms, and for each file outside every room. */
export function roomViolations(sources: Sources): string[] {
  const lines: string[] = [];
  for (const [file, text] of sources) {
    if (!file.startsWith('src/')) continue;
    if (rank(file) < 0) lines.push(`${file} is in no room: script/rooms.ts lists them`);
    for (const target of importsOf(file, text)) {
      const broken = brokenRule(file, target);
      if (broken) lines.push(`${file} imports ${target}: ${broken}`);
    }
  }
  return lines;
}

function brokenRule(file: string, target: string): string | undefined {
  if (!target.startsWith('src/')) return 'the program imports nothing outside src/';
  const from = roomOf(file);
  const to = roomOf(target);
  if (from === to) return undefined;
  const never = NEVER.find((arrow) => arrow.from === from && arrow.to === to);
  if (never) return never.because;
  if (rank(target) <= rank(file)) return `${to}/ is not below ${from}/`;
  const direct = DIRECT.some((exception) => file.startsWith(exception.from) && target.startsWith(exception.to));
  return direct || target === `src/${to}/index.ts` ? undefined : `a room is used through its index.ts`;
}

const roomOf = (file: string): string => file.split('/')[1] ?? '';
const rank = (file: string): number => ROOMS.findIndex((room) => room === roomOf(file) && file.split('/').length > 2);

/** Import cycles between files, types included, each as one line `a -> b -> a`. A file is reported in one cycle at most. */
export function importCycles(sources: Sources): string[] {
  const lines: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (file: string): void => {
    const start = trail.indexOf(file);
    if (start >= 0) lines.push([...trail.slice(start), file].join(' -> '));
    if (start >= 0 || done.has(file)) return;
    trail.push(file);
    for (const target of importsOf(file, sources.get(file) ?? '')) if (sources.has(target)) visit(target);
    trail.pop();
    done.add(file);
  };
  for (const file of sources.keys()) visit(file);
  return lines;
}
