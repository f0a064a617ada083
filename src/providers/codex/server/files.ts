import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** Codex makes its socket here, whatever path it is told, and puts a symlink at that path; `/tmp` even when TMPDIR is another. */
function daemonFolder(): string {
  return `/tmp/codex-daemon-${process.getuid?.() ?? 'user'}`;
}

/**
 * What an app-server that listens on `socket` makes outside the folder of its socket: the socket proper and its lock, named
 * by the sha256 of the path; measured with 0.169.0. It removes them when it ends by itself or by SIGTERM, not when it is killed.
 */
export function serverFiles(socket: string): readonly string[] {
  const name = createHash('sha256').update(socket).digest('hex');
  return [name, `${name}.lock`].map((file) => path.join(daemonFolder(), file));
}

/** Removes what a dead server left behind, its symlink with it. */
export function removeServerFiles(socket: string): void {
  for (const file of [socket, ...serverFiles(socket)]) fs.rmSync(file, { force: true });
}
