/** The build's own checks, each one line: types, style, the order of the rooms, dead code, what would be published. */
import { type Counts, runChecks, total } from './checks.ts';

const counts: Counts = await runChecks((line) => console.log(line));
console.log(total(counts));
process.exitCode = counts.failed > 0 ? 1 : 0;
