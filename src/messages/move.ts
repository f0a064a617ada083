import type { DeliveryId } from '../kernel/index.ts';
import { type Change, updateDelivery } from '../ledger/index.ts';
import { type DeliveryState, statesBefore } from './delivery.ts';

/** The one way a delivery changes its state: along an arrow, with its event; false when it stands elsewhere by now. */
export async function move(
  change: Change,
  delivery: DeliveryId,
  to: DeliveryState,
  facts: Parameters<typeof updateDelivery>[3],
  data: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const row = await updateDelivery(change, delivery, statesBefore(to), { ...facts, state: to });
  if (!row) return false;
  await change.event(`delivery.${to}`, {
    delivery_id: delivery,
    message_id: row.message_id,
    to: row.recipient,
    ...data,
  });
  return true;
}
