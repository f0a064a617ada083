import { type AgentId, LEADER, SYSTEM } from '../../src/kernel/index.ts';
import { ARROWS, type DeliveryState, OFFER_BUDGET } from '../../src/messages/index.ts';
import type { Account } from './clients.ts';
import type { SimulatedAgent } from './world/agent.ts';
import type { Disk } from './world/disk.ts';

interface Delivery {
  readonly id: string;
  readonly seq: number;
  readonly recipient: string;
  readonly state: string;
  readonly reason: string;
  readonly attempts: number;
  readonly sender: string;
  /** UTC ms. */
  readonly expiresAt: number | null;
  readonly byPerson: boolean;
  readonly takenBy: AgentId | undefined;
  /** The states it went through after it was stored, as the events tell. */
  readonly path: readonly string[];
}

/** Everything that must hold once a run has come to rest, said in full where it does not. */
export function violationsOf(
  disk: Disk,
  agents: ReadonlyMap<AgentId, SimulatedAgent>,
  account: Account,
  now: number,
): readonly string[] {
  const deliveries = readDeliveries(disk, account);
  return [
    ...nothingIsLost(disk, account),
    ...deliveries.flatMap((delivery) => endIsRight(delivery, disk, agents, now)),
    ...deliveries.flatMap(pathIsLegal),
    ...orderIsKept(deliveries, account),
    ...offersAreClosed(disk),
    ...numbersGrow(disk),
    ...countsAgree(disk),
  ];
}

/** What the ledger counts as it goes is what there is. */
function countsAgree(disk: Disk): string[] {
  const wrong = disk.rows(
    `select c.team, c.state, c.count, count(d.state) as there from delivery_counts c
     left join deliveries d on d.team = c.team and d.state = c.state group by c.team, c.state having c.count <> there`,
  );
  return wrong.map((row) => `${row.count} deliveries are counted as ${row.state}, and there are ${row.there}`);
}

function readDeliveries(disk: Disk, account: Account): Delivery[] {
  const paths = new Map<string, string[]>();
  for (const { delivery, type } of disk.rows(
    `select json_extract(data, '$.delivery_id') as delivery, type from events where type like 'delivery.%' order by seq`,
  )) {
    const path = paths.get(String(delivery)) ?? [];
    path.push(String(type).slice('delivery.'.length));
    paths.set(String(delivery), path);
  }
  const rows = disk.rows(
    `select d.delivery_id, d.seq, recipient, state, reason, attempts, sender, expires_at, json_extract(receipt, '$.source') as source
     from deliveries d join messages using (message_id) order by d.seq`,
  );
  const taken = new Map<string, AgentId>(account.taken);
  return rows.map((row) => ({
    id: String(row.delivery_id),
    seq: Number(row.seq),
    recipient: String(row.recipient),
    state: String(row.state),
    reason: String(row.reason),
    attempts: Number(row.attempts),
    sender: String(row.sender),
    expiresAt: row.expires_at === null ? null : Number(row.expires_at),
    byPerson: row.source === 'person',
    takenBy: taken.get(String(row.delivery_id)),
    path: paths.get(String(row.delivery_id)) ?? [],
  }));
}

/** Whoever was told "stored" finds a message with all its deliveries; nobody's mail was made up. */
function nothingIsLost(disk: Disk, account: Account): string[] {
  const lost: string[] = [];
  for (const [message, to] of account.acknowledged) {
    const rows = disk.rows('select recipient from deliveries where message_id = ? order by seq', message);
    const stored = rows.map((row) => String(row.recipient));
    if (stored.join() !== to.join()) lost.push(`message ${message} for ${to.join()} is stored for ${stored.join()}`);
  }
  const [row] = disk.rows('select count(*) as count from messages where sender <> ?', SYSTEM);
  if (row?.count !== account.acknowledged.size) {
    lost.push(`${row?.count} messages are stored, ${account.acknowledged.size} were acknowledged`);
  }
  return lost;
}

