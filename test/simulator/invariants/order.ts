import type { Account } from '../clients/asking.ts';
import type { Disk } from '../world/disk.ts';
import type { Delivery } from './deliveries.ts';

/** What was offered stood first among what might go then: urgent ones before others, each in the order of the ledger. */
export function lineIsInOrder(disk: Disk, deliveries: readonly Delivery[]): string[] {
  const wrong: string[] = [];
  const known = new Map(deliveries.map((delivery) => [delivery.id, delivery]));
  const ofMessage = Map.groupBy(deliveries, ({ message }) => message);
  const queued = new Set<Delivery>();
  for (const { type, delivery_id, message_id } of disk.rows(
    `select type, json_extract(data, '$.delivery_id') as delivery_id, json_extract(data, '$.message_id') as message_id
     from events where type = 'message.stored' or type like 'delivery.%' order by seq`,
  )) {
    if (type === 'message.stored') {
      for (const delivery of ofMessage.get(String(message_id)) ?? []) if (!delivery.bornHeld) queued.add(delivery);
      continue;
    }
    const delivery = known.get(String(delivery_id));
    if (!delivery) continue;
    if (type === 'delivery.submitted') {
      const before = [...queued].find((other) => goesBefore(other, delivery));
      if (before) wrong.push(`${delivery.id} was offered to ${delivery.recipient} before ${before.id}`);
    }
    if (type === 'delivery.queued') queued.add(delivery);
    else queued.delete(delivery);
  }
  return wrong;
}

function goesBefore(one: Delivery, other: Delivery): boolean {
  if (one.recipient !== other.recipient || one === other) return false;
  return one.urgent === other.urgent ? one.seq < other.seq : one.urgent;
}

/** A recipient takes in the order of the offers to it, but for what was given up meanwhile or read by a person. */
export function takenInOrder(deliveries: readonly Delivery[], account: Account): string[] {
  const wrong: string[] = [];
  const known = new Map(deliveries.map((delivery) => [delivery.id, delivery]));
  const last = new Map<string, number>();
  for (const id of account.order) {
    const delivery = known.get(id);
    if (!delivery) {
      wrong.push(`${id} was taken and is nowhere in the ledger`);
      continue;
    }
    if (delivery.byPerson || delivery.path.includes('dead')) continue;
    const { recipient, lastOffer } = delivery;
    if (lastOffer < (last.get(recipient) ?? 0)) wrong.push(`${recipient} took ${id} out of order`);
    last.set(recipient, lastOffer);
  }
  return wrong;
}
