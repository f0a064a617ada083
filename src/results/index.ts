/** Tasks, open requests, reports. */
export { type Reported, report } from './report.ts';
