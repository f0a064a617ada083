/** What must always hold. */
import type { AgentId } from '../../../src/kernel/index.ts';
import type { Account } from '../clients/asking.ts';
import type { SimulatedAgent } from '../world/agent.ts';
import type { Disk } from '../world/disk.ts';
import { readDeliveries } from './deliveries.ts';
import { endIsRight, nothingIsLost, sendersKnow } from './ends.ts';
import { holdIsTrue } from './holds.ts';
import { countsAgree, leadIsOne, numbersGrow, offersAreClosed, pathIsLegal } from './ledger.ts';
import { lineIsInOrder, takenInOrder } from './order.ts';

export { overdue, takenTooEarly } from './holds.ts';

/** Everything that must hold once a run has come to rest, said in full where it does not. `now` is UTC ms. */
export function violationsOf(
  disk: Disk,
  agents: ReadonlyMap<AgentId, SimulatedAgent>,
  account: Account,
  now: number,
): readonly string[] {
  const deliveries = readDeliveries(disk, account);
  return [
    ...nothingIsLost(disk, account),
    ...deliveries.flatMap((delivery) => endIsRight(delivery, disk, agents, account, now)),
    ...deliveries.flatMap((delivery) => sendersKnow(delivery, disk, agents)),
    ...deliveries.flatMap((delivery) => holdIsTrue(delivery, disk, now)),
    ...deliveries.flatMap(pathIsLegal),
    ...lineIsInOrder(disk, deliveries),
    ...takenInOrder(deliveries, account),
    ...offersAreClosed(disk),
    ...numbersGrow(disk),
    ...countsAgree(disk),
    ...leadIsOne(disk),
  ];
}
