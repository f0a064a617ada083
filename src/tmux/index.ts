/** The only code that talks to tmux. The rest of the program sees panes. */
export type { OpenPane, PaneFacts, PaneHandle, PasteOutcome, PasteRefused, Terminals } from './shape.ts';
