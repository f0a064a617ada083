import type { DeliveryId, IncarnationId } from '../../kernel/index.ts';

/** Why a live recipient takes nothing at the moment. A closed list; each is left by an event, never by a clock. */
export type ChannelHold =
  | 'starting'
  | 'working'
  | 'dialog_open'
  | 'draft_in_composer'
  | 'pane_in_mode'
  | 'channel_down'
  | 'session_changed'
  /** Its CLI drops what comes too quickly from one sender. */
  | 'pacing'
  /** Its permission mode makes a person confirm each message. */
  | 'mode_holds_mail';

export type ChannelName = 'protocol' | 'paste';

/** Where in the recipient's own record a delivery was found. */
export interface Receipt {
  readonly source: string;
  readonly file?: string;
  /** Byte offset of the line in `file`. */
  readonly offset?: number;
  readonly record_id?: string;
}

/** What keeps a channel from taking anything now, and how that is known. */
export interface Hold {
  readonly hold: ChannelHold;
  readonly evidence: string;
}

/** One attempt to hand a delivery to a channel, as it was committed before the first byte left. */
export interface Offer {
  readonly delivery: DeliveryId;
  /** 1, 2, 3: counts attempts of this delivery. */
  readonly number: number;
  readonly channel: ChannelName;
  readonly incarnation: IncarnationId;
  /** Bytes of the recipient's record when the offer was committed; its receipt can only stand after them. */
  readonly position: number;
  /** It goes into a turn that is running. Said at the hand-over alone: whoever settles an offer need not know it. */
  readonly urgent?: true;
}

/** What a channel says right after handing over. `written` promises nothing but that bytes left. */
export type Handed =
  | { readonly handed: 'written' }
  /** What holds the recipient came after it was asked: nothing was begun, and this was no attempt. */
  | { readonly handed: 'held'; readonly hold: Hold }
  | { readonly handed: 'not_taken'; readonly evidence: string }
  | { readonly handed: 'unknown'; readonly evidence: string };

/** The answer to the one question each channel answers about an offer. Time alone never turns `unknown` into `not_taken`. */
export type Settlement =
  | { readonly outcome: 'taken'; readonly receipt: Receipt }
  | { readonly outcome: 'not_taken'; readonly evidence: string }
  | {
      readonly outcome: 'unknown';
      readonly awaited: string;
      /** Its own process has said that it took it; only the line of its record is still on its way. */
      readonly imminent?: true;
    };

export interface Channel {
  readonly name: ChannelName;
  /** It can put something urgent into a turn that is running: then the hold `working` does not count. */
  readonly intrudes?: true;
  /**
   * What does not arrive through it as it was handed over, as was measured with its CLI: a text that has any of it is read by
   * a tool instead. When left out, every text arrives byte for byte.
   */
  readonly alters?: RegExp;
  /** May something be offered now? Asked fresh before each offer. `ready` promises nothing. */
  state(): Promise<'ready' | Hold>;
  hand(offer: Offer, rendered: string, from: string): Promise<Handed>;
  settle(offer: Offer): Promise<Settlement>;
}
