import type { DeliveryId, Mint } from '../../../src/kernel/index.ts';
import type { SimulatedAgent } from './agent.ts';
import type { Histogram } from './faults.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './time.ts';

/** What everybody in a run shares. */
export interface Scene {
  readonly random: Random;
  readonly time: VirtualTime;
  readonly mint: Mint;
  readonly faults: Histogram;
  /** A line of the trace. */
  note(line: string): void;
  /** Something of the agent changed that its coordinator would see, if one lives. */
  changed(agent: SimulatedAgent): void;
  /** The agent's record has one more entry; `generation` is whose life it is. */
  took(agent: SimulatedAgent, delivery: DeliveryId, generation: number): void;
  /** An entry is gone from an agent's record. */
  forgot(delivery: DeliveryId): void;
}
