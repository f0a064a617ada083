import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/**
 * Installs the command-line tools that test/real/package-lock.json pins, unless exactly those are there. Throws with one
 * line when that fails.
 */
export function installCommandLines(root: string, tell: (line: string) => void): void {
  const folder = path.join(root, 'test/real');
  const lock = path.join(folder, 'package-lock.json');
  const stamp = path.join(folder, 'node_modules/.installed-lock');
  if (fs.existsSync(stamp) && fs.readFileSync(lock).equals(fs.readFileSync(stamp))) return;
  tell('installing the pinned Claude Code and Codex into test/real (about 800 MB)');
  try {
    // As in script/bootstrap: versions and hashes come from the lock file, and no package runs a script of its own.
    execFileSync(
      'npm',
      [
        'install',
        '--no-save',
        '--no-audit',
        '--no-fund',
        '--no-update-notifier',
        '--loglevel=error',
        '--ignore-scripts',
      ],
      { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' } },
    );
  } catch (error) {
    throw new Error('npm could not install Claude Code and Codex into test/real: see above, then run this again', {
      cause: error,
    });
  }
  fs.copyFileSync(lock, stamp);
}
