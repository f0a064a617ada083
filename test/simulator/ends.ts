import type { Disk } from './world/disk.ts';
import type { Histogram, Situation } from './world/faults.ts';

/** Counts what shows only in how deliveries went and ended. */
export function countEnds(disk: Disk, faults: Histogram): void {
  for (const { reason, evidence, late } of disk.rows(DEATHS)) {
    if (late === 1) faults.count('late receipt after unproved');
    if (reason === 'expired') faults.count('expired in the line');
    if (reason === 'unproved' && String(evidence).startsWith('its time')) faults.count('expired while unproved');
    if (reason === 'attempts_exhausted') faults.count('attempts exhausted');
    if (reason === 'recipient_removed') faults.count('dead because its recipient was removed');
  }
  for (const { held } of disk.rows(RELEASES)) {
    const released = `released from ${held}`;
    if (isRelease(released)) faults.count(released);
  }
  for (const _ of disk.rows(`select 1 from events where type = 'delivery.held'`))
    faults.count('waits for something else now');
}

const DEATHS = `select json_extract(data, '$.reason') as reason, json_extract(data, '$.evidence') as evidence,
    exists (select 1 from events as later where later.type = 'delivery.consumed' and later.seq > events.seq
      and json_extract(later.data, '$.delivery_id') = json_extract(events.data, '$.delivery_id')) as late
  from events where type = 'delivery.dead'`;

const RELEASES = `select json_extract(data, '$.held') as held from events
  where type = 'delivery.queued' and json_extract(data, '$.held') is not null`;

const HELD = ['scheduled', 'batched', 'dependencies', 'human_confirmation'];
const isRelease = (text: string): text is Situation & `released from ${string}` =>
  HELD.some((reason) => text === `released from ${reason}`);
