import fs from 'node:fs';
import path from 'node:path';
import { identifyProcess } from '../../src/kernel/index.ts';

/**
 * Enters this process into the registry of a Claude Code's configuration folder, as an idle session with an inbox at
 * `socket`. Whole at once: whoever looks meanwhile sees nothing or all of it.
 */
export function register(config: string, session: string, socket: string): void {
  const entry = {
    pid: process.pid,
    procStart: identifyProcess(process.pid)?.start,
    sessionId: session,
    cwd: process.cwd(),
    version: '2.1.400',
    messagingSocketPath: socket,
    status: 'idle',
    statusUpdatedAt: Date.now(),
  };
  const file = path.join(config, 'sessions', `${process.pid}.json`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}.new`, JSON.stringify(entry));
  fs.renameSync(`${file}.new`, file);
}
