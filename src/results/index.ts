/** Tasks, open requests, reports, results from files. */
export { releaseWhenNothingIsOwed, wakesLeader } from './announce.ts';
export type { ResultEnvelope } from './envelope.ts';
export { type InvalidResult, importResults } from './import.ts';
export { type Reported, report } from './report.ts';
export { missingTools, type Route, routeTask } from './routing.ts';
export { isReady, TASK_STATUSES, waitsFor } from './task-rules.ts';
export { confirmTask, defineTasks, repairTask, returnTask } from './tasks.ts';
export { giveUp } from './unanswerable.ts';
