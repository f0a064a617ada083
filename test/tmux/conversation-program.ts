import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { register } from './registered.ts';

/**
 * Stands in for a Claude Code in a person's terminal, as far as others can see it: its entry in the registry, its inbox, its
 * transcript. It runs the commands that it reads from its input, one JSON array of words a line, as its own children.
 */
const [config = '', session = ''] = process.argv.slice(2);
const socket = path.join(config, `${process.pid}.sock`);
const projects = path.join(config, 'projects', process.cwd().replace(/[^A-Za-z0-9]/g, '-'));
const transcript = path.join(projects, `${session}.jsonl`);
fs.mkdirSync(projects, { recursive: true });

interface Letter {
  readonly type: string;
  readonly uuid: string;
  readonly message: unknown;
}

/** What comes into the inbox is input at once. */
function take(text: string): void {
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const { type, uuid, message } = JSON.parse(line) as Letter;
    if (type !== 'user') continue;
    const timestamp = new Date().toISOString();
    fs.appendFileSync(
      transcript,
      `${JSON.stringify({ type: 'user', uuid, timestamp, sessionId: session, message })}\n`,
    );
  }
}

const inbox = net.createServer((connection) => {
  let text = '';
  connection.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  connection.on('end', () => take(text));
  connection.on('error', () => undefined);
});

inbox.listen(socket, () => {
  register(config, session, socket);
  process.stdout.write('ready\n');
});

createInterface({ input: process.stdin }).on('line', (line) => {
  const [command = '', ...words] = JSON.parse(line) as string[];
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    output += part;
  });
  child.on('close', (code) => process.stdout.write(`${JSON.stringify({ code, output })}\n`));
});
