import os from 'node:os';
import path from 'node:path';

/** The shell that a file's first line asks for; undefined for everything that is no shell script. */
export function shellOf(content: Buffer): 'sh' | 'bash' | undefined {
  const first = content.subarray(0, 80).toString('latin1').split('\n')[0] ?? '';
  const shell = /^#!.*[/ ](sh|bash)\b/.exec(first)?.[1];
  return shell === 'sh' || shell === 'bash' ? shell : undefined;
}

/** Folders that are the same on every machine: a checkout may stand in one without its name being a trace. */
const COMMON = new Set([
  '/',
  '/tmp',
  '/var/tmp',
  '/root',
  '/home',
  '/Users',
  '/opt',
  '/srv',
  '/usr',
  '/var',
  '/mnt',
  '/workspace',
]);

/** Hosts of package registries, and settings that name one. A lock file with them works only where they are reached. */
const REGISTRY = /registry\.(?:npmjs|yarnpkg|npmmirror)\.\w+|npm\.pkg\.github\.com|"resolved": "https?:|^registry\s*=/m;

/**
 * Lines of a file that only hold on the machine it was written on: paths of the checkout at `root`, of the folder around
 * it or of a person's home, and registry hosts. Binary files have none.
 */
export function machineTraces(file: string, content: Buffer, root: string, home: string = os.homedir()): string[] {
  if (content.includes(0)) return [];
  const places = [root, path.dirname(root), home].filter((place) => !COMMON.has(place));
  const lines = content.toString('utf8').split('\n');
  return lines.flatMap((line, index) => {
    const trace = places.find((place) => namesPlace(line, place)) ?? REGISTRY.exec(line)?.[0];
    return trace === undefined ? [] : [`${file}:${index + 1} holds ${trace}`];
  });
}

/** Does the line hold this very folder, neither as the end of a longer path nor as the start of a longer name? */
function namesPlace(line: string, place: string): boolean {
  for (let at = line.indexOf(place); at >= 0; at = line.indexOf(place, at + 1)) {
    const before = line.charAt(at - 1);
    const after = line.charAt(at + place.length);
    if (!/[\w.$}~-]/.test(before) && !/[\w-]/.test(after)) return true;
  }
  return false;
}
