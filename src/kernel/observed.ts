/** A fact about the world: never stored, never believed without its source and age. */
export interface Observed<Value> {
  readonly value: Value;
  /** Where it was seen: `protocol`, `record`, `process`, `screen`, ... */
  readonly source: string;
  /** UTC ms. */
  readonly at: number;
  readonly evidence?: string;
}

/** What a probe may answer. `unknown` never destroys, spawns, re-offers or reports success. */
export type Liveness = 'alive' | 'dead' | 'unknown';
