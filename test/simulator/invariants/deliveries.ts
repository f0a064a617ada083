import type { AgentId } from '../../../src/kernel/index.ts';
import type { Account } from '../clients/asking.ts';
import type { Disk } from '../world/disk.ts';

/** A delivery as the ledger and the world have it at the end. */
export interface Delivery {
  readonly id: string;
  readonly message: string;
  readonly seq: number;
  readonly urgent: boolean;
  readonly recipient: string;
  readonly state: string;
  readonly reason: string;
  readonly attempts: number;
  readonly sender: string;
  /** UTC ms. */
  readonly expiresAt: number | null;
  readonly byPerson: boolean;
  readonly takenBy: AgentId | undefined;
  /** Was it held from the beginning? */
  readonly bornHeld: boolean;
  /** The states it went through after it was stored, as the events tell. */
  readonly path: readonly string[];
  /** The number of its last offer in the order of events. */
  readonly lastOffer: number;
}

/** All deliveries of a run, in the order of the ledger. */
export function readDeliveries(disk: Disk, account: Account): Delivery[] {
  const paths = new Map<string, string[]>();
  const offers = new Map<string, number>();
  for (const { delivery, type, seq } of disk.rows(
    `select json_extract(data, '$.delivery_id') as delivery, type, seq from events where type like 'delivery.%' order by seq`,
  )) {
    const path = paths.get(String(delivery)) ?? [];
    path.push(String(type).slice('delivery.'.length));
    paths.set(String(delivery), path);
    if (type === 'delivery.submitted') offers.set(String(delivery), Number(seq));
  }
  const held = new Set(
    disk
      .rows(
        `select json_extract(data, '$.message_id') as message from events
         where type = 'message.stored' and json_extract(data, '$.held') is not null`,
      )
      .map(({ message }) => message),
  );
  const rows = disk.rows(
    `select d.delivery_id, d.message_id, d.seq, urgent, recipient, state, reason, attempts, sender, expires_at,
       json_extract(receipt, '$.source') as source
     from deliveries d join messages using (message_id) order by d.seq`,
  );
  const taken = new Map<string, AgentId>(account.taken);
  return rows.map((row) => ({
    id: String(row.delivery_id),
    message: String(row.message_id),
    seq: Number(row.seq),
    urgent: row.urgent === 1,
    recipient: String(row.recipient),
    state: String(row.state),
    reason: String(row.reason),
    attempts: Number(row.attempts),
    sender: String(row.sender),
    expiresAt: row.expires_at === null ? null : Number(row.expires_at),
    byPerson: row.source === 'person',
    takenBy: taken.get(String(row.delivery_id)),
    bornHeld: held.has(row.message_id),
    path: paths.get(String(row.delivery_id)) ?? [],
    lastOffer: offers.get(String(row.delivery_id)) ?? 0,
  }));
}
