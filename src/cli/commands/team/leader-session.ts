import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathsOf } from '../../../client/index.ts';
import { ensurePrivateFolder } from '../../../kernel/files.ts';
import { packageFolder } from '../../../kernel/installation.ts';
import { type Refusal, refuse } from '../../../kernel/reasons.ts';
import { shellWord } from '../../../kernel/text.ts';
import type { Context } from '../../context.ts';
import type { Attach, Launch } from '../../launchers.ts';
import { type Outcome, refused } from '../../outcome.ts';
import { handOn, takeOutcome } from './handed-on.ts';

/** What runs in such a session, by its first words. */
const LAUNCHER = path.join(packageFolder, 'bin', 'team-agent');

/** Between two looks at what nobody is attached to, ms. */
const LOOK = 200;

/** Outside tmux: a session of its own on the person's own tmux server. */
export async function inSession(
  context: Context,
  workspace: string,
  provider: string,
  args: readonly string[],
): Promise<Outcome> {
  const name = sessionName(context, provider, workspace);
  const file = path.join(pathsOf(workspace).run, `leader-${process.pid}.environment`);
  const goesOn = () => runsIn(context, name);
  if (!goesOn()) {
    const started = start(context, workspace, provider, args, name, file);
    if (started) return refused(started);
  } else if (args.length > 0) {
    context.stderr.write(
      `${provider} runs already for this project: ${args.map(shellWord).join(' ')} is not passed on.\n`,
    );
  }
  await goTo(context, name, goesOn);
  const ended = takeOutcome(file);
  if (ended) return ended;
  if (goesOn()) {
    const again = ['team-agent', ...teamWords(context), provider].map(shellWord).join(' ');
    context.stderr.write(`${provider} goes on in the tmux session ${name}. Come back with: ${again}\n`);
  }
  return { kind: 'written', exit: 0 };
}

/** Shows a session that a person names; one that is not this project's only when they say so. */
export async function attachTo(
  context: Context,
  workspace: string,
  provider: Launch['provider'],
  { session, confirmed }: Attach,
): Promise<Outcome> {
  const evidence = { session, own: sessionName(context, provider, workspace) };
  if (session === '' || !hasSession(context, session)) {
    return refused(
      refuse('tmux_failed', `There is no tmux session ${session === '' ? 'without a name' : session}.`, {
        evidence,
        next: ['tmux list-sessions', `team-agent ${provider}`],
      }),
    );
  }
  if (session !== evidence.own && !confirmed) {
    return refused(
      refuse(
        'force_confirm_required',
        `${session} is not the session of ${provider} for this project. Say --confirm to go there.`,
        {
          evidence,
          next: [`team-agent ${provider} --attach-session ${shellWord(session)} --confirm`, `team-agent ${provider}`],
        },
      ),
    );
  }
  await goTo(context, session, () => hasSession(context, session));
  return { kind: 'written', exit: 0 };
}

async function goTo(context: Context, session: string, goesOn: () => boolean): Promise<void> {
  const show = (...words: string[]) =>
    spawnSync('tmux', [...words, '-t', `=${session}`], { stdio: 'inherit', env: context.environment });
  if (context.environment.TMUX) show('switch-client');
  else if (context.stdin().isTTY && context.stdout.isTTY) show('attach-session');
  else await ended(context, session, goesOn);
}

/** Without a terminal there is nothing to attach: the command ends with what it would show. */
async function ended(context: Context, name: string, goesOn: () => boolean): Promise<void> {
  context.stderr.write(`runs in the tmux session ${name}; see it with: tmux attach -t ${name}\n`);
  while (goesOn()) await pause(LOOK, undefined, { signal: context.interrupted });
}

/** In a new session; in the one of that name, when what ran there has ended and a window of the person's keeps it. */
function start(
  context: Context,
  workspace: string,
  provider: string,
  args: readonly string[],
  name: string,
  file: string,
): Refusal | undefined {
  const notPrivate = ensurePrivateFolder(path.dirname(file));
  if (notPrivate) return notPrivate;
  const taking = handOn(file, context.environment);
  const own = [...taking, LAUNCHER, '--workspace', workspace, ...teamWords(context), provider, '--', ...args];
  const where = hasSession(context, name) ? ['new-window', '-t', `=${name}:`] : ['new-session', '-d', '-s', name];
  const made = spawnSync('tmux', [...where, '-n', provider, '-c', context.cwd, '--', ...own], {
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

/** Does our launcher live in one of its panes? A session may outlive it, by a window that the person opened there. */
function runsIn({ environment }: Context, name: string): boolean {
  const format = '#{pane_dead} #{pane_start_command}';
  const { stdout } = spawnSync('tmux', ['list-panes', '-s', '-t', `=${name}`, '-F', format], {
    encoding: 'utf8',
    env: environment,
  });
  return (stdout ?? '').split('\n').some((pane) => pane.startsWith('0 ') && pane.includes(LAUNCHER));
}

const teamWords = ({ globals: { team } }: Context): readonly string[] => (team === undefined ? [] : ['--team', team]);

/** One per provider, project and team that is named. tmux allows neither `.` nor `:` in a name. */
function sessionName({ globals: { team } }: Context, provider: string, workspace: string): string {
  const whose = team === undefined ? workspace : `${workspace}\u0000${team}`;
  const digest = createHash('sha1').update(whose).digest('hex').slice(0, 8);
  const words = [path.basename(workspace), ...(team === undefined ? [] : [team])];
  return ['team-agent-leader', provider, ...words.map(wordOf), digest].join('-');
}

function wordOf(text: string): string {
  return text.replace(/[.:\s]/g, '_').slice(0, 48);
}
