/** Who leads: conversations that may, the lease that says which one does, and the mailbox when none does. */
export { Conversation } from './conversation.ts';
export { type LeaderIdentity, personId } from './identity.ts';
export type { Launch } from './launch.ts';
export { Leaders } from './leaders.ts';
export { ABOUT_LEADER, AMBIGUOUS, candidateOf, changeLead, type Outcome } from './lease.ts';
export {
  type Candidate,
  type Evidence,
  type Holder,
  type Intent,
  type LeaseReason,
  transition,
} from './transition.ts';
