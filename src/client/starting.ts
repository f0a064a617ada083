import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { coordinatorEnvironment } from '../kernel/environment.ts';
import { ensurePrivateFolder } from '../kernel/files.ts';
import { programArgv } from '../kernel/installation.ts';
import { isRefusal, type Refusal, refuse } from '../kernel/reasons.ts';
import { callSocket } from './call.ts';
import type { Paths } from './protocol.ts';
import { shutIn } from './sandbox.ts';

/** How long a start may take, ms: ten times what it takes on a slow machine. */
const START_DEADLINE = 30_000;
/**
 * The coordinator's short-lived objects may take two halves of this many MB. With V8's own limit of 16 it keeps what one busy
 * second took: 26 MB more with 16 agents, for no more messages a second.
 */
const YOUNG_MB = 2;
/** A log of this many bytes is put aside at the next start. */
const LOG_LIMIT = 5 * 1024 * 1024;

/**
 * Starts the coordinator of a workspace: detached, in a session of its own, without the caller's tmux or provider variables.
 * Resolves once it listens. When another start was quicker, that one serves.
 */
export async function startCoordinator(
  paths: Paths,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Refusal | undefined> {
  const refused = shutIn(environment) ?? ensurePrivateFolder(paths.run) ?? keepOutOfGit(paths);
  if (refused) return refused;
  const log = openLog(paths.log);
  const [node = process.execPath, ...argv] = [
    ...programArgv('cli'),
    'coordinator',
    'run',
    '--workspace',
    paths.workspace,
  ];
  const child = spawn(node, [`--max-semi-space-size=${YOUNG_MB}`, ...argv], {
    cwd: paths.workspace,
    env: coordinatorEnvironment(environment),
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
  });
  fs.closeSync(log);
  const said = await firstLine(child.stdio[3] as Readable);
  child.unref();
  if (!said) return startFailed(paths, 'it ended, or said nothing, before it listened');
  const answer: unknown = JSON.parse(said);
  if (!isRefusal(answer)) return undefined;
  return answer.reason === 'ledger_in_use' ? awaitOther(paths, answer) : answer;
}

/** What the new process says of itself on its fourth descriptor: one line, or nothing when it ends or takes too long. */
function firstLine(stream: Readable): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const finish = (line: string | undefined): void => {
      clearTimeout(deadline);
      stream.destroy();
      resolve(line);
    };
    const deadline = setTimeout(() => finish(undefined), START_DEADLINE);
    stream.setEncoding('utf8');
    stream.on('data', (part: string) => {
      text += part;
      if (text.includes('\n')) finish(text.slice(0, text.indexOf('\n')));
    });
    stream.on('end', () => finish(undefined));
    stream.on('error', () => finish(undefined));
  });
}

/** Another start holds the ledger: it will listen in a moment, or it is frozen. */
async function awaitOther(paths: Paths, refusal: Refusal): Promise<Refusal | undefined> {
  const deadline = performance.now() + START_DEADLINE;
  while (performance.now() < deadline) {
    const hello = await callSocket({ socket: paths.socket, method: 'GET', path: '/hello', headers: {} });
    if (hello.outcome === 'answered') return undefined;
    await pause(20);
  }
  return refusal;
}

function startFailed(paths: Paths, what: string): Refusal {
  return refuse('coordinator_start_failed', `The coordinator did not start: ${what}. Its log tells more.`, {
    evidence: { log: paths.log },
    next: [`tail -n 20 ${paths.log}`],
  });
}

/** The ledger and everything below run/ are no part of a project's history; the documents of teams are. */
function keepOutOfGit(paths: Paths): undefined {
  const file = path.join(paths.team, '.gitignore');
  if (!fs.existsSync(file))
    fs.writeFileSync(file, '/team.db*\n/run/\n/*/export/\n/*/profiles/*.env*\n!/*/profiles/*.example.env\n');
}

function openLog(file: string): number {
  const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT) fs.renameSync(file, `${file}.1`);
  return fs.openSync(file, 'a', 0o600);
}
