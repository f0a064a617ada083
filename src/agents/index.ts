/** Who exists: members, their lives, channels and turn state. */
export { Member } from './member.ts';
export { type Available, mayOffer, type Recipient, type RecipientHold, type Unavailable } from './recipient.ts';
export { type Holder, Roster, tokenHash } from './roster.ts';
export { deriveTurn, type Turn, type TurnFacts } from './turn.ts';
