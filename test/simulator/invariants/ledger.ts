import { ARROWS, type DeliveryState, OFFER_BUDGET } from '../../../src/messages/index.ts';
import type { Disk } from '../world/disk.ts';
import type { Delivery } from './deliveries.ts';

/** What the ledger counts as it goes is what there is. */
export function countsAgree(disk: Disk): string[] {
  const wrong = disk.rows(
    `select c.team, c.state, c.count, count(d.state) as there from delivery_counts c
     left join deliveries d on d.team = c.team and d.state = c.state group by c.team, c.state having c.count <> there`,
  );
  return wrong.map((row) => `${row.count} deliveries are counted as ${row.state}, and there are ${row.there}`);
}

/** Every change of state has its event, along an arrow, and the last one is where it stands. */
export function pathIsLegal({ id, state, path, bornHeld }: Delivery): string[] {
  const wrong: string[] = [];
  let at = bornHeld ? 'held' : 'queued';
  for (const next of path) {
    const arrows: readonly string[] = isState(at) ? ARROWS[at] : [];
    // What is held may come to wait for something else.
    if (!arrows.includes(next) && !(at === 'held' && next === 'held')) wrong.push(`${id} went from ${at} to ${next}`);
    at = next;
  }
  if (at !== state) wrong.push(`${id} is ${state}, its events end at ${at}`);
  return wrong;
}

const isState = (text: string): text is DeliveryState => text in ARROWS;

export function offersAreClosed(disk: Disk): string[] {
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
export function numbersGrow(disk: Disk): string[] {
  const numbers = disk.rows('select seq from events order by rowid').map((row) => Number(row.seq));
  const [counter] = disk.rows('select next_seq from teams');
  const wrong = numbers.filter((seq, index) => index > 0 && seq <= (numbers[index - 1] ?? 0));
  if ((numbers.at(-1) ?? 0) > Number(counter?.next_seq)) wrong.push(numbers.at(-1) ?? 0);
  return wrong.map((seq) => `event ${seq} is out of order`);
}

/** One leader per epoch: each change of who leads has the next number. */
export function leadIsOne(disk: Disk): string[] {
  const epochs = disk
    .rows(
      `select json_extract(data, '$.epoch') as epoch from events where type in ('leader.bound', 'leader.released') order by seq`,
    )
    .map(({ epoch }) => Number(epoch));
  return epochs.flatMap((epoch, index) => (epoch === index + 1 ? [] : [`lead ${index + 1} has epoch ${epoch}`]));
}
