/** A figure of the table: what was measured, what it is held against, and what comes of that. */
export interface Row {
  readonly name: string;
  readonly unit: Unit;
  readonly median: number;
  readonly p95: number;
  readonly runs: number;
  /** What it is shown beside: measured in the same run, or `budget` for a stated one alone. */
  readonly floor?: { readonly name: string; readonly value: number };
  readonly budget?: Budget;
  /** More for whoever reads the JSON. */
  readonly detail?: Readonly<Record<string, number | string>>;
}

/** `ms` per operation, `%` of a core, `MB`, `/s`, a plain count, or the exponent of growth. */
export type Unit = 'ms' | '%' | 'MB' | '/s' | 'count' | 'exponent' | 'bytes';

/** A stated limit: in the row's own unit, or as a multiple of its floor. */
export interface Budget {
  readonly limit: number;
  readonly of: 'value' | 'floor';
  /** A rate wants to be at least the limit. */
  readonly least?: true;
  /** The stated limit of the 95th percentile. */
  readonly p95?: number;
}

/** `fails`: the median misses the budget by more than two times. */
export type Verdict = 'ok' | 'over' | 'fails' | '-';

/** A value that misses its budget by this factor fails the run. */
const TOLERANCE = 2;

export function verdictOf(row: Row): Verdict {
  const { budget } = row;
  if (!budget) return '-';
  const miss = missOf(row, budget);
  if (miss > TOLERANCE) return 'fails';
  return miss > 1 || (budget.p95 !== undefined && row.p95 > budget.p95) ? 'over' : 'ok';
}

/** The median as a multiple of what is allowed. A budget of nothing is met by nothing only. */
function missOf(row: Row, budget: Budget): number {
  const value = budget.of === 'floor' ? ratioOf(row) : row.median;
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (budget.least) return budget.limit / value;
  if (budget.limit === 0) return value === 0 ? 0 : Number.POSITIVE_INFINITY;
  return value / budget.limit;
}

/** The median as a multiple of the floor. */
export function ratioOf(row: Row): number | undefined {
  return row.floor && row.floor.value > 0 ? row.median / row.floor.value : undefined;
}

/** The value below which the share `part` (0 to 1) of the samples lies. */
function quantile(samples: readonly number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? sorted[0];
  if (value === undefined) throw new Error('no samples');
  return value;
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/** A row of samples. */
export function row(
  name: string,
  unit: Unit,
  samples: readonly number[],
  beside: Pick<Row, 'floor' | 'budget' | 'detail'> = {},
): Row {
  return { name, unit, median: median(samples), p95: quantile(samples, 0.95), runs: samples.length, ...beside };
}

/** How long `work` takes, ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** `rounds` samples of each kind of work, one after the other in turn, so that a slow moment of the machine meets all alike. */
export async function interleaved<Name extends string>(
  rounds: number,
  kinds: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, number[]>> {
  const samples: Partial<Record<Name, number[]>> = {};
  const names = Object.keys(kinds).filter((name): name is Name => name in kinds);
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const sample = await kinds[name]();
      samples[name] = [...(samples[name] ?? []), sample];
    }
  }
  return complete(samples, names);
}

function complete<Name extends string>(
  samples: Partial<Record<Name, number[]>>,
  names: readonly Name[],
): Record<Name, number[]> {
  const isComplete = (given: Partial<Record<Name, number[]>>): given is Record<Name, number[]> =>
    names.every((name) => given[name] !== undefined);
  if (!isComplete(samples)) throw new Error('a kind of work has no samples');
  return samples;
}

/** How cost grows with size: 0 is flat, 1 is linear. */
export function exponent(small: { size: number; cost: number }, large: { size: number; cost: number }): number {
  return Math.log(large.cost / small.cost) / Math.log(large.size / small.size);
}
