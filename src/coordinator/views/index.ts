/** What people see: functions of the ledger and, where a coordinator runs, of what it has seen. They change nothing. */

export { type CollectView, collectView, stateFileOf } from './collect.ts';
export { eventsView, eventView } from './events.ts';
export { leaderView } from './leader.ts';
export { identityView, leadersView } from './leaders.ts';
export {
  type DeliveryView,
  deliveriesView,
  inboxView,
  memberRows,
  messageStoredView,
  peerTalkView,
  takenView,
  unknownAgent,
} from './messages.ts';
export type { Observer } from './observer.ts';
export { type ResultView, resultsView, resultView } from './results.ts';
export { sessionsView } from './sessions.ts';
export { parseSince } from './since.ts';
export { briefStatus, type StatusView, statusView } from './status.ts';
export { whyView } from './why.ts';
