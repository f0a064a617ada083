import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import { errorCode } from '../../../kernel/processes.ts';
import { isRefusal } from '../../../kernel/reasons.ts';
import { callIn } from '../../calling.ts';
import type { Context } from '../../context.ts';
import type { Launch } from '../../launchers.ts';
import { type Outcome, refused } from '../../outcome.ts';
import { findWorkspace } from '../../workspace.ts';
import { takeHandedOn, tellOutcome, withoutHandedOn } from './handed-on.ts';
import { attachTo, inSession } from './leader-session.ts';

/**
 * Starts a conversation that leads: inside tmux in this very pane, else in a tmux session of its own, so that it outlives
 * the terminal; one that runs already for this project is attached to. A person may name another session to go to.
 */
export async function run(context: Context, { provider, attach, args }: Launch): Promise<Outcome> {
  const workspace = findWorkspace(context, 'change');
  if (isRefusal(workspace)) return refused(workspace);
  if (attach) return attachTo(context, workspace, provider, attach);
  const handed = takeHandedOn(context.environment);
  if (!handed && !context.environment.TMUX) return inSession(context, workspace, provider, args);
  const environment = withoutHandedOn(handed?.environment ?? context.environment);
  const outcome = await inTerminal({ ...context, environment }, workspace, provider, args);
  if (handed) tellOutcome(handed, outcome);
  return outcome;
}

/** Runs the conversation in this terminal, between the two halves of its launch. */
async function inTerminal(
  context: Context,
  workspace: string,
  provider: string,
  args: readonly string[],
): Promise<Outcome> {
  const { environment } = context;
  const { team } = context.globals;
  const asks = { pid: process.pid, ...(team === undefined ? {} : { team }) };
  const order = { provider, folder: fs.realpathSync(context.cwd), args, environment, ...asks };
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
    await callIn(workspace, 'leader-started', { incarnation: ready.incarnation, pid: child.pid });
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
