import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own folder: the nearest ancestor of this module with a package.json. */
export const packageFolder: string = (() => {
  const here = path.dirname(fileURLToPath(import.meta.url));
  for (let folder = here; ; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, 'package.json'))) return folder;
    if (folder === path.dirname(folder)) throw new Error(`no package.json in ${here} or above it`);
  }
})();

/** True when this code runs from the bundle in dist/, false when Node runs the sources. */
const bundled = path.basename(path.dirname(fileURLToPath(import.meta.url))) !== 'kernel';

/** The version of this package, for people and for handshakes. */
export function packageVersion(): string {
  return String(JSON.parse(fs.readFileSync(path.join(packageFolder, 'package.json'), 'utf8')).version);
}

/** The argv that runs one of our own programs with the very Node that runs this one. */
export function programArgv(program: 'cli' | 'scripted'): string[] {
  const file = bundled
    ? path.join(packageFolder, 'dist', `${program}.js`)
    : path.join(
        packageFolder,
        'src',
        ...(program === 'cli' ? ['cli', 'main.ts'] : ['providers', 'scripted', 'program', 'main.ts']),
      );
  return [process.execPath, file];
}

/** The shell script that stands between tmux and an agent: it reads the token and records the exit code. */
export const agentWrapper: string = path.join(packageFolder, 'bin', 'agent-wrapper');
