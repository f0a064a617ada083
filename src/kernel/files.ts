import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { errorCode } from './processes.ts';
import { type Refusal, refuse } from './reasons.ts';

/** Creates a 0700 folder, or checks that an existing one is ours alone. */
export function ensurePrivateFolder(folder: string): Refusal | undefined {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = fs.lstatSync(folder);
  const mine = found.uid === (process.getuid?.() ?? found.uid);
  if (found.isDirectory() && mine && (found.mode & 0o077) === 0) return undefined;
  if (found.isDirectory() && mine) {
    fs.chmodSync(folder, 0o700);
    return undefined;
  }
  return refuse(
    'folder_not_private',
    `${folder} must be a folder that only you own: another user could read messages there.`,
    {
      evidence: { folder, owner: found.uid, mode: (found.mode & 0o777).toString(8), directory: found.isDirectory() },
      next: [`ls -ld ${folder}`],
    },
  );
}

/**
 * The folder for a workspace's sockets: `$XDG_RUNTIME_DIR/team-agent/<hash>`, else `<tmp>/team-agent-<uid>/<hash>`.
 * It lies outside the workspace because a socket path has at most 103 bytes. The hash is of the workspace's real path.
 */
export function socketFolder(workspace: string, environment: NodeJS.ProcessEnv = process.env): string {
  const name = createHash('sha256').update(workspace).digest('hex').slice(0, 16);
  const runtime = environment.XDG_RUNTIME_DIR;
  if (runtime && fs.existsSync(runtime)) return path.join(runtime, 'team-agent', name);
  return path.join(os.tmpdir(), `team-agent-${process.getuid?.() ?? 'user'}`, name);
}

/** Writes a whole file with mode 0600: readers see the old text or the new one, never half of it. */
export function writePrivateFile(file: string, content: string): void {
  const fresh = `${file}.${process.pid}.new`;
  fs.writeFileSync(fresh, content, { mode: 0o600 });
  fs.renameSync(fresh, file);
}

/** A file's text, or undefined when there is no such file. Any other error is thrown. */
export function readIfThere(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Bytes `from` to `to` of a file. Fewer come back when the file is shorter. */
export function readBytes(file: string, from: number, to: number): Buffer {
  const chunk = Buffer.alloc(Math.max(0, to - from));
  if (chunk.length === 0) return chunk;
  const handle = fs.openSync(file, 'r');
  try {
    return chunk.subarray(0, fs.readSync(handle, chunk, 0, chunk.length, from));
  } finally {
    fs.closeSync(handle);
  }
}

/** A file's size in bytes; 0 when there is no such file. */
export function sizeOf(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
