/** Tasks, open requests, reports. */
export { type Reported, type Reporter, report } from './report.ts';
