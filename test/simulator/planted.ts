import type { Available, Recipient, Unavailable } from '../../src/agents/index.ts';
import type { DeliveryId } from '../../src/kernel/index.ts';
import { render } from '../../src/messages/index.ts';
import type { Channel, Handed, Offer, Settlement } from '../../src/providers/index.ts';
import type { Tamper } from './coordinator.ts';
import type { Disk } from './world/disk.ts';
import type { Scene } from './world/scene.ts';

/*
 * Bugs that the simulator must find. Each is put around the product's code as the product could have had it.
 */

/** Nobody asks what became of an offer: what was written counts as taken. */
export const writtenCountsAsTaken: Tamper = {
  recipient: (recipient) => ({
    ...faithful(recipient),
    settle: async (): Promise<Settlement> => ({ outcome: 'taken', receipt: { source: 'written' } }),
  }),
};

/** Nobody asks what became of an offer: it is offered again as if it had not been taken. */
export const offeredAgainUnasked: Tamper = {
  recipient: (recipient) => ({
    ...faithful(recipient),
    settle: async (offer): Promise<Settlement> => {
      const settlement = await recipient.settle(offer);
      return settlement.outcome === 'unknown' ? { outcome: 'not_taken', evidence: 'no answer' } : settlement;
    },
  }),
};

/** The bytes leave just before `submitted` is committed. */
export const offeredBeforeCommit: Tamper = {
  recipient: (recipient, _agent, disk, scene) => ({
    ...faithful(recipient),
    together: 1,
    availability: async (urgent) => early(await recipient.availability(urgent), recipient, disk, scene),
  }),
};

/** Boot puts what was under way back into the line without asking the recipient. */
export const bootIgnoresSubmitted: Tamper = {
  boot: ({ database }) => {
    database.exec(`update offers set settled_at = 0, outcome = 'not_taken' where settled_at is null;
      update deliveries set state = 'queued' where state = 'submitted'`);
  },
};

/** What a terminal had not begun counts as not taken, but is not ruled out: it may still be on its way. */
export const onlyTheMarkIsRead: Tamper = {
  recipient: (recipient, agent) => ({
    ...faithful(recipient),
    settle: async (offer): Promise<Settlement> => {
      const settlement = await recipient.settle(offer);
      for (const life of agent.lives) life.ruledOut.clear();
      return settlement;
    },
  }),
};

/** Of several messages in one input, only the one at its beginning is found again. */
export const onlyTheFirstIsFound: Tamper = {
  recipient: (recipient, _agent, disk) => ({
    ...faithful(recipient),
    settle: async (offer): Promise<Settlement> => {
      const settlement = await recipient.settle(offer);
      const [row] = disk.rows('select rides_on from offers where delivery_id = ?', offer.delivery);
      return settlement.outcome === 'taken' && row?.rides_on
        ? { outcome: 'not_taken', evidence: 'no input begins with it' }
        : settlement;
    },
  }),
};

/** After its session has changed, an agent is followed by its new record alone. */
export const onlyTheNewRecordIsRead: Tamper = {
  recipient: (recipient, agent) => ({
    ...faithful(recipient),
    settle: async (offer): Promise<Settlement> => {
      const settlement = await recipient.settle(offer);
      const life = agent.lifeOf(offer.incarnation);
      return settlement.outcome === 'taken' && !life?.record.includes(offer.delivery)
        ? { outcome: 'not_taken', evidence: 'its record lacks it' }
        : settlement;
    },
  }),
};

/** A person's yes releases a message, whatever else it waits for. */
export const aYesReleasesAll: Tamper = {
  event: ({ type, data }, { database }) => {
    if (type !== 'message.confirmed') return;
    const release = database.prepare(
      `update deliveries set state = 'queued', reason = null where message_id = ? and state = 'held'`,
    );
    release.run(String(data.message_id));
  },
};

/** A sender takes back what may have been read. */
export const cancelsWhatWasOffered: Tamper = {
  cancel: (change, delivery) =>
    change.tx
      .updateTable('deliveries')
      .set({ state: 'cancelled' })
      .where('delivery_id', '=', delivery)
      .where('state', '=', 'submitted')
      .execute(),
};

/** A boot forgets that messages wait for their time. */
export const bootForgetsTheSchedule: Tamper = { hears: (what) => what !== 'boot' };

/** The schedule does not hear of what waited for something else before it waits for its time. */
export const aSecondHoldIsSilent: Tamper = { hears: (what) => what !== 'delivery.held' };

function faithful(recipient: Recipient): Recipient {
  return {
    id: recipient.id,
    get generation() {
      return recipient.generation;
    },
    together: recipient.together,
    availability: (urgent) => recipient.availability(urgent),
    settle: (offer) => recipient.settle(offer),
    liveness: (incarnation) => recipient.liveness(incarnation),
  };
}

/** The line asks for the record's position and then commits: this hands over between the two. */
function early(
  available: Available | Unavailable,
  { id }: Recipient,
  disk: Disk,
  scene: Scene,
): Available | Unavailable {
  if (!('channel' in available)) return available;
  const { channel, incarnation, position } = available;
  let handed: Promise<Handed> | undefined;
  const hasty: Channel = {
    name: channel.name,
    state: () => channel.state(),
    settle: (offer) => channel.settle(offer),
    hand: (offer, rendered, from) => handed ?? channel.hand(offer, rendered, from),
  };
  const handEarly = (): number => {
    const at = position();
    const [head] = disk.rows(
      `select delivery_id, message_id, attempts, recipient, deliveries.team, deliveries.seq, sender, body from deliveries join messages using (message_id)
       where recipient = ? and state = 'queued' order by deliveries.seq limit 1`,
      id,
    );
    if (!head) return at;
    const delivery = String(head.delivery_id) as DeliveryId;
    const offer: Offer = {
      delivery,
      number: Number(head.attempts) + 1,
      channel: channel.name,
      incarnation,
      position: at,
    };
    const letter = { message_id: String(head.message_id), body: String(head.body), sender: String(head.sender) };
    const place = { team: String(head.team), recipient: String(head.recipient), seq: Number(head.seq) };
    const rendered = render(
      { ...letter, ...place, authority: 'peer', task_id: null, expects: 'nothing' },
      delivery,
      scene.mint.nonce(),
    );
    handed = channel.hand(offer, rendered, letter.sender);
    return at;
  };
  return { channel: hasty, incarnation, position: handEarly };
}
