/** The command. Parses, calls, prints; everything a command needs is loaded when it runs. */
import { constants } from 'node:os';
import { packageVersion } from '../kernel/installation.ts';

const argv = process.argv.slice(2);

// Whoever read our output has gone: what was stored is stored, and nobody is left to tell more.
process.stdout.on('error', () => process.exit(0));
process.stderr.on('error', () => undefined);

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  process.stdout.write(`${packageVersion()}\n`);
} else {
  const interrupted = new AbortController();
  const { runCommand } = await import('./running.ts');
  const exit = await runCommand(argv, {
    environment: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    interrupted: interrupted.signal,
    onInterrupt: (stop) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.on(signal, () => {
          interrupted.abort();
          stop(128 + constants.signals[signal]);
        });
      }
    },
  });
  finish(exit);
}

/** Ends once everything written has left: a pipe takes a long answer piece by piece. */
function finish(exit: number): void {
  process.exitCode = exit;
  process.stdout.write('', () => process.stderr.write('', () => process.exit(exit)));
}
