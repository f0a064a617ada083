import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathsOf } from '../../../client/index.ts';
import { ensurePrivateFolder, readIfThere, writePrivateFile } from '../../../kernel/files.ts';
import { packageFolder } from '../../../kernel/installation.ts';
import { errorCode } from '../../../kernel/processes.ts';
import { isRefusal, type Refusal, refuse } from '../../../kernel/reasons.ts';
import { callIn } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { type Outcome, refused } from '../../outcome.ts';
import { findWorkspace } from '../../workspace.ts';

/** Names a file with the environment of the person who asked, for the launcher that runs in the new tmux session. */
const HANDED_ON = 'TEAM_AGENT_LEADER_ENVIRONMENT';

/** Between two looks at a session that nobody is attached to, ms. */
const LOOK = 200;

/**
 * Starts a conversation that leads: inside tmux in this very pane, else in a tmux session of its own, so that it outlives
 * the terminal; one that runs already for this project is attached to.
 */
export async function run(context: Context, provider: string, args: readonly string[]): Promise<Outcome> {
  const workspace = findWorkspace(context, 'change');
  if (isRefusal(workspace)) return refused(workspace);
  const handedOn = context.environment[HANDED_ON];
  if (handedOn === undefined && !context.environment.TMUX) return inSession(context, workspace, provider, args);
  const environment = handedOn === undefined ? context.environment : takeEnvironment(context.environment, handedOn);
  const outcome = await inTerminal({ ...context, environment }, workspace, provider, args);
  if (handedOn !== undefined && outcome.kind === 'written') fs.writeFileSync(`${handedOn}.exit`, `${outcome.exit}\n`);
  return outcome;
}

/** The person's own environment, with what tmux says about where this runs. */
function takeEnvironment(own: NodeJS.ProcessEnv, file: string): NodeJS.ProcessEnv {
  const handed = JSON.parse(fs.readFileSync(file, 'utf8')) as NodeJS.ProcessEnv;
  fs.rmSync(file);
  const { TMUX, TMUX_PANE, TERM } = own;
  return { ...handed, TMUX, TMUX_PANE, TERM };
}

/** Runs the conversation in this terminal, between the two halves of its launch. */
async function inTerminal(
  context: Context,
  workspace: string,
  provider: string,
  args: readonly string[],
): Promise<Outcome> {
  const { environment } = context;
  const order = { provider, folder: fs.realpathSync(context.cwd), args, environment };
  const ready = await callIn(workspace, 'leader-prepare', order, context.interrupted);
  if (isRefusal(ready)) return refused(ready);
  for (const warning of ready.warnings) context.stderr.write(`${warning}\n`);
  const [command = '', ...rest] = ready.terminal.argv;
  const token = fs.readFileSync(ready.tokenFile, 'utf8').trim();
  const child = spawn(command, rest, {
    cwd: context.cwd,
    stdio: 'inherit',
    env: { ...environment, ...ready.terminal.environment, TEAM_AGENT_TOKEN: token, TEAM_AGENT_WORKSPACE: workspace },
  });
  passInterruptsOn(context, child);
  const ended = exitOf(child);
  if (child.pid !== undefined) {
    const team = context.globals.team === undefined ? {} : { team: context.globals.team };
    await callIn(workspace, 'leader-started', { incarnation: ready.incarnation, pid: child.pid, ...team });
  }
  const exit = await ended;
  await callIn(workspace, 'leader-ended', { incarnation: ready.incarnation });
  await remind(context, workspace);
  return { kind: 'written', exit };
}

/** The first interrupt is the conversation's own; a second one ends it. A terminal that has gone ends it too. */
function passInterruptsOn(context: Context, child: ChildProcess): void {
  let interrupts = 0;
  context.endsItself((exit) => {
    interrupts += 1;
    const typed = exit === 130;
    child.kill(typed && interrupts === 1 ? 'SIGINT' : 'SIGTERM');
  });
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => (errorCode(error) === 'ENOENT' ? resolve(127) : reject(error)));
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

/** A team does not end with the conversation that led it. */
async function remind(context: Context, workspace: string): Promise<void> {
  const status = await callIn(workspace, 'status', {});
  if (isRefusal(status) || status.intent !== 'running') return;
  context.stderr.write(
    `The team ${status.team} still runs. See it with: team-agent status; end it with: team-agent shutdown\n`,
  );
}

/** Outside tmux: a session of its own on the person's own tmux server. */
async function inSession(
  context: Context,
  workspace: string,
  provider: string,
  args: readonly string[],
): Promise<Outcome> {
  const name = sessionName(provider, workspace);
  const file = path.join(pathsOf(workspace).run, `leader-${process.pid}.environment`);
  if (!hasSession(context, name)) {
    const started = startSession(context, workspace, provider, args, name, file);
    if (started) return refused(started);
  }
  const isTerminal = process.stdin.isTTY && context.stdout.isTTY;
  if (isTerminal)
    spawnSync('tmux', ['attach-session', '-t', `=${name}`], { stdio: 'inherit', env: context.environment });
  else await ended(context, name);
  const exit = Number(readIfThere(`${file}.exit`) ?? 0);
  if (hasSession(context, name)) {
    context.stderr.write(`${provider} goes on in the tmux session ${name}. Come back with: team-agent ${provider}\n`);
  } else {
    fs.rmSync(`${file}.exit`, { force: true });
  }
  return { kind: 'written', exit };
}

/** Without a terminal there is nothing to attach: the command ends with the session. */
async function ended(context: Context, name: string): Promise<void> {
  context.stderr.write(`runs in the tmux session ${name}; see it with: tmux attach -t ${name}\n`);
  while (hasSession(context, name)) await pause(LOOK, undefined, { signal: context.interrupted });
}

function startSession(
  context: Context,
  workspace: string,
  provider: string,
  args: readonly string[],
  name: string,
  file: string,
): Refusal | undefined {
  const notPrivate = ensurePrivateFolder(path.dirname(file));
  if (notPrivate) return notPrivate;
  writePrivateFile(file, JSON.stringify(context.environment));
  const team = context.globals.team === undefined ? [] : ['--team', context.globals.team];
  const own = [
    path.join(packageFolder, 'bin', 'team-agent'),
    '--workspace',
    workspace,
    ...team,
    provider,
    '--',
    ...args,
  ];
  const where = ['-d', '-s', name, '-n', provider, '-c', context.cwd, '-e', `${HANDED_ON}=${file}`];
  const made = spawnSync('tmux', ['new-session', ...where, '--', ...own], {
    encoding: 'utf8',
    env: context.environment,
  });
  if (made.status === 0) return undefined;
  fs.rmSync(file, { force: true });
  if (made.error) {
    return refuse('tmux_missing', 'tmux is needed to start a leader outside tmux.', { next: ['tmux -V'] });
  }
  return refuse('tmux_failed', `tmux could not start the session ${name}: ${made.stderr.trim()}`, {
    evidence: { session: name },
    next: ['tmux list-sessions'],
  });
}

function hasSession({ environment }: Context, name: string): boolean {
  return spawnSync('tmux', ['has-session', '-t', `=${name}`], { env: environment }).status === 0;
}

/** One per provider and project. tmux allows neither `.` nor `:` in a name. */
function sessionName(provider: string, workspace: string): string {
  const digest = createHash('sha1').update(workspace).digest('hex').slice(0, 8);
  const folder = path
    .basename(workspace)
    .replace(/[.:\s]/g, '_')
    .slice(0, 48);
  return `team-agent-leader-${provider}-${folder}-${digest}`;
}
