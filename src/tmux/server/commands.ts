import { keeperHook, openKeeper } from '../keeper.ts';
import { INCARNATION, ROW } from '../rows.ts';
import type { OpenPane, PaneHandle } from '../shape.ts';
import { command, escapeFormat, quote, sequence } from './control-protocol.ts';

/** The commands we give to tmux and the rows we read back. Pure. All targets are exact: `=session:=window` or `%N`. */

/** The same in the environment of what runs in the pane, and of what that starts: whose it is, whatever became of the pane. */
export const INCARNATION_VARIABLE = 'TEAM_AGENT_INCARNATION';
/** The name of the last paste that was begun in a pane; `none` before the first. Unset: nothing is known of its pastes. */
const TYPED = '@team_agent_typed';
const TYPED_NONE = 'none';
/** The names of the pastes that may not be begun in a pane any more, a space before and after each. */
const RULED_OUT = '@team_agent_ruled_out';
/** Marks a session that we created. */
const SESSION_MARK = '@team_agent_session';
/** Buffers of ours start with it, so that those a crash left behind are known. */
const BUFFER_PREFIX = 'team-agent-';
/** Columns and rows of an agent's window, whoever looks at it. */
const [WIDTH, HEIGHT] = ['200', '50'];

/** The words of the question for all panes of the server. */
export const LIST_PANES: readonly string[] = ['list-panes', '-a', '-F', ROW];

/** The row of one pane; nothing when there is no such pane. */
export function listPane(pane: string): string {
  return command('list-panes', '-a', '-f', `#{==:#{pane_id},${pane}}`, '-F', ROW);
}

/**
 * A format that is true while the pane is the one of the handle, `alive`; or, for `typing`, takes keys besides. tmux
 * looks and acts in one step, because `if-shell -F` starts no process.
 */
function guard(pane: PaneHandle, need: 'alive' | 'typing'): string {
  const typing = need === 'typing';
  const asked = `#{pane_id} #{pane_pid} #{pane_dead}${typing ? ' #{pane_in_mode}' : ''} #{${INCARNATION}}`;
  const wanted = `${pane.pane} ${pane.process.pid} 0${typing ? ' 0' : ''} ${plainName(pane.incarnation)}`;
  return `#{==:${asked},${wanted}}`;
}

const both = (one: string, other: string): string => `#{&&:${one},${other}}`;

function when(pane: PaneHandle, holds: string, then: string, otherwise = ''): string {
  return command('if-shell', '-F', '-t', pane.pane, holds, then, ...(otherwise === '' ? [] : [otherwise]));
}

function guarded(pane: PaneHandle, need: 'alive' | 'typing', then: string): string {
  return when(pane, guard(pane, need), then);
}

/** Printed before the result of a guarded command, to tell an empty result from a guard that did not hold. */
export const HELD = 'guard-held';
const sayHeld = command('display-message', '-p', HELD);

/**
 * Options of the server, told again with each session: they cost nothing, and a server may be a new one.
 * `window-size` is set on each window: tmux 3.3a crashes on a new session when the global option is `manual`.
 */
export function serverOptions(revive: string): string[] {
  return [
    command('set-option', '-s', 'exit-empty', 'on'),
    command('set-option', '-s', 'escape-time', '0'),
    command('set-option', '-g', 'remain-on-exit', 'off'),
    command('set-option', '-g', 'status', 'off'),
    command('set-option', '-g', 'default-size', `${WIDTH}x${HEIGHT}`),
    command('set-option', '-g', 'history-limit', '5000'),
    // A session takes nothing of the environment of whoever attaches to it.
    command('set-option', '-g', 'update-environment', ''),
    keeperHook(),
    reviveHook(revive),
  ];
}

/** The hook that runs a shell command line when a client has gone; empty removes it. */
export function reviveHook(shellCommand: string): string {
  if (shellCommand === '') return command('set-hook', '-gu', 'client-detached');
  return command('set-hook', '-g', 'client-detached', command('run-shell', '-b', escapeFormat(shellCommand)));
}

/**
 * Opens a pane in a window of its own and prints its row. The window bears the incarnation as its name until the option
 * is on the pane: a name of ours that nobody else has. All of it is one group.
 */
