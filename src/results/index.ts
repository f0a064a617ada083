/** Tasks, open requests, reports. */
export { releaseWhenNothingIsOwed, wakesLeader } from './announce.ts';
export { type Reported, report } from './report.ts';
