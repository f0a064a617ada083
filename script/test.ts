/**
 * The whole suite: `node script/test.ts [real] [--long]`. The build's checks, the tests, then a look for what they left
 * behind. The last line is `N passed, N failed`; the exit code is 1 when anything failed or nothing ran.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { type Counts, runChecks, total } from './checks.ts';
import { installCommandLines } from './command-lines.ts';
import { RunFolder } from './leftovers.ts';
import { loopbackOnly } from './loopback.ts';
import { readReport } from './report.ts';

const root = path.dirname(import.meta.dirname);
const known = new Set(['real', '--long']);
const asked = process.argv.slice(2);

const add = (counts: readonly Counts[]): Counts => ({
  passed: counts.reduce((sum, one) => sum + one.passed, 0),
  failed: counts.reduce((sum, one) => sum + one.failed, 0),
});

async function main(): Promise<void> {
  const unknown = asked.filter((word) => !known.has(word));
  if (unknown.length > 0) {
    console.error(`usage: ./script/test [real] [--long] (not ${unknown.join(' ')})`);
    process.exitCode = 2;
    return;
  }
  const folder = new RunFolder();
  const counts = [await runChecks((line) => console.log(line))];
  counts.push(await (asked.includes('real') ? realJourneys(folder) : runTests(['rules', 'simulator', 'tmux'], folder)));
  counts.push(await nothingLeft(folder));
  const sum = add(counts);
  console.log(total(sum));
  process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;
}

/**
 * The journeys with the real Claude Code and Codex, in a network namespace with loopback alone. When they cannot be run,
 * that is a failure.
 */
async function realJourneys(folder: RunFolder): Promise<Counts> {
  try {
    installCommandLines(root, (line) => console.log(line));
    const inside = loopbackOnly(folder.namespace, (line) => console.log(line));
    return await runTests(['real'], folder, inside);
  } catch (error) {
    console.log(`FAILED ${error instanceof Error ? error.message : error}`);
    return { passed: 0, failed: 1 };
  }
}

/**
 * Runs the projects of vitest.config.ts and counts their tests by the runner's own report. `before` are the words in front
 * of the runner's command.
 */
async function runTests(
  projects: readonly string[],
  folder: RunFolder,
  before: readonly string[] = [],
): Promise<Counts> {
  const report = path.join(folder.path, 'report.json');
  const [program = process.execPath, ...words] = [...before, process.execPath];
  const status = await new Promise<number>((resolve, reject) => {
    const child = spawn(
      program,
      [
        ...words,
        path.join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        ...projects.map((project) => `--project=${project}`),
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
      ],
      {
        cwd: root,
        stdio: ['ignore', 'inherit', 'inherit'],
        env: { ...process.env, TMPDIR: folder.path, SUITE_LONG: asked.includes('--long') ? '1' : '' },
      },
    );
    // Ctrl-C ends the tests, not this: what they leave behind is still looked for.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => child.kill(signal));
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
  const { passed, failures, skipped } = readReport(report, root, status);
  for (const failure of failures) console.log(`FAILED ${failure}`);
  if (skipped.length > 0) console.log(`not run, ${skipped.length} skipped: ${skipped.join('; ')}`);
  return { passed, failed: failures.length };
}

/** One test of its own: nothing that the run started is alive, and nothing lies about. Ends what it finds. */
async function nothingLeft(folder: RunFolder): Promise<Counts> {
  const left = await folder.leftovers();
  console.log(`${left.length === 0 ? 'ok    ' : 'FAILED'} nothing is left running or lying about`);
  for (const { what, remove } of left) {
    console.log(`         left: ${what}`);
    remove();
  }
  folder.remove();
  return left.length === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: left.length };
}

await main();
