import type { AgentId, DeliveryId, MessageId } from '../../../src/kernel/index.ts';
import { type Coordinator, isDiskFull } from '../coordinator.ts';
import { Died } from '../world/disk.ts';
import type { Scene } from '../world/scene.ts';

/** What really happened, beside what the ledger says. */
export interface Account {
  /** Messages whose sender was told that they are stored, with whom they are for. */
  readonly acknowledged: Map<MessageId, readonly AgentId[]>;
  /** Deliveries that an agent took. */
  readonly taken: Map<DeliveryId, AgentId>;
  /** The same in the order of their taking. */
  readonly order: DeliveryId[];
  /** Deliveries that were taken, and the record that said so is gone. */
  readonly forgotten: Set<DeliveryId>;
}

/** How long a client waits before it asks once more, ms. */
const PATIENCE = 120;

export type Ask = (request: (coordinator: Coordinator) => Promise<true>) => void;

/** Asks the coordinator that is up, and the next one when that one dies or cannot write. */
export function asking(
  scene: Scene,
  coordinator: () => Coordinator | undefined,
  unexpected: (error: unknown) => void,
): Ask {
  const ask: Ask = (request) => {
    let over = false;
    const again = () => {
      if (over) return;
      over = true;
      scene.time.after(PATIENCE, () => ask(request));
    };
    const asked = coordinator();
    if (!asked?.life.alive) {
      again();
      return;
    }
    asked.life.onDeath(again);
    asked.life.guard(request(asked)).then(
      () => {
        over = true;
      },
      (error: unknown) => {
        if (isDiskFull(error) || error instanceof Died) again();
        else unexpected(error);
      },
    );
  };
  return ask;
}
