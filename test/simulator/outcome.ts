import type { Tamper } from './coordinator.ts';
import type { Histogram } from './world/faults.ts';

/** What a run is made from. */
export interface Plan {
  readonly seed: number;
  /** Messages that are sent by people, the leader and peers; notices come on top. */
  readonly messages?: number;
  /** It stops after so many things that happened, and no invariant is asked for then. */
  readonly steps?: number;
  readonly tamper?: Tamper;
  readonly trace?: (line: string) => void;
}

export interface Outcome {
  readonly seed: number;
  readonly faults: Histogram;
  readonly crashes: number;
  /** What must never be, as it was found; empty when all is well. */
  readonly violations: readonly string[];
  /** How many deliveries ended in each state, dead ones by their reason. */
  readonly ends: Readonly<Record<string, number>>;
  /** Hash-like summary of the run: two runs of one seed agree in it. */
  readonly fingerprint: string;
  /** Messages and deliveries that were stored, notices among them. */
  readonly messages: number;
  readonly deliveries: number;
}
