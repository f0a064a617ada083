import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { identifyProcess } from '../../kernel/processes.ts';

/** Processes other than this one that have one of `names` in their command line or, on Linux, in their environment. */
export async function processesNaming(names: readonly string[]): Promise<number[]> {
  const found = process.platform === 'linux' ? fromProc(names) : await fromPs(names);
  return found.filter((pid) => pid !== process.pid && identifyProcess(pid) !== undefined);
}

function fromProc(names: readonly string[]): number[] {
  return fs
    .readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) =>
      names.some((name) => [read(pid, 'cmdline'), read(pid, 'environ')].some((text) => text.includes(name))),
    )
    .map(Number);
}

/** Empty for a process of somebody else, and for one that has just ended. */
function read(pid: string, file: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

async function fromPs(names: readonly string[]): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,command='], { maxBuffer: 16_000_000 });
  return stdout
    .split('\n')
    .filter((line) => names.some((name) => line.includes(name)))
    .map((line) => Number.parseInt(line, 10));
}
