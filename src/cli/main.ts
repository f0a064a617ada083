/** The command. Parses, calls, prints; everything a command needs is loaded when it runs. */
import { constants } from 'node:os';
import { packageVersion } from '../kernel/installation.ts';

const argv = process.argv.slice(2);

// By default an interrupt ends the command at once, and so does an output that nobody reads: what was stored is stored.
let end = (exit: number): void => process.exit(exit);
let outputGone = false;
process.stdout.on('error', () => {
  if (outputGone) return; // each later write fails again
  outputGone = true;
  end(0);
});
process.stderr.on('error', () => undefined);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => end(128 + constants.signals[signal]));
}

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  process.stdout.write(`${packageVersion()}\n`);
} else {
  const { runCommand } = await import('./running.ts');
  const interrupted = new AbortController();
  const exit = await runCommand(argv, {
    environment: process.env,
    cwd: process.cwd(),
    stdin: () => process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    interrupted: interrupted.signal,
    endsItself: (onEnd) => {
      end = (code) => {
        interrupted.abort();
        onEnd?.(code);
      };
    },
  });
  if (exit !== 'stays') finish(exit);
}

/** Ends once everything written has left: a pipe takes a long answer piece by piece. */
function finish(exit: number): void {
  process.exitCode = exit;
  process.stdout.write('', () => process.stderr.write('', () => process.exit(exit)));
}
