import type { AgentId, IncarnationId, Liveness } from '../kernel/index.ts';
import type { Channel, ChannelHold, Offer, Settlement } from '../providers/index.ts';

/** Why a recipient takes nothing now. A closed list; each is left by an event. */
export type RecipientHold = ChannelHold | 'leader_unbound' | 'agent_stopped' | 'agent_paused' | 'agent_not_running';

export interface Available {
  readonly channel: Channel;
  readonly incarnation: IncarnationId;
  /** Bytes of its record at this moment. */
  readonly position: () => number;
}

export interface Unavailable {
  readonly hold: RecipientHold;
  readonly evidence: string;
}

/** Whoever messages are for, as the lines see them. The leader is one too. */
export interface Recipient {
  readonly id: AgentId;
  /** Which of those that bore its name it is: mail for another one is not for it. Undefined: it was removed. */
  readonly generation: number | undefined;
  /** How many messages it takes in one hand-over at most. */
  readonly together: number;
  /** Asked fresh before each offer; `urgent` when what is to be offered may go into a turn that is running. */
  availability(urgent: boolean): Promise<Available | Unavailable>;
  /** What became of an offer, by the record of the life it was made to. */
  settle(offer: Offer): Promise<Settlement>;
  /** Is the life an offer was made to still there? */
  liveness(incarnation: IncarnationId): Liveness;
}

/** May something be offered to a channel in this state? A running turn gives way to what is urgent, and nothing else does. */
export function mayOffer(
  channel: Pick<Channel, 'intrudes'>,
  state: 'ready' | Pick<Unavailable, 'hold'>,
  urgent: boolean,
): boolean {
  return state === 'ready' || (urgent && channel.intrudes === true && state.hold === 'working');
}
