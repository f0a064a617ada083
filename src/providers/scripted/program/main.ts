/** The program that `provider: scripted` runs in a pane. */
import fs from 'node:fs';
import { constants } from 'node:os';
import { StringDecoder } from 'node:string_decoder';
import { Agent, type Identity } from './agent.ts';
import { NO_SCRIPT, type Script } from './script.ts';
import { KeyReader } from './terminal/keys.ts';

/** An escape byte that nothing follows for so long, in ms, is the Escape key; tmux itself waits 500 at most. */
const ESCAPE_DELAY = 30;
const BRACKETED_PASTE = '\u001b[?2004';

const agent = new Agent(readIdentity(process.env), process.stdout, () => {
  process.stdout.write(`${BRACKETED_PASTE}l`);
  if (process.stdin.isTTY) process.stdin.setRawMode(false);
});

for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
  process.on(signal, () => agent.exit(128 + constants.signals[signal]));
}
// A terminal that takes nothing any more has gone, and its hangup is on the way.
process.stdout.on('error', () => agent.exit(128 + constants.signals.SIGHUP));
process.stdout.on('resize', () => agent.resized());
readKeys(agent);
// With no terminal and no socket nothing else would keep the program alive.
setInterval(() => undefined, 2 ** 30);
await agent.start(await readScript(process.env.TEAM_AGENT_SCRIPT));

/** Takes the token out of the environment: what the agent starts has no use for it. */
function readIdentity(environment: NodeJS.ProcessEnv): Identity {
  const missing: string[] = [];
  const need = (name: string): string => {
    const value = environment[name];
    if (value === undefined) missing.push(name);
    return value ?? '';
  };
  const identity: Identity = {
    agent: need('TEAM_AGENT_ID'),
    incarnation: need('TEAM_AGENT_INCARNATION'),
    session: need('TEAM_AGENT_SESSION'),
    record: need('TEAM_AGENT_RECORD'),
    socket: environment.TEAM_AGENT_SOCKET,
    mcpUrl: environment.TEAM_AGENT_MCP_URL,
    token: environment.TEAM_AGENT_TOKEN ?? '',
    workspace: environment.TEAM_AGENT_WORKSPACE ?? process.cwd(),
    folder: process.cwd(),
    resumes: environment.TEAM_AGENT_RESUMES,
    forks: environment.TEAM_AGENT_FORKS,
  };
  delete environment.TEAM_AGENT_TOKEN;
  if (missing.length > 0)
    fail(`The scripted agent is started by team-agent. Not in its environment: ${missing.join(', ')}.`);
  return identity;
}

/** The parser of scripts is loaded only by an agent that has one. */
async function readScript(file: string | undefined): Promise<Script> {
  if (file === undefined) return NO_SCRIPT;
  const { parseScript } = await import('./script-file.ts');
  const parsed = parseScript(file, fs.readFileSync(file, 'utf8'));
  if (parsed.ok) return parsed.script;
  return fail(parsed.faults.map((fault) => `${fault.file}:${fault.line}: ${fault.key}: ${fault.message}`).join('\n'));
}

function readKeys(target: Agent): void {
  const { stdin, stdout } = process;
  const keys = new KeyReader();
  const decoder = new StringDecoder('utf8');
  let lone: NodeJS.Timeout | undefined;
  if (stdin.isTTY) stdin.setRawMode(true);
  stdout.write(`${BRACKETED_PASTE}h`);
  stdin.on('data', (piece) => {
    clearTimeout(lone);
    for (const key of keys.read(decoder.write(piece))) target.press(key);
    if (!keys.waiting) return;
    lone = setTimeout(() => {
      for (const key of keys.flush()) target.press(key);
    }, ESCAPE_DELAY);
  });
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
