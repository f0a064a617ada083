/**
 * Bundles the program into dist/: a folder per build, named by its content, and two short entries that point into it.
 * Other processes may be running from dist/ meanwhile: an entry changes by one rename, and the build before stays, so that
 * what they load later is still there. `--clean` removes it too, for the package.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { type BuildResult, build, type OutputFile, type Plugin } from 'esbuild';
import { thirdPartyNotices } from './notices.ts';

const root = path.dirname(import.meta.dirname);
const dist = path.join(root, 'dist');
const ENTRIES = { main: 'src/cli/main.ts', scripted: 'src/providers/scripted/program/main.ts' } as const;
/** What a command line needs to parse, call the coordinator and print: one file, because each file costs a start 0.7 ms. */
const COMMAND = 'src/cli/running.ts';
/** What the command line loads from here is part of that file; anything else stays apart until it is needed. */
const COMMAND_ROOMS = ['src/cli/', 'src/client/'];
const NEVER_IN_COMMAND = 'src/cli/daemon.ts';

/** CommonJS packages in an ES module bundle call `require` for Node's own modules. */
const REQUIRE = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);`;

/**
 * What Node made of the bundle at its first start, for the next ones: 4 ms of each. Where it cannot be written it is not; a
 * build begins with none.
 */
const COMPILED = 'compiled';

/**
 * dist/cli.js holds nothing that an old Node cannot load: static imports are linked before the first line runs, and one of
 * `node:sqlite` would end in a trace. What is needed stands in package.json, `engines`.
 */
const cliEntry = (id: string): string => `const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  process.getBuiltinModule('node:module').enableCompileCache(import.meta.dirname + '/${COMPILED}');
  await import('./${id}/main.mjs');
} else {
  console.error(\`team-agent: Node.js \${process.versions.node} is too old. Install Node.js 22.18 or newer.\`);
  process.exitCode = 1;
}
`;

/**
 * Node's own modules are fetched by a call instead of an import: an import makes a namespace of all exports, and reading all
 * of them loads what nobody asked for (`node:http` brings a whole `fetch`: 35 ms).
 */
const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path: name }) => ({ path: name, namespace: 'builtin' }));
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path: name }) => ({
      contents: SELDOM.has(name) ? whenUsed(name) : `module.exports = process.getBuiltinModule('${name}');`,
    }));
  },
};

/** Few commands use these, and each costs a start 3 or 4 ms: they are fetched when something of them is used. */
const SELDOM: ReadonlySet<string> = new Set(['node:crypto', 'node:child_process', 'node:util']);

function whenUsed(name: string): string {
  const names = Object.keys(process.getBuiltinModule(name) ?? {});
  return `for (const name of ${JSON.stringify(names)})
  Object.defineProperty(module.exports, name, { enumerable: true, get: () => process.getBuiltinModule('${name}')[name] });`;
}

type Bundle = BuildResult<{ write: false; metafile: true }>;

const OPTIONS = {
  absWorkingDir: root,
  outdir: 'dist',
  write: false,
  metafile: true,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.18',
  banner: { js: REQUIRE },
  // A `.js` makes Node look for the package.json that says what kind of module it is: 6 ms of a start.
  outExtension: { '.js': '.mjs' },
  minifyWhitespace: true, // half of the bytes that a start compiles; names stay for traces
  legalComments: 'none', // the licences are in THIRD_PARTY.txt
  logLevel: 'warning',
} as const;

/** The command line in two files, and everything else in pieces that it shares. */
async function bundle(): Promise<readonly Bundle[]> {
  const apart = new Map<string, string>();
  const command = await build({
    ...OPTIONS,
    entryPoints: { main: ENTRIES.main, command: COMMAND },
    plugins: [builtins, loadedApart(apart)],
  });
  const rest = await build({
    ...OPTIONS,
    entryPoints: { scripted: ENTRIES.scripted, ...Object.fromEntries(apart) },
    splitting: true,
    chunkNames: '[name]-[hash]',
    plugins: [builtins],
  });
  return [command, rest];
}

