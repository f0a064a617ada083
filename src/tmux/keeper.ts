import { command, escapeFormat } from './server/control-protocol.ts';

/**
 * The keeper is one more window in each session of ours: a pane without a process, in which nothing ends. When the last
 * windows of a session close in the same moment, every tmux up to 3.6 goes on to tell the control clients of a current
 * window that is no more, and ends with all its panes (tmux issue 5243). With a keeper a session always has one.
 *
 * Once nothing but the keeper is left, tmux itself closes the session, also when nobody of ours lives. Pure.
 */

/** Marks the keeper's window. */
const MARK = '@team_agent_keeper';
/** Behind all others, so that somebody who steps through the agents meets it last. */
const INDEX = '999';
const TEXT = 'This window keeps the session open while agents live. It takes no input.';
const ALONE = `#{&&:#{==:#{session_windows},1},#{${MARK}}}`;

/** Gives a session (a target such as `=name:`) its keeper: a program that ends at once, in a pane that stays. */
export function openKeeper(session: string): string[] {
  const window = `${session}${INDEX}`;
  const option = (name: string, value: string): string => command('set-option', '-q', '-w', '-t', window, name, value);
  return [
    command('new-window', '-d', '-t', window, '-n', 'keeper', 'env', 'true'),
    option('remain-on-exit', 'on'),
    // tmux 3.2 does not know it.
    option('remain-on-exit-format', TEXT),
    option(MARK, '1'),
  ];
}

/**
 * The hook that closes a session whose keeper is alone. It looks once more when tmux has said all that was to be said:
 * closing in the very moment in which a window went is what must not be.
 */
export function keeperHook(): string {
  // Each `run-shell` expands its command as a format; the hook's session is known to the first one only.
  const session = '#{hook_session}:';
  const ifAlone = (alone: string, then: string): string => command('if-shell', '-F', '-t', session, alone, then);
  const close = ifAlone(escapeFormat(escapeFormat(ALONE)), command('kill-session', '-t', session));
  const afterwards = command('run-shell', '-b', '-C', close);
  const look = command('run-shell', '-C', ifAlone(escapeFormat(ALONE), afterwards));
  return command('set-hook', '-g', 'window-unlinked', look);
}
