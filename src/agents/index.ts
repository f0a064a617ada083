/** Who exists: members, their lives, channels and turn state. */
export { Member } from './member.ts';
export type { Available, Recipient, RecipientHold, Unavailable } from './recipient.ts';
export { type Holder, Roster, tokenHash } from './roster.ts';
export { deriveTurn, type TurnFacts } from './turn.ts';
