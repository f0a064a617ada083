import { type AgentId, LEADER, SYSTEM } from '../../../src/kernel/index.ts';
import { OFFER_BUDGET } from '../../../src/messages/index.ts';
import type { Account } from '../clients/asking.ts';
import type { SimulatedAgent } from '../world/agent.ts';
import type { Disk } from '../world/disk.ts';
import type { Delivery } from './deliveries.ts';

/** Whoever was told "stored" finds a message with all its deliveries; nobody's mail was made up. */
export function nothingIsLost(disk: Disk, account: Account): string[] {
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

/** Each delivery ended as it may, and what the ledger says of it is what its recipient's record says. */
export function endIsRight(
  delivery: Delivery,
  disk: Disk,
  agents: ReadonlyMap<AgentId, SimulatedAgent>,
  account: Account,
  now: number,
): string[] {
  const wrong: string[] = [];
  const say = (what: string) => wrong.push(`${delivery.id} for ${delivery.recipient} ${what}`);
  const { state, reason, takenBy, byPerson } = delivery;
  const unprovable = [...account.forgotten].some((forgotten) => forgotten === delivery.id);
  if (takenBy !== undefined && takenBy !== delivery.recipient) say(`was taken by ${takenBy}`);
  switch (state) {
    case 'consumed':
    case 'answered':
      if (takenBy === undefined && !byPerson) say(`is ${state}, and no record holds it`);
      break;
    case 'dead':
      // Of what was in a record that is gone nobody can say more than that it may have been read.
      if (takenBy !== undefined && !(reason === 'unproved' && unprovable))
        say(`is dead(${reason}), and its recipient took it`);
      if (reason === 'attempts_exhausted' && delivery.attempts !== OFFER_BUDGET) say(`died after ${delivery.attempts}`);
      break;
    case 'cancelled':
      if (takenBy !== undefined) say('was taken back, and its recipient took it');
      break;
    case 'queued':
      if (isThere(delivery.recipient, disk, agents)) say('still waits, and its recipient is there');
      if (takenBy !== undefined) say('still waits, and its recipient took it');
      if (delivery.expiresAt !== null && delivery.expiresAt <= now) say('still waits, and its time is up');
      break;
    case 'held':
      if (takenBy !== undefined) say('is held, and its recipient took it');
      if (delivery.expiresAt !== null && delivery.expiresAt <= now) say('is held, and its time is up');
      break;
    default:
      say(`stands at ${state}: nothing would ever move it`);
  }
  return wrong;
}

/** Somebody who would take what waits, or who was removed and for whom nothing may wait any more. */
function isThere(recipient: string, disk: Disk, agents: ReadonlyMap<AgentId, SimulatedAgent>): boolean {
  const agent = [...agents.values()].find(({ id }) => id === recipient);
  if (!agent || agent.removed) return true;
  if (agent.id !== LEADER) return agent.life !== undefined;
  const [lease] = disk.rows('select receiver from leases');
  return agent.lives.some(({ incarnation, alive }) => alive && incarnation === lease?.receiver);
}

/** A delivery that died was told of once: to its sender, or to the leader when that one had been removed. */
export function sendersKnow(
  { id, sender, path }: Delivery,
  disk: Disk,
  agents: ReadonlyMap<AgentId, SimulatedAgent>,
): string[] {
  const died = path.includes('dead') && sender !== SYSTEM;
  const told = disk
    .rows('select recipient from messages join deliveries using (message_id) where dedupe_key = ?', `dead:${id}`)
    .map(({ recipient }) => String(recipient));
  const teller = sender === 'person' ? LEADER : sender;
  const agent = [...agents.values()].find((one) => one.id === teller);
  const right = !died || told[0] === teller || (told[0] === LEADER && agent && (agent.removed || agent.generation > 1));
  if (right && told.length === (died ? 1 : 0)) return [];
  return [`${id} died: ${died}; told: ${told.join() || 'nobody'} instead of ${teller}`];
}
