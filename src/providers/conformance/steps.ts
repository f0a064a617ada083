import assert from 'node:assert/strict';
import { mint, readBytes, sizeOf } from '../../kernel/index.ts';
import type { Channel, Offer, Receipt, Settlement } from '../shape.ts';
import type { ConformanceHarness, LiveAgent } from './harness.ts';

/** Hands something over as soon as that may be done, and sees it taken and proved. */
export async function consumed(
  harness: ConformanceHarness,
  agent: LiveAgent,
  channel: Channel,
): Promise<Receipt & { readonly offer: Offer }> {
  await harness.until(`${channel.name} is ready`, async () => (await channel.state()) === 'ready');
  const offer = newOffer(agent, channel);
  const handed = await channel.hand(offer, harness.render(offer.delivery, `over ${channel.name}`), 'leader');
  assert.deepEqual(handed, { handed: 'written' });
  const receipt = await taken(harness, channel, offer);
  await harness.until('the record holds what the receipt names', () => isWritten(receipt, offer));
  return { ...receipt, offer };
}

export async function readyAgent({ launch, until }: ConformanceHarness): Promise<LiveAgent> {
  const agent = await launch('plain');
  await until('the agent greets', () => agent.attachment.greeted());
  return agent;
}

/** Does everything that says something about its turn say that none runs? */
export function isAtRest({ attachment }: LiveAgent): boolean {
  const facts = attachment.facts();
  return facts[0]?.value === 'idle' && facts.every(({ source, value }) => source === 'process' || value === 'idle');
}

export function channelNamed({ attachment }: LiveAgent, name: Channel['name']): Channel {
  const channel = attachment.channels().find((candidate) => candidate.name === name);
  assert.ok(channel, `the channel ${name} has gone`);
  return channel;
}

export function newOffer({ attachment, request }: LiveAgent, { name }: Channel): Offer {
  const { incarnation } = request;
  return { delivery: mint.delivery(), number: 1, channel: name, incarnation, position: attachment.position() };
}

export async function taken({ until }: ConformanceHarness, channel: Channel, offer: Offer): Promise<Receipt> {
  const seen: Settlement[] = [];
  await until(`${channel.name} proves the delivery`, async () => {
    const settlement = await channel.settle(offer);
    assert.notEqual(settlement.outcome, 'not_taken', `${channel.name} denies what it took`);
    seen.push(settlement);
    return settlement.outcome === 'taken';
  });
  const last = seen.at(-1);
  assert.ok(last?.outcome === 'taken');
  return last.receipt;
}

/** Does the recipient's record hold the delivery where its receipt says: at an offset after the offer, or anywhere after it? */
function isWritten({ file, offset }: Receipt, offer: Offer): boolean {
  assert.ok(file !== undefined, 'the receipt names no file');
  if (offset !== undefined) assert.ok(offset >= offer.position, 'the receipt stands before the offer');
  const from = offset ?? offer.position;
  const text = readBytes(file, from, sizeOf(file)).toString('utf8');
  const found = offset === undefined ? text : (text.split('\n', 1)[0] ?? '');
  if (offset !== undefined) assert.ok(found.includes(offer.delivery), 'the line at the offset lacks the delivery');
  return found.includes(offer.delivery);
}
