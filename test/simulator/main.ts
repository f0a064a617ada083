/**
 * `npm run simulate -- --seed N [--steps S] [--messages M] [--from A --to B] [--trace]`: runs one seed, with its trace, or a
 * range of them without. The same seed runs the same way every time. With `--steps` it stops after so many things that
 * happened and shows how deliveries stand then; else the exit code is 1 when an invariant does not hold.
 */
import { parseArgs } from 'node:util';
import type { Outcome } from './outcome.ts';
import { simulate } from './simulation.ts';
import { Histogram } from './world/faults.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    steps: { type: 'string' },
    messages: { type: 'string', default: '50' },
    from: { type: 'string' },
    to: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const from = Number(values.seed ?? values.from ?? 1);
  const to = Number(values.seed ?? values.to ?? from);
  const messages = Number(values.messages);
  const steps = Number(values.steps ?? Number.MAX_SAFE_INTEGER);
  if (![from, to, messages, steps].every(Number.isSafeInteger) || to < from || messages < 1) {
    console.error('usage: npm run simulate -- --seed N [--steps S] [--messages M] [--from A --to B] [--trace]');
    process.exitCode = 2;
    return;
  }
  const trace =
    values.trace || (values.seed !== undefined && values.to === undefined)
      ? (line: string) => console.log(line)
      : undefined;
  const faults = new Histogram();
  const bad: Outcome[] = [];
  for (let seed = from; seed <= to; seed++) {
    const outcome = await simulate({ seed, messages, steps, ...(trace ? { trace } : {}) });
    faults.add(outcome.faults);
    if (outcome.violations.length > 0) bad.push(outcome);
    if (from === to) console.log(`seed ${seed}: ${JSON.stringify(outcome.ends)} ${outcome.fingerprint}`);
  }
  console.log(`${faults}`);
  for (const { seed, violations } of bad) console.log(`seed ${seed} fails:\n  ${violations.join('\n  ')}`);
  console.log(`${to - from + 1} seeds, ${faults.total()} faults, ${bad.length} failed`);
  if (bad.length > 0) process.exitCode = 1;
}

await main();
