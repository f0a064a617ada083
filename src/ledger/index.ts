/** Schema, migrations, queries, events: all SQL, and nothing else. */
export { type Change, type Ledger, type LedgerEvent, LedgerUnwritable } from './ledger.ts';
export { ledgerOn, openLedger } from './open.ts';
export * from './queries/agents.ts';
export * from './queries/leaders.ts';
export * from './queries/members.ts';
export * from './queries/messages.ts';
export * from './queries/offers.ts';
export * from './queries/requests.ts';
export * from './queries/results.ts';
export * from './queries/tasks.ts';
export * from './queries/views.ts';
export * from './queries/workspace.ts';
export { emptyLedger, openLedgerReader } from './reader.ts';
