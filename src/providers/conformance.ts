import assert from 'node:assert/strict';
import path from 'node:path';
import { isRefusal } from '../kernel/index.ts';
import { continuingConformance } from './conformance/continuing.ts';
import type { ConformanceCheck, ConformanceHarness } from './conformance/harness.ts';
import { channelNamed, consumed, isAtRest, newOffer, readyAgent, taken } from './conformance/steps.ts';
import type { Installation, LaunchRequest } from './shape.ts';

export type { ConformanceHarness, LiveAgent } from './conformance/harness.ts';

/** What every provider must do, whichever CLI it starts. A new provider is one folder and this suite. */
export function providerConformance(harness: ConformanceHarness): readonly ConformanceCheck[] {
  const check = (name: string, run: () => Promise<void>): ConformanceCheck => ({ name, run });
  return [
    check('plan is pure and complete', () => planIsPure(harness)),
    check('plan refuses what cannot be done', () => planRefuses(harness)),
    check('an agent greets and is alive', () => greets(harness)),
    check('a second attachment sees the same agent', () => attachesAgain(harness)),
    check('each channel hands over and proves it', () => handsOver(harness)),
    check('what never left is never taken', () => neverLeft(harness)),
    check('a record before the offer proves nothing', () => positionCounts(harness)),
    check('a dialog holds', () => dialogHolds(harness)),
    check('a draft holds what would be pasted', () => draftHolds(harness)),
    check('asking is no news', () => askingIsNoNews(harness)),
    check('death is seen, and nothing is taken after it', () => deathIsSeen(harness)),
    ...continuingConformance(harness),
  ];
}

async function inspected({ provider }: ConformanceHarness, request: LaunchRequest): Promise<Installation> {
  const installation = await provider.inspect(request);
  assert.ok(!isRefusal(installation), 'a machine on which it works was refused');
  return installation;
}

async function planIsPure(harness: ConformanceHarness): Promise<void> {
  const { provider } = harness;
  const asked = harness.request();
  const installation = await inspected(harness, asked);
  const first = provider.plan(asked, installation);
  assert.deepEqual(provider.plan(asked, installation), first);
  assert.ok(!isRefusal(first), 'a launch that works was refused');
  assert.ok(first.argv.length > 0);
  for (const { path } of first.files) assert.ok(path.startsWith(asked.runFolder), 'a file outlives its incarnation');
  for (const [name, value] of Object.entries(asked.environment)) assert.equal(first.environment[name], value);
}

async function planRefuses({ provider, impossible }: ConformanceHarness): Promise<void> {
  const asked = impossible();
  const installation = await provider.inspect(asked);
  const refused = isRefusal(installation) ? installation : provider.plan(asked, installation);
  assert.ok(isRefusal(refused), 'it was not refused');
  assert.ok(refused.message !== '');
}

async function greets({ launch, until }: ConformanceHarness): Promise<void> {
  const { attachment, handle, request } = await launch('plain');
  assert.ok(path.isAbsolute(handle.record), 'the record is an absolute path');
  assert.ok(!handle.record.startsWith(request.runFolder), 'the record outlives the incarnation');
  await until('the agent greets', () => attachment.greeted());
  assert.equal(attachment.liveness(), 'alive');
  await until('its turn is idle', () => attachment.facts()[0]?.value === 'idle');
  assert.ok(attachment.channels().length > 0);
}

async function attachesAgain(harness: ConformanceHarness): Promise<void> {
  const { handle, request, attachment, terminals } = await readyAgent(harness);
  attachment.close();
  const again = harness.provider.attach(handle, request.incarnation, terminals);
  try {
    await harness.until('the agent is known to have greeted', () => again.greeted());
    assert.equal(again.liveness(), 'alive');
  } finally {
    again.close();
  }
}

async function handsOver(harness: ConformanceHarness): Promise<void> {
  const agent = await readyAgent(harness);
  for (const { name } of agent.attachment.channels()) {
    await consumed(harness, agent, channelNamed(agent, name));
    // `ready` promises nothing: the turn of what one channel brought may hold what the next one brings.
    await harness.until('its turn is over', () => isAtRest(agent));
  }
}

async function neverLeft(harness: ConformanceHarness): Promise<void> {
  const agent = await readyAgent(harness);
  for (const channel of agent.attachment.channels()) {
    const settlement = await channel.settle(newOffer(agent, channel));
    assert.notEqual(settlement.outcome, 'taken', `${channel.name} took what never left`);
  }
}

async function positionCounts(harness: ConformanceHarness): Promise<void> {
  const agent = await readyAgent(harness);
  for (const channel of agent.attachment.channels()) {
    await harness.until(`${channel.name} is ready`, async () => (await channel.state()) === 'ready');
    const offer = newOffer(agent, channel);
    await channel.hand(offer, harness.render(offer.delivery, 'once'), 'leader');
    await taken(harness, channel, offer);
    // Some CLIs write more than one line about an input: a turn that is over has them all.
    await harness.until('its turn is over', () => isAtRest(agent));
    const later = { ...offer, number: 2, position: agent.attachment.position() };
    assert.notEqual((await channel.settle(later)).outcome, 'taken', `${channel.name} counts an older line`);
  }
}

async function dialogHolds(harness: ConformanceHarness): Promise<void> {
  const { attachment } = await harness.launch('dialog');
  for (const channel of attachment.channels()) {
    await harness.until(`${channel.name} holds for the dialog`, async () => {
      const state = await channel.state();
      return state !== 'ready' && state.hold === 'dialog_open';
    });
  }
  const value = attachment.facts()[0]?.value;
  assert.ok(value === 'waiting_approval' || value === 'waiting_input', `its turn is ${value}`);
}

/** Whoever is told of a change asks again: an attachment that told of its own questions would never come to rest. */
async function askingIsNoNews({ launch, until }: ConformanceHarness): Promise<void> {
  const { attachment } = await launch('dialog');
  await until('the dialog is known', () => attachment.facts()[0]?.value.startsWith('waiting') ?? false);
  let news = 0;
  attachment.onChange(() => {
    news += 1;
  });
  for (let asked = 0; asked < 5; asked++) {
    for (const channel of attachment.channels()) await channel.state();
  }
  assert.equal(news, 0, 'an answer to a question was told as a change');
}

async function draftHolds(harness: ConformanceHarness): Promise<void> {
  const { attachment } = await harness.launch('draft');
  const paste = attachment.channels().find(({ name }) => name === 'paste');
  if (!paste) return;
  await harness.until('paste holds for the draft', async () => {
    const state = await paste.state();
    return state !== 'ready' && state.hold === 'draft_in_composer';
  });
}

async function deathIsSeen(harness: ConformanceHarness): Promise<void> {
  const agent = await readyAgent(harness);
  let told = 0;
  agent.attachment.onChange(() => {
    if (agent.attachment.liveness() === 'dead') told++;
  });
  agent.kill();
  await harness.until('its death is told', () => told > 0);
  assert.equal(agent.attachment.liveness(), 'dead');
  assert.equal(agent.attachment.facts()[0]?.value, 'exited');
  for (const channel of agent.attachment.channels()) {
    assert.notEqual(await channel.state(), 'ready');
    const settlement = await channel.settle(newOffer(agent, channel));
    assert.notEqual(settlement.outcome, 'taken');
  }
}