/** Leaves the dynamic imports of what the command line seldom needs as they are, and notes those files as entries by name. */
function loadedApart(entries: Map<string, string>): Plugin {
  return {
    name: 'loaded apart',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ kind, path: name, resolveDir }) => {
        if (kind !== 'dynamic-import') return undefined;
        const file = path.relative(root, path.resolve(resolveDir, name));
        if (file === COMMAND) return { path: './command.mjs', external: true };
        if (file !== NEVER_IN_COMMAND && COMMAND_ROOMS.some((room) => file.startsWith(room))) return undefined;
        const entry = file
          .replace(/^src\//, '')
          .replace(/(\/index)?\.ts$/, '')
          .replaceAll('/', '-');
        entries.set(entry, file);
        return { path: `./${entry}.mjs`, external: true };
      });
    },
  };
}

/** A name for these very bytes: two builds of the same sources are the same folder. */
function contentId(files: readonly OutputFile[]): string {
  const hash = createHash('sha256');
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    hash.update(path.basename(file.path)).update(file.contents);
  }
  return hash.digest('hex').slice(0, 12);
}

/** The folder of a build that dist/cli.js points to; undefined without a build. */
function currentBuild(): string | undefined {
  const entry = path.join(dist, 'cli.js');
  if (!fs.existsSync(entry)) return undefined;
  return /import\('\.\/([0-9a-f]{12})\/main\.mjs'\)/.exec(fs.readFileSync(entry, 'utf8'))?.[1];
}

function writeFolder(id: string, files: readonly OutputFile[]): void {
  const folder = path.join(dist, id);
  if (fs.existsSync(folder)) return;
  const unfinished = path.join(dist, `.unfinished-${process.pid}`);
  fs.mkdirSync(unfinished, { recursive: true });
  for (const file of files) fs.writeFileSync(path.join(unfinished, path.basename(file.path)), file.contents);
  fs.renameSync(unfinished, folder);
}

/** Replaces a file in one step and dates it to the start of the build: a source that changes meanwhile is newer. */
function replace(name: string, text: string, startedAt: Date): void {
  const unfinished = path.join(dist, `.${name}-${process.pid}`);
  fs.writeFileSync(unfinished, text);
  fs.utimesSync(unfinished, startedAt, startedAt);
  fs.renameSync(unfinished, path.join(dist, name));
}

/** Removes earlier builds but the one `before`, and what another build may be writing right now: `--clean` spares neither. */
function removeAllBut(kept: ReadonlySet<string>, before: string | undefined): void {
  const clean = process.argv.includes('--clean');
  for (const name of fs.readdirSync(dist)) {
    const spared = !clean && (name === before || name.startsWith('.'));
    if (!kept.has(name) && !spared) fs.rmSync(path.join(dist, name), { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const missing = Object.values(ENTRIES).filter((entry) => !fs.existsSync(path.join(root, entry)));
  if (missing.length > 0) {
    console.error(`build: cannot bundle, there is no ${missing.join(' and no ')}`);
    process.exitCode = 1;
    return;
  }
  const startedAt = new Date();
  const before = currentBuild();
  const bundles = await bundle();
  const files = bundles.flatMap((made) => made.outputFiles);
  const inputs = bundles.flatMap((made) => Object.keys(made.metafile.inputs));
  const id = contentId(files);
  writeFolder(id, files);
  replace('THIRD_PARTY.txt', thirdPartyNotices(root, [...new Set(inputs)]), startedAt);
  replace('scripted.js', `import './${id}/scripted.mjs';\n`, startedAt);
  replace('cli.js', cliEntry(id), startedAt);
  removeAllBut(new Set(['THIRD_PARTY.txt', 'scripted.js', 'cli.js', id]), before);
}

await main();
