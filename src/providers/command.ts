import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type Refusal, refuse } from '../kernel/index.ts';

/** How the `next` of a refusal names the launch that was asked for: who asked puts the command line itself there. */
export const LAUNCH = 'team-agent quick-start DIR';

/** A refusal whose `next` holds the command line that was typed, ready to be typed again. */
export function withLaunch(refusal: Refusal, line: string): Refusal {
  return { ...refusal, next: refusal.next.map((command) => command.replace(LAUNCH, () => line)) };
}

/** How long a CLI may take to say its version, ms; measured 10 to 140. */
const VERSION_DEADLINE = 10_000;

export interface Command {
  /** Absolute path, as PATH names it. */
  readonly binary: string;
  /** The numbers in what it answers to `--version`, such as 2.1.330; empty when there are none. */
  readonly version: string;
}

/** Versions that were asked for already, by the file that answered. */
const known = new Map<string, string>();

/** Finds a CLI on the PATH of `environment` and asks its version. Refuses when there is none, or when it does not answer. */
export async function findCommand(
  name: string,
  environment: Readonly<Record<string, string>>,
  install: string,
): Promise<Command | Refusal> {
  const binary = onPath(name, environment.PATH ?? '');
  if (binary === undefined) {
    return refuse('provider_missing', `There is no ${name} on the PATH. Install it with: ${install}.`, {
      evidence: { command: name, path: environment.PATH ?? '' },
      next: [install],
    });
  }
  const file = fs.statSync(binary);
  const key = `${binary} ${file.ino} ${file.mtimeMs} ${file.size}`;
  const answered = known.get(key) ?? (await askVersion(binary, environment));
  if (typeof answered === 'object') return answered;
  known.set(key, answered);
  return { binary, version: answered };
}

function onPath(name: string, folders: string): string | undefined {
  return folders
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder))
    .map((folder) => path.join(folder, name))
    .find((file) => {
      try {
        fs.accessSync(file, fs.constants.X_OK);
        return fs.statSync(file).isFile();
      } catch {
        return false; // not there, or not ours to run
      }
    });
}

function askVersion(binary: string, environment: Readonly<Record<string, string>>): Promise<string | Refusal> {
  return new Promise((resolve) => {
    execFile(binary, ['--version'], { env: environment, timeout: VERSION_DEADLINE }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout.match(/\d+(?:\.\d+)+/)?.[0] ?? '');
      const said = `${stderr}${stdout}`.trim().split('\n').at(-1) ?? '';
      resolve(
        refuse('provider_missing', `${binary} does not run: ${said || error.message}`, {
          evidence: { binary, code: error.code ?? null },
          next: [`${binary} --version`],
        }),
      );
    });
  });
}

/** Compares two versions of numbers: negative, zero or positive. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (let at = 0; at < Math.max(left?.length ?? 0, right?.length ?? 0); at++) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
