/** The only code that talks to tmux. The rest of the program sees panes. */

export { panePid } from './foreign.ts';
export { INCARNATION_VARIABLE } from './server/commands.ts';
export type {
  Log,
  OpenPane,
  PaneFacts,
  PaneHandle,
  PasteOutcome,
  PasteRefused,
  Terminals,
  TerminalsOptions,
} from './shape.ts';
export { openTerminals } from './terminals.ts';
export { tmuxVersion } from './version.ts';
