/** A message's journey: stored, queued, offered, settled, proved. */
export { type Addressees, resolveAddressees } from './addresses.ts';
export * from './delivery.ts';
export { type Limit, limitReached, PEER_LIMITS, type PeerLimits, Traffic, WINDOW } from './guard.ts';
export { confirmMessage, releaseBatch, releaseDependents } from './holding.ts';
export { type HoldFacts, holdOf, LONGEST_BATCH } from './holds.ts';
export type { Resting } from './line.ts';
export { answer, cancel, type Desk, takeByPerson } from './moves.ts';
export { piecesOf } from './pieces.ts';
export { PostOffice } from './post-office.ts';
export { removeRecipient } from './removal.ts';
export { INLINE_LIMIT, render } from './rendering.ts';
export { checkBody, type Letter, type Sent, store, storeNotice, whoToTell } from './send.ts';
