import { type ChildProcess, spawn } from 'node:child_process';
import type { Message } from './message.ts';
import type { Ran } from './player.ts';

/** Of a command's output so much is kept, in bytes. */
const KEPT_OUTPUT = 200_000;

/** Commands of a script, each in a process group of its own, so that all of it ends with the turn or the program. */
export class Shell {
  readonly #folder: string;
  readonly #running = new Set<ChildProcess>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Runs `command` and returns its output (standard output and error) and exit code; 128 when a signal ended it. */
  async run(command: string, message: Message | undefined, signal: AbortSignal): Promise<Ran> {
    const child = spawn('sh', ['-c', command], {
      cwd: this.#folder,
      env: { ...process.env, BODY: message?.body ?? '', FROM: message?.from ?? '', TASK: message?.task ?? '' },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const pieces: Buffer[] = [];
    let size = 0;
    const keep = (piece: Buffer): void => {
      const kept = piece.subarray(0, KEPT_OUTPUT - size);
      size += kept.length;
      pieces.push(kept);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const stop = (): void => end(child);
    this.#running.add(child);
    signal.addEventListener('abort', stop, { once: true });
    try {
      const code = await new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (status) => resolve(status ?? 128));
      });
      signal.throwIfAborted();
      return { output: Buffer.concat(pieces).toString('utf8'), code };
    } finally {
      signal.removeEventListener('abort', stop);
      this.#running.delete(child);
    }
  }

  end(): void {
    for (const child of this.#running) end(child);
  }
}

function end(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