/** Each delivery ended as it may, what the ledger says of it is what its recipient's record says, and its sender knows. */
function endIsRight(
  delivery: Delivery,
  disk: Disk,
  agents: ReadonlyMap<AgentId, SimulatedAgent>,
  now: number,
): string[] {
  const wrong: string[] = [];
  const say = (what: string) => wrong.push(`${delivery.id} for ${delivery.recipient} ${what}`);
  const { state, reason, takenBy, byPerson } = delivery;
  if (takenBy !== undefined && takenBy !== delivery.recipient) say(`was taken by ${takenBy}`);
  switch (state) {
    case 'consumed':
    case 'answered':
      if (takenBy === undefined && !byPerson) say(`is ${state}, and no record holds it`);
      break;
    case 'dead':
      if (takenBy !== undefined) say(`is dead(${reason}), and its recipient took it`);
      if (reason === 'attempts_exhausted' && delivery.attempts !== OFFER_BUDGET) say(`died after ${delivery.attempts}`);
      break;
    case 'queued': {
      const agent = [...agents.values()].find(({ id }) => id === delivery.recipient);
      if (!agent || agent.life) say('still waits, and its recipient is there');
      if (takenBy !== undefined) say('still waits, and its recipient took it');
      if (delivery.expiresAt !== null && delivery.expiresAt <= now) say('still waits, and its time is up');
      break;
    }
    default:
      say(`stands at ${state}: nothing would ever move it`);
  }
  const notices = disk.rows(
    'select recipient from messages join deliveries using (message_id) where dedupe_key = ?',
    `dead:${delivery.id}`,
  );
  const died = delivery.path.includes('dead');
  const teller = delivery.sender === SYSTEM ? undefined : delivery.sender === 'person' ? LEADER : delivery.sender;
  const told = notices.map((notice) => String(notice.recipient)).join();
  if (told !== (died && teller ? teller : '')) say(`died: ${died}; told: ${told || 'nobody'} instead of ${teller}`);
  return wrong;
}

/** Every change of state has its event, along an arrow, and the last one is where it stands. */
function pathIsLegal({ id, state, path }: Delivery): string[] {
  const wrong: string[] = [];
  let at = 'queued';
  for (const next of path) {
    const arrows: readonly string[] = isState(at) ? ARROWS[at] : [];
    if (!arrows.includes(next)) wrong.push(`${id} went from ${at} to ${next}`);
    at = next;
  }
  if (at !== state) wrong.push(`${id} is ${state}, its events end at ${at}`);
  return wrong;
}

const isState = (text: string): text is DeliveryState => text in ARROWS;

/** A recipient takes in the order of its line, but for what was given up meanwhile or read by a person. */
function orderIsKept(deliveries: readonly Delivery[], account: Account): string[] {
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
    if (delivery.seq < (last.get(delivery.recipient) ?? 0)) wrong.push(`${delivery.recipient} took ${id} out of order`);
    last.set(delivery.recipient, delivery.seq);
  }
  return wrong;
}

function offersAreClosed(disk: Disk): string[] {
  const open = disk.rows('select delivery_id from offers where settled_at is null or outcome is null');
  const uncounted = disk.rows(
    `select delivery_id, attempts, (select count(*) from offers o where o.delivery_id = d.delivery_id) as offers
     from deliveries d where attempts <> offers or attempts > ${OFFER_BUDGET}`,
  );
  return [
    ...open.map((row) => `the offer of ${row.delivery_id} was never settled`),
    ...uncounted.map((row) => `${row.delivery_id} counts ${row.attempts} attempts, ${row.offers} offers were made`),
  ];
}

/** Events stand in the ledger in the order of their numbers, and no number is above the team's counter. */
function numbersGrow(disk: Disk): string[] {
  const numbers = disk.rows('select seq from events order by rowid').map((row) => Number(row.seq));
  const [counter] = disk.rows('select next_seq from teams');
  const wrong = numbers.filter((seq, index) => index > 0 && seq <= (numbers[index - 1] ?? 0));
  if ((numbers.at(-1) ?? 0) > Number(counter?.next_seq)) wrong.push(numbers.at(-1) ?? 0);
  return wrong.map((seq) => `event ${seq} is out of order`);
}
