/** Who leads: conversations that may, the lease that says which one does, and the mailbox when none does. */

export { bindLeader, type LeaderIdentity } from './binding.ts';
export { Conversation } from './conversation.ts';
export { Leaders } from './leaders.ts';
export {
  type Candidate,
  type Decision,
  type Evidence,
  type Holder,
  type Intent,
  type LeaseReason,
  transition,
} from './transition.ts';
