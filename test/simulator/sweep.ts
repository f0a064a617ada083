import { simulate } from './simulation.ts';
import { Histogram } from './world/faults.ts';

export interface Sweep {
  readonly faults: Histogram;
  /** Seeds with fewer than three faults: they prove little. */
  readonly tame: readonly number[];
  /** One text per seed that broke an invariant, with the command that replays it. */
  readonly failures: readonly string[];
  /** Messages that people and agents sent, and the deliveries of all messages, notices among them. */
  readonly messages: number;
  readonly deliveries: number;
  /** How often something was lost, taken twice, or taken or offered out of order. */
  readonly lost: number;
  readonly twice: number;
  readonly disordered: number;
}

const LOST = /stored for|were acknowledged|no record holds it|still waits|stands at|for ever|nowhere|told:/;

/** Runs the seeds from `from` to `to`, both included. */
export async function sweep(from: number, to: number): Promise<Sweep> {
  const faults = new Histogram();
  const tame: number[] = [];
  const failures: string[] = [];
  const violations: string[] = [];
  let messages = 0;
  let deliveries = 0;
  for (let seed = from; seed <= to; seed++) {
    const outcome = await simulate({ seed });
    faults.add(outcome.faults);
    messages += outcome.messages;
    deliveries += outcome.deliveries;
    violations.push(...outcome.violations);
    if (outcome.faults.total() < 3) tame.push(seed);
    if (outcome.violations.length === 0) continue;
    failures.push(
      `seed ${seed} (npm run simulate -- --seed ${seed}):\n  ${outcome.violations.slice(0, 5).join('\n  ')}`,
    );
  }
  const count = (kind: RegExp) => violations.filter((violation) => kind.test(violation)).length;
  const sums = { lost: count(LOST), twice: count(/ twice/), disordered: count(/out of order| before /) };
  return { faults, tame, failures, messages, deliveries, ...sums };
}

/** Seeds of each half of the sweep: SIMULATOR_SEEDS in all, 2,000 unless told, ten times as many in the long suite. */
export function half(long: boolean): number {
  const seeds = Number(process.env.SIMULATOR_SEEDS || (long ? 20_000 : 2_000));
  return Math.ceil(seeds / 2);
}
