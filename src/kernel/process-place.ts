import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { identifyProcess, type ProcessIdentity, processIds } from './processes.ts';

/** Where a process works and whose it is; what cannot be found out is undefined. */
export interface ProcessPlace {
  /** Real path of its working folder. */
  readonly folder: string | undefined;
  /** Its user, as a number. */
  readonly uid: number | undefined;
}

/** Looks at a process now. Free on Linux; elsewhere `ps` and `lsof` are asked. */
export function placeOf(pid: number): ProcessPlace {
  return process.platform === 'linux' ? fromProc(pid) : fromTools(pid);
}

function fromProc(pid: number): ProcessPlace {
  return {
    folder: orNothing(() => fs.realpathSync(`/proc/${pid}/cwd`)),
    uid: orNothing(() => effectiveUser(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))),
  };
}

/** Not by the owner of its folder in /proc: that is root's for every process that changed its user or guards its memory. */
function effectiveUser(status: string): number | undefined {
  const uid = /^Uid:\t\d+\t(\d+)\t/m.exec(status)?.[1];
  return uid === undefined ? undefined : Number(uid);
}

function fromTools(pid: number): ProcessPlace {
  const run = (file: string, ...args: string[]): string =>
    execFileSync(file, args, { encoding: 'utf8', stdio: 'pipe' });
  return {
    folder: orNothing(() => {
      const line = run('lsof', '-a', '-p', String(pid), '-d', 'cwd', '-Fn').match(/^n(.*)$/m)?.[1];
      return line === undefined ? undefined : fs.realpathSync(line);
    }),
    uid: orNothing(() => {
      const uid = Number(run('ps', '-o', 'uid=', '-p', String(pid)).trim() || Number.NaN);
      return Number.isInteger(uid) ? uid : undefined;
    }),
  };
}

/**
 * A variable of the environment in which a process was started, which its children have from it; undefined when it has
 * none, or when it is not ours to look at.
 */
export function startedWith(pid: number, name: string): string | undefined {
  const environment = orNothing(() =>
    process.platform === 'linux'
      ? fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
      : execFileSync('ps', ['-Eww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' }).split(
          /\s+/,
        ),
  );
  return environment?.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Room for the environments of thousands of processes, bytes. */
const ALL_ENVIRONMENTS = 256 * 1024 * 1024;

/** The live processes that were started with this value of a variable, wherever they run by now. */
export function processesStartedWith(name: string, value: string): ProcessIdentity[] {
  const found =
    process.platform === 'linux'
      ? processIds().filter((pid) => startedWith(pid, name) === value)
      : execFileSync('ps', ['-axEww', '-o', 'pid=,command='], { encoding: 'utf8', maxBuffer: ALL_ENVIRONMENTS })
          .split('\n')
          .filter((line) => line.split(/\s+/).includes(`${name}=${value}`))
          .map((line) => Number.parseInt(line, 10));
  return found.flatMap((pid) => identifyProcess(pid) ?? []);
}

function orNothing<Value>(look: () => Value | undefined): Value | undefined {
  try {
    return look();
  } catch {
    return undefined; // the process has ended, or is not ours to look at
  }
}
