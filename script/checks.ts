import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { importCycles, roomViolations, type Sources } from './rooms.ts';
import { staleSchemas } from './schemas.ts';
import { machineTraces, shellOf } from './traces.ts';

/** How many passed and how many failed, of checks or of tests. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** The line that every run ends with. */
export const total = (counts: Counts): string => `${counts.passed} passed, ${counts.failed} failed`;

interface Check {
  readonly name: string;
  /** What is wrong, one line each; none when all is well. */
  readonly problems: () => Promise<readonly string[]>;
}

const root = path.dirname(import.meta.dirname);

/** Only what users get: a source file or a dependency that nothing but a test needs does not belong there. */
const PRODUCTION = ['--no-progress', '--production', '--include', 'files,dependencies'];

const CHECKS: readonly Check[] = [
  { name: 'types', problems: () => tool('typescript/bin/tsc', ['-p', '.', '--pretty', 'false']) },
  {
    name: 'style',
    problems: () =>
      tool('@biomejs/biome/bin/biome', ['check', '--colors=off', '--error-on-warnings', '--max-diagnostics=20']),
  },
  { name: 'room order', problems: async () => roomViolations(await sources()) },
  { name: 'import cycles', problems: async () => importCycles(await sources()) },
  { name: 'dead code', problems: () => tool('knip/bin/knip.js', ['--no-progress', '--no-config-hints']) },
  { name: 'code that only tests use', problems: () => tool('knip/bin/knip.js', [...PRODUCTION, '--no-config-hints']) },
  { name: 'schemas', problems: async () => staleSchemas() },
  { name: 'package', problems: packageProblems },
  { name: 'install scripts', problems: installScripts },
  { name: 'shell scripts', problems: shellScripts },
  { name: 'machine traces', problems: traces },
];

/** Runs every check, tells one line of each (and what is wrong below it), and counts. */
export async function runChecks(tell: (line: string) => void): Promise<Counts> {
  let failed = 0;
  for (const check of CHECKS) {
    const problems = await check.problems();
    tell(`${problems.length === 0 ? 'ok    ' : 'FAILED'} check: ${check.name}`);
    for (const problem of problems) tell(`         ${problem}`);
    if (problems.length > 0) failed += 1;
  }
  return { passed: CHECKS.length - failed, failed };
}

/** The output of a program of our dependencies when it fails; no lines when it ends with 0. */
function tool(file: string, args: readonly string[]): Promise<readonly string[]> {
  return run(process.execPath, [path.join('node_modules', file), ...args]);
}

function run(program: string, args: readonly string[]): Promise<readonly string[]> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd: root, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (!error) return resolve([]);
      const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
      resolve([`${path.basename(args[0] ?? program)}: ${error.message.split('\n')[0]}`, ...lines]);
    });
  });
}

/** The files of the project: what git tracks or would track, else (a copy without git) everything but what is ignored. */
async function projectFiles(): Promise<string[]> {
  const listed = await new Promise<string | undefined>((resolve) => {
    const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
    execFile('git', args, { cwd: root, maxBuffer: 64 << 20 }, (error, stdout) => resolve(error ? undefined : stdout));
  });
  const files = listed === undefined ? walk('') : listed.split('\0').filter((name) => name !== '');
  return files.filter((file) => fs.statSync(path.join(root, file), { throwIfNoEntry: false })?.isFile());
}

const NOT_OURS = new Set(['node_modules', 'dist', '.toolchain', '.team', '.git']);

function walk(folder: string): string[] {
  return fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(folder, entry.name);
    if (NOT_OURS.has(entry.name)) return [];
    return entry.isDirectory() ? walk(name) : [name];
  });
}

async function sources(): Promise<Sources> {
  const files = (await projectFiles()).filter((file) => /^src\/.*\.tsx?$/.test(file));
  return new Map(files.map((file) => [file, fs.readFileSync(path.join(root, file), 'utf8')]));
}

async function packageProblems(): Promise<readonly string[]> {
  process.env.NODE_DISABLE_COMPILE_CACHE = '1'; // npm's own would stay behind in the temporary folder
  const { messages, pkg } = await publint({ pkgDir: root, level: 'warning', pack: 'npm' });
  delete process.env.NODE_DISABLE_COMPILE_CACHE;
  if (!pkg) return ['package.json could not be read'];
  return messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code);
}

/** npm 12 skips install scripts silently, so nothing that a user installs may need one. */
async function installScripts(): Promise<readonly string[]> {
  const lock: { packages: Record<string, { dev?: boolean; hasInstallScript?: boolean }> } = JSON.parse(
    fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8'),
  );
  return Object.entries(lock.packages)
    .filter(([, facts]) => facts.hasInstallScript && !facts.dev)
    .map(([name]) => `${name || 'the package itself'} has an install script`);
}

async function shellScripts(): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const file of await projectFiles()) {
    const shell = shellOf(fs.readFileSync(path.join(root, file)));
    if (shell) problems.push(...(await run(shell, ['-n', file])));
  }
  return problems;
}

async function traces(): Promise<readonly string[]> {
  return (await projectFiles()).flatMap((file) => machineTraces(file, fs.readFileSync(path.join(root, file)), root));
}