export function openPane(request: OpenPane, where: 'new_session' | 'new_window'): string {
  const session = `=${plainName(request.session)}:`;
  const window = `${session}=${plainName(request.incarnation)}`;
  const variables = Object.entries({ ...request.environment, [INCARNATION_VARIABLE]: request.incarnation });
  const create =
    where === 'new_session'
      ? ['new-session', '-d', '-s', plainName(request.session), '-x', WIDTH, '-y', HEIGHT]
      : ['new-window', '-d', '-t', session];
  return sequence(
    command(
      ...create,
      ...['-n', request.incarnation, '-c', escapeFormat(request.folder)],
      ...variables.flatMap(([name, value]) => ['-e', `${name}=${value}`]),
      ...directArgv(request.argv),
    ),
    command('set-option', '-p', '-t', window, INCARNATION, request.incarnation),
    ...(request.again ? [] : [command('set-option', '-p', '-t', window, TYPED, TYPED_NONE)]),
    // Sets the window's own `window-size` to manual: nobody who attaches changes what the agent sees.
    command('resize-window', '-t', window, '-x', WIDTH, '-y', HEIGHT),
    ...(where === 'new_session' ? [command('set-option', '-t', session, SESSION_MARK, '1')] : []),
    // The variables of the first agent are no business of the others in its session.
    ...(where === 'new_session'
      ? variables.map(([name]) => command('set-environment', '-u', '-t', session, name))
      : []),
    ...(where === 'new_session' ? openKeeper(session) : []),
    command('list-panes', '-t', window, '-F', ROW),
    command('rename-window', '-t', window, escapeFormat(request.window)),
  );
}

/** tmux gives a single word to a shell; two and more it runs as they are. */
function directArgv(argv: readonly string[]): readonly string[] {
  return argv.length === 1 ? ['env', ...argv] : argv;
}

/** The name of a buffer in the server. */
export function bufferName(name: string): string {
  return `${BUFFER_PREFIX}${plainName(name)}`;
}

export function loadBuffer(buffer: string, file: string): string {
  return command('load-buffer', '-b', buffer, escapeFormat(file));
}

export function deleteBuffer(buffer: string): string {
  return command('delete-buffer', '-b', buffer);
}

export const listBuffers: string = command('list-buffers', '-F', '#{buffer_name}');

export function isOurBuffer(name: string): boolean {
  return name.startsWith(BUFFER_PREFIX);
}

/**
 * Paste, Enter and `HELD`, with the buffer's name left on the pane; or, when it takes none or that paste was ruled out,
 * the buffer is deleted and the pane's row printed (nothing when it is gone).
 */
export function pasteBuffer(pane: PaneHandle, buffer: string): string {
  const then = sequence(
    command('set-option', '-p', '-t', pane.pane, TYPED, buffer),
    command('paste-buffer', '-d', '-p', '-r', '-b', buffer, '-t', pane.pane),
    command('send-keys', '-t', pane.pane, 'Enter'),
    sayHeld,
  );
  const allowed = `#{?#{m:* ${buffer} *,#{${RULED_OUT}}},0,1}`;
  const otherwise = sequence(deleteBuffer(buffer), listPane(pane.pane));
  return when(pane, both(guard(pane, 'typing'), allowed), then, otherwise);
}

/** Printed when a paste was begun. */
export const BEGUN = 'paste-begun';

/**
 * Rules a paste out for good, so that tmux refuses it if it is still asked for it, and says `HELD`; or says `BEGUN`
 * because it is too late for that. Neither when the pane is not the one of the handle, or bears no marks.
 */
export function ruleOut(pane: PaneHandle, buffer: string): string {
  const begun = `#{==:#{${TYPED}},${buffer}}`;
  const rule = sequence(command('set-option', '-pa', '-t', pane.pane, RULED_OUT, ` ${buffer} `), sayHeld);
  const sayBegun = command('display-message', '-p', BEGUN);
  const marked = both(guard(pane, 'alive'), `#{!=:#{${TYPED}},}`);
  return when(pane, marked, when(pane, begun, sayBegun, rule));
}

export function sendKeys(pane: PaneHandle, keys: readonly string[]): string {
  return guarded(pane, 'typing', sequence(command('send-keys', '-t', pane.pane, '--', ...keys), sayHeld));
}

/** The visible screen and `history` lines above it, after `HELD`. */
export function capture(pane: PaneHandle, history: number): string {
  const above = history > 0 ? ['-S', `-${history}`] : [];
  return guarded(pane, 'alive', sequence(sayHeld, command('capture-pane', '-p', ...above, '-t', pane.pane)));
}

export function killPane(pane: PaneHandle): string {
  return guarded(pane, 'alive', command('kill-pane', '-t', pane.pane));
}

/** Ends a session of ours. */
export function killSession(session: string): string {
  const target = `=${plainName(session)}:`;
  return command('if-shell', '-F', '-t', target, `#{${SESSION_MARK}}`, command('kill-session', '-t', target));
}

/** The words of the question for all sessions of the server. It has no target: a server without a session answers it. */
export const LIST_SESSIONS: readonly string[] = ['list-sessions', '-F', `#{session_name}:#{${SESSION_MARK}}`];

/** What `LIST_SESSIONS` said about one session. */
export function ownerOf(session: string, lines: readonly string[]): 'ours' | 'foreign' | 'nobody' {
  const line = lines.find((candidate) => candidate.startsWith(`${session}:`));
  if (line === undefined) return 'nobody';
  return line === `${session}:` ? 'foreign' : 'ours';
}

/** Names stand in targets and formats, so they are letters, digits, `_` and `-`; anything else is a bug of the caller. */
function plainName(name: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(name)) throw new Error(`not a name for tmux: ${quote(name)}`);
  return name;
}
