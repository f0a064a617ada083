import type { ChannelHold, Hold, Offer, Settlement, TurnState } from './shape.ts';

export const hold = (why: ChannelHold, evidence: string): Hold => ({ hold: why, evidence });

/** The hold that a turn puts on its agent; undefined when something may be offered. */
export function holdOfTurn(turn: TurnState, evidence = `its turn is ${turn}`): Hold | undefined {
  switch (turn) {
    case 'idle':
    case 'interrupted':
    case 'provider_error':
      return undefined;
    case 'working':
      return hold('working', evidence);
    case 'waiting_approval':
    case 'waiting_input':
      return hold('dialog_open', evidence);
    case 'starting':
      return hold('starting', evidence);
    case 'exited':
    case 'unknown':
      return hold('channel_down', evidence);
    default:
      return turn satisfies never;
  }
}

/** What an attachment to one life knows of an offer that was made to another. */
export function ofAnotherLife(offer: Offer): Settlement {
  return { outcome: 'unknown', awaited: `evidence from incarnation ${offer.incarnation}` };
}
