/** What people see: functions of the ledger and, where a coordinator runs, of what it has seen. They change nothing. */
export { type EventView, eventsView, eventView } from './events.ts';
export {
  type DeliveryView,
  deliveriesView,
  inboxView,
  memberRows,
  messageStoredView,
  unknownAgent,
} from './messages.ts';
export { holdOf, type Observer } from './observer.ts';
export { type ResultView, resultsView, resultView } from './results.ts';
export { type StatusView, statusView } from './status.ts';
export { whyView } from './why.ts';
