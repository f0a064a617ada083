import assert from 'node:assert/strict';
import { isRefusal, sizeOf } from '../../kernel/index.ts';
import type { Continuation, Continues, Offer } from '../shape.ts';
import type { ConformanceCheck, ConformanceHarness, LiveAgent } from './harness.ts';
import { channelNamed, consumed, isAtRest, readyAgent } from './steps.ts';

/** What a provider must do for a life that goes on with an earlier session, or with a fork of one. */
export function continuingConformance(harness: ConformanceHarness): readonly ConformanceCheck[] {
  return [
    { name: 'a resumed life has the session, its record and its receipts', run: () => resumes(harness) },
    { name: 'a fork has a session and a record of its own, and its source goes on', run: () => forks(harness) },
    { name: 'what is gone is known before anything starts', run: () => knowsWhatIsGone(harness) },
  ];
}

async function resumes(harness: ConformanceHarness): Promise<void> {
  const { provider, until } = harness;
  const { agent, offer } = await agentWithHistory(harness);
  agent.kill();
  await until('it is dead', () => agent.attachment.liveness() === 'dead');
  const size = sizeOf(agent.handle.record);
  assert.equal(provider.resumable(await continuation(harness, agent, 'resume')), 'yes');

  const next = await goOn(harness, agent, 'resume');
  const { attachment, handle } = next;
  assert.equal(handle.session, agent.handle.session);
  assert.equal(handle.record, agent.handle.record);
  await until('it rests', () => isAtRest(next));
  assert.ok(sizeOf(handle.record) >= size, 'a resumed record only grows');
  assert.ok(attachment.knows(offer.delivery), 'a resumed session knows what it was told');
  const before = await channelNamed(agent, offer.channel).settle(offer);
  assert.equal(before.outcome, 'taken');
  const [channel] = attachment.channels();
  assert.ok(channel);
  await consumed(harness, next, channel);
}

async function forks(harness: ConformanceHarness): Promise<void> {
  const { provider } = harness;
  const { agent } = await agentWithHistory(harness);
  assert.equal(provider.resumable(await continuation(harness, agent, 'fork')), 'yes', 'also while its source lives');
  const fork = await goOn(harness, agent, 'fork');
  assert.notEqual(fork.handle.session, agent.handle.session);
  assert.notEqual(fork.handle.record, agent.handle.record);
  for (const each of [fork, agent, fork]) {
    const [channel] = each.attachment.channels();
    assert.ok(channel);
    const { file } = await consumed(harness, each, channel);
    assert.equal(file, each.handle.record, 'each writes its own record');
  }
  assert.equal(agent.attachment.liveness(), 'alive');
}

async function knowsWhatIsGone(harness: ConformanceHarness): Promise<void> {
  const { agent } = await agentWithHistory(harness);
  for (const how of ['resume', 'fork'] as const) {
    const gone = { ...(await continuation(harness, agent, how)), record: `${agent.handle.record}.gone` };
    const answer = harness.provider.resumable(gone);
    assert.ok(typeof answer === 'object' && answer.no !== '', `${how}: ${JSON.stringify(answer)}`);
  }
}

/** An agent that has taken something and is at rest again. */
async function agentWithHistory(harness: ConformanceHarness): Promise<{ agent: LiveAgent; offer: Offer }> {
  const agent = await readyAgent(harness);
  const [channel] = agent.attachment.channels();
  assert.ok(channel);
  const { offer } = await consumed(harness, agent, channel);
  await harness.until('it rests', () => isAtRest(agent));
  return { agent, offer };
}

function continuesOf({ handle: { session, record } }: LiveAgent, how: Continues['how']): Continues {
  return { how, session, record };
}

async function continuation(
  { provider }: ConformanceHarness,
  agent: LiveAgent,
  how: Continues['how'],
): Promise<Continuation> {
  const { handle, request } = agent;
  const installation = await provider.inspect(request);
  assert.ok(!isRefusal(installation));
  return { ...continuesOf(agent, how), details: handle.details, folder: request.folder, installation };
}

async function goOn(
  { launch, until }: ConformanceHarness,
  agent: LiveAgent,
  how: Continues['how'],
): Promise<LiveAgent> {
  const { workspace, folder } = agent.request;
  const own = how === 'resume' ? { session: agent.handle.session } : {};
  const next = await launch('plain', { workspace, folder, continues: continuesOf(agent, how), ...own });
  await until('it greets', () => next.attachment.greeted());
  return next;
}
