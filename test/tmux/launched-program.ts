import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { register } from './registered.ts';

/**
 * Stands in for a Claude Code that our launcher starts: it shows a dialog until `$HOME/answered` is there, then it has a
 * session. It runs each line of `$HOME/runs`, a JSON array of words, as its own child and keeps what that printed in `$HOME/ran`.
 */
const home = process.env.HOME ?? '';
const at = (name: string): string => path.join(home, name);
const wordAfter = (flag: string): string => process.argv[process.argv.indexOf(flag) + 1] ?? '';
const config = process.env.CLAUDE_CONFIG_DIR ?? at('.claude');
const socket = wordAfter('--messaging-socket-path');
const session = randomUUID();
const transcript = path.join(config, 'projects', process.cwd().replace(/[^A-Za-z0-9]/g, '-'), `${session}.jsonl`);

fs.writeFileSync(at('pid'), String(process.pid));
while (!fs.existsSync(at('answered'))) await pause(20);

fs.mkdirSync(path.dirname(transcript), { recursive: true });
const inbox = net.createServer((connection) => connection.on('error', () => undefined).resume()).listen(socket);
await once(inbox, 'listening');
register(config, session, socket);
const start = { session_id: session, transcript_path: transcript, source: 'startup' };
fs.appendFileSync(
  path.join(path.dirname(wordAfter('--settings')), 'session-starts.jsonl'),
  `${JSON.stringify(start)}\n`,
);

for (;;) {
  if (fs.existsSync(at('runs'))) {
    const [command = '', ...words] = JSON.parse(fs.readFileSync(at('runs'), 'utf8')) as string[];
    fs.rmSync(at('runs'));
    const { stdout } = await promisify(execFile)(command, words).catch((failed: { stdout: string }) => failed);
    fs.writeFileSync(at('ran.new'), stdout);
    fs.renameSync(at('ran.new'), at('ran'));
  }
  await pause(20);
}
