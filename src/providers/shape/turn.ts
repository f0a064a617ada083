import type { Observed, SessionId } from '../../kernel/index.ts';

/** What a turn may be doing (architecture: state of a turn). */
export const TURN_STATES = [
  'starting',
  'idle',
  'working',
  'waiting_approval',
  'waiting_input',
  'interrupted',
  'provider_error',
  'exited',
  'unknown',
] as const;
export type TurnState = (typeof TURN_STATES)[number];

/** Sources of facts about a turn, strongest first. A screen can hold an action, it never makes a state. */
export const FACT_SOURCES = ['protocol', 'hook', 'record', 'process', 'screen'] as const;
export type FactSource = (typeof FACT_SOURCES)[number];
export type TurnFact = Observed<TurnState> & { readonly source: FactSource };

/** A question of the agent's CLI that somebody has to decide. */
export interface Approval {
  /** `ap_` + 12 hex digits; the same for as long as the question is open and this coordinator lives. */
  readonly id: string;
  readonly kind: 'command' | 'edit' | 'tool' | 'question';
  /** One line: what it asks for. */
  readonly text: string;
  /** UTC ms. */
  readonly since: number;
  /** Can it be answered through the provider's protocol? If not, only its terminal can. */
  readonly answerable: boolean;
}

export type Decision =
  | { readonly decision: 'approve'; readonly scope: 'once' | 'session' }
  | { readonly decision: 'deny'; readonly message?: string };

/** Something about a live agent that its leader should hear of once. */
export interface Incident {
  /** Unique for this incident: it is told once. */
  readonly key: string;
  readonly kind: 'turn_lost' | 'server_restarted' | 'session_changed' | 'session_shared';
  readonly text: string;
  /** The session that it works on from now on, when it has changed. */
  readonly session?: { readonly session: SessionId; readonly record: string };
}
