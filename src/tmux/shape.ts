import type { Clock, ProcessIdentity, Refusal } from '../kernel/index.ts';

/** Where the driver says what it saw; a pino logger fits. */
export interface Log {
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
}

export interface TerminalsOptions {
  /** Absolute path of the private server's socket: at most 103 bytes, in a folder that only the user can enter. */
  readonly socket: string;
  /** A private folder for the text of a paste on its way to tmux. */
  readonly folder: string;
  /** Of it the server sees PATH, HOME, SHELL, LANG, LC_* and TERM. */
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly clock?: Clock;
}

/** A pane we opened: found again by the incarnation written on it, never by its number alone. */
export interface PaneHandle {
  /** `%N`, good only together with the option `@team_agent_incarnation` of the pane. */
  readonly pane: string;
  readonly incarnation: string;
  /** The pane's first process: our wrapper. */
  readonly process: ProcessIdentity;
}

/** What tmux says about a pane at this moment. */
export interface PaneFacts {
  readonly dead: boolean;
  /** True in copy-mode, tree-mode and the like: keys would go to tmux, not to the program. */
  readonly inMode: boolean;
  readonly mode: string;
  readonly pid: number;
  readonly width: number;
  readonly height: number;
}

export interface OpenPane {
  /** tmux session name of the team. */
  readonly session: string;
  /** Window name: the agent's id. */
  readonly window: string;
  readonly incarnation: string;
  readonly folder: string;
  /** The whole environment of the program beside tmux's own and its incarnation; it travels over stdin, never in an argv. */
  readonly environment: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  /** It takes the place of a pane that closed: what was pasted into that one is not known. */
  readonly again?: true;
}

/** Why tmux did not press Enter: nothing of the text is in the composer when this comes back. */
export interface PasteRefused {
  readonly pasted: false;
  readonly why: 'pane_gone' | 'pane_dead' | 'pane_in_mode' | 'pane_reused' | 'tmux_unreachable';
  readonly evidence: string;
}
export type PasteOutcome =
  | { readonly pasted: true }
  | PasteRefused
  /** The connection to tmux broke between the request and its answer. */
  | { readonly pasted: 'unknown'; readonly evidence: string };

/**
 * The private tmux server of one workspace, as the rest of the code sees it: panes of agents. One control-mode client per
 * team session; it is reconnected when it breaks while the server lives.
 */
export interface Terminals {
  /** Opens a pane in a window of its own, in the team's session (created when missing). Resolves once its process is known. */
  open(request: OpenPane): Promise<PaneHandle | Refusal>;
  /** Our panes that live now in the whole server, by the incarnation written on them. `undefined`: tmux did not answer. */
  panes(): Promise<readonly PaneHandle[] | undefined>;
  /** Facts of one pane; undefined when it is gone, is not ours any more, or tmux did not answer. */
  facts(pane: PaneHandle): Promise<PaneFacts | undefined>;
  /**
   * The visible screen, without colours, one string per line, and `history` lines above it. Undefined when the pane is
   * gone or tmux did not answer.
   */
  screen(pane: PaneHandle, options?: { history?: number }): Promise<readonly string[] | undefined>;
  /**
   * Pastes `text` (bracketed, through a buffer of its own that is gone afterwards) and presses Enter, in one tmux command
   * that refuses when the pane is gone, dead, in a mode or another process's: either both happen or neither. No other paste
   * bears its `name`.
   */
  paste(pane: PaneHandle, text: string, name: string): Promise<PasteOutcome>;
  /**
   * Asks what became of a paste whose outcome nobody heard of. `ruled_out`: it was not begun, and now never will be, not
   * even by a request that is still on its way to tmux. `begun`: it is too late for that. Undefined: tmux did not answer,
   * the pane is another's, or bears no marks: it was opened `again`, or by a build that left none.
   */
  ruleOutPaste(pane: PaneHandle, name: string): Promise<'ruled_out' | 'begun' | undefined>;
  /**
   * Sends named keys (`Escape`, `C-c`, `Enter`); false when they did not reach the program: the pane is gone, or in a
   * mode in which tmux itself would take them.
   */
  keys(pane: PaneHandle, keys: readonly string[]): Promise<boolean>;
  /** Ends a pane and its process; true when it is gone afterwards. Only by a verified handle. */
  close(pane: PaneHandle): Promise<boolean>;
  /** Ends a team's session when no live pane is left in it, ours or a person's. */
  closeSession(session: string): Promise<void>;
  /** Called with the incarnation of a pane that has just gone, until the returned function is. */
  onGone(listener: (incarnation: string) => void): () => void;
  /** Re-attaches control clients to the sessions that live (after a coordinator's restart). */
  attach(): Promise<void>;
  /**
   * Makes the server run `command` (a shell command line) whenever a client is cut off: ours, or a person's. It runs too
   * when a session ends or `detach` is called, so set it to empty (never again) before these. Resolves with the command that
   * was set before.
   */
  reviveWith(command: string): Promise<string>;
  /** Lets go of all control clients; the server and the agents live on. */
  detach(): Promise<void>;
}
