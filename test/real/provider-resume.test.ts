import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AgentId, isRefusal, mint, type Refusal, sessionMembers, signalProcess } from '../../src/kernel/index.ts';
import { claude } from '../../src/providers/claude/index.ts';
import { codex } from '../../src/providers/codex/index.ts';
import type { AgentHandle, LaunchRequest, Offer, Provider, Resumable } from '../../src/providers/shape.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';
import { type ClaudeAgent, ClaudeWorld, messageText } from './claude-agents.ts';
import { type CodexLife, CodexStage, channelOf, hand, newOffer, render, settled } from './codex-stage.ts';
import type { ModelRequest, ModelServer } from './world/model-server.ts';
import './world/only-loopback.ts';

interface Life {
  readonly handle: AgentHandle;
  readonly request: LaunchRequest;
}
type How = 'resume' | 'fork';

/** What a launch is asked for that goes on with a life. */
function goingOn(how: How, { handle: { session, record } }: Life, more: Partial<LaunchRequest> = {}) {
  return { ...(how === 'resume' ? { session } : {}), continues: { how, session, record }, ...more };
}

/** May a life go on with it, as the machine is now? `more` changes what is known of it. */
async function resumable(
  provider: Provider,
  how: How,
  { handle: { session, record, details }, request }: Life,
  more: Partial<AgentHandle & LaunchRequest> = {},
): Promise<Resumable> {
  const installation = await provider.inspect({ ...request, trusted: true, ...more });
  if (isRefusal(installation)) throw new Error(installation.message);
  return provider.resumable({ how, session, record, details, folder: request.folder, installation, ...more });
}

/** Has the model said what a prompt of steps and last words makes it say? */
function isAnswered(model: ModelServer, body: string): boolean {
  const steps = body.split('[[').length - 2;
  const request = model.requestWith(body);
  return request?.outcome === 'answered' && request.results.length >= steps;
}

const said = (request: ModelRequest | undefined): string => JSON.stringify(request?.history);

function refusal<Started extends object>(started: Started | Refusal): Refusal {
  if (!isRefusal(started)) throw new Error('it was started');
  return started;
}

describe('Claude Code', () => {
  let world: ClaudeWorld;
  beforeEach(async () => {
    world = await ClaudeWorld.open();
  });
  afterEach(() => world.end());

  async function launched(more: Partial<LaunchRequest> = {}): Promise<ClaudeAgent> {
    const agent = await world.launch(more);
    if (isRefusal(agent)) throw new Error(agent.message);
    await world.until('it is idle', () => agent.state() === 'idle');
    return agent;
  }

  async function asked(agent: ClaudeAgent, body: string): Promise<ModelRequest | undefined> {
    await agent.taken(await agent.send(body));
    await world.until('its model has answered', () => isAnswered(world.model, body));
    await world.until('it rests', () => agent.state() === 'idle');
    return world.model.requestWith(body);
  }

  async function ended(agent: ClaudeAgent): Promise<void> {
    agent.kill();
    await world.until('it is dead', () => agent.attachment.liveness() === 'dead');
  }

  test('N05 a resumed session has its history, the edited role, and nothing of the turn that was cut', async () => {
    const agent = await launched();
    await asked(agent, '[[say elephants]]');
    await agent.taken(await agent.send('[[shell touch /nowhere/x; true]]'));
    await world.until('it asks', () => agent.attachment.approvals().length > 0);
    const { incarnation } = agent.request;
    const position = agent.attachment.position();
    const queued: Offer = { delivery: mint.delivery(), number: 1, channel: 'protocol', incarnation, position };
    await agent.channel().hand(queued, messageText(queued.delivery, '[[say queued]]'), 'leader');
    await world.until('it stands in the queue', () =>
      fs.readFileSync(agent.handle.record, 'utf8').includes(queued.delivery),
    );
    await ended(agent);
    expect(await resumable(claude, 'resume', agent)).toBe('yes');

    const next = await launched(goingOn('resume', agent, { prompt: 'Edited role.' }));
    expect(next.handle).toMatchObject({ session: agent.handle.session, record: agent.handle.record });
    expect(next.attachment.approvals()).toEqual([]);
    const turn = await asked(next, '[[say back]]');
    expect(turn?.system).toContain('Edited role.');
    expect(turn?.system).not.toContain('Build things.');
    expect(said(turn)).toContain('elephants');
    expect(await agent.channel().settle(queued)).toMatchObject({ outcome: 'not_taken' });
    expect(world.model.requestsWith('say queued')).toEqual([]);
  });

  test('N05 a fork has the history under another id, its own role and folder, and its source goes on', async () => {
    const agent = await launched();
    await asked(agent, '[[say elephants]]');
    const fork = await launched(
      goingOn('fork', agent, { folder: freshFolder('other'), trusted: true, prompt: 'Forked role.' }),
    );
    expect(fork.handle.session).toBe(fork.request.session);
    expect(fork.handle.session).not.toBe(agent.handle.session);
    const [theirs, own] = [await asked(fork, '[[say forked]]'), await asked(agent, '[[say source]]')];
    expect(theirs).toMatchObject({ session: fork.handle.session, system: expect.stringContaining('Forked role.') });
    expect(said(theirs)).toContain('elephants');
    expect(own).toMatchObject({ session: agent.handle.session, system: expect.stringContaining('Build things.') });
    expect(said(own)).not.toContain('forked');
  });

  test('calls that its source made in vain are not those of a fork, nor of the next life', async () => {
    const agent = await launched();
    await asked(agent, '[[team report_result {"summary":"x"}]] [[say done]]');
    await world.until('it is missed', () => agent.attachment.missedCalls(0).length === 1);
    const fork = await launched(goingOn('fork', agent));
    await asked(fork, '[[say forked]]');
    expect(fs.readFileSync(fork.handle.record, 'utf8')).toContain('report_result');
    expect(fork.attachment.missedCalls(0)).toEqual([]);
    await ended(agent);
    const next = await launched(goingOn('resume', agent));
    expect(next.attachment.missedCalls(0)).toEqual([]);
    await asked(next, '[[team report_result {"summary":"y"}]] [[say done]]');
    await world.until('its own is', () => next.attachment.missedCalls(0).length === 1);
  });

  test('G04 Z62 Z63 what cannot be gone on with is known before anything starts', async () => {
    const agent = await launched();
    expect(await resumable(claude, 'fork', agent)).toHaveProperty('no', expect.stringContaining('not there'));
    await asked(agent, '[[say elephants]]');
    // The life that is to be ended for the next one is not in the way; any other process that works on it is.
    expect(await resumable(claude, 'resume', agent)).toBe('yes');
    const another = { ...agent.handle.details, pid: '1' };
    expect(await resumable(claude, 'resume', agent, { details: another })).toHaveProperty(
      'no',
      expect.stringContaining('works on it'),
    );
    expect(await resumable(claude, 'fork', agent)).toBe('yes');
    await ended(agent);
    const other = freshFolder('other');
    expect(await resumable(claude, 'fork', agent, { folder: other })).toBe('yes');
    expect(await resumable(claude, 'resume', agent, { folder: other })).toHaveProperty(
      'no',
      expect.stringContaining('belongs to the folder'),
    );
    const details = { ...agent.handle.details, config: '/elsewhere' };
    expect(await resumable(claude, 'resume', agent, { details })).toHaveProperty(
      'no',
      expect.stringContaining('/elsewhere'),
    );
  });

  test('N05 a start that does not go on with what it was to go on with is refused', async () => {
    const agent = await launched();
    await asked(agent, '[[say elephants]]');
    await ended(agent);
    const other = freshFolder('other');
    const elsewhere = refusal(await world.launch(goingOn('resume', agent, { folder: other, trusted: true })));
    expect(elsewhere).toMatchObject({ reason: 'resume_failed', evidence: { told: { session: agent.handle.session } } });
    fs.renameSync(agent.handle.record, `${agent.handle.record}.gone`);
    for (const how of ['resume', 'fork'] as const) {
      const gone = refusal(await world.launch(goingOn(how, agent)));
      expect(gone).toMatchObject({ reason: 'resume_failed' });
    }
  });
});

describe('Codex', () => {
  let world: CodexStage;
  beforeEach(async () => {
    world = await CodexStage.open();
  });
  afterEach(() => world.close());

  const idle = (life: CodexLife): Promise<unknown> =>
    eventually('it is idle', () => {
      const facts = life.attachment.facts();
      return facts[0]?.value === 'idle' && facts.every(({ source, value }) => source === 'process' || value === 'idle');
    });

  async function asked(life: CodexLife, body: string): Promise<ModelRequest | undefined> {
    await settled(life.attachment, await hand(life, body), 'taken');
    await eventually('its model has answered', () => isAnswered(world.model, body));
    await idle(life);
    return world.model.requestWith(body);
  }

  async function ended(life: CodexLife): Promise<void> {
    for (const member of sessionMembers(life.handle.process.pid)) signalProcess(member, 'SIGKILL');
    if (life.handle.view) await world.terminals.close(life.handle.view);
    await eventually('it is dead', () => life.attachment.liveness() === 'dead');
  }

  const timesTold = (request: ModelRequest | undefined, text: string): number =>
    (request?.system.split(text).length ?? 1) - 1;

  test('N05 a resumed thread has its history and the edited role, which is told once', async () => {
    const life = await world.ready();
    await asked(life, '[[say elephants]]');
    await ended(life);
    expect(await resumable(codex, 'resume', life)).toBe('yes');
    let next = await world.ready(goingOn('resume', life));
    expect(next.handle).toMatchObject({ session: life.handle.session, record: life.handle.record });
    const same = await asked(next, '[[say back]]');
    expect(said(same)).toContain('elephants');
    expect(timesTold(same, 'Build what you are asked for.')).toBe(1);
    for (const prompt of ['Edited role.', 'Edited role.', 'Build what you are asked for.']) {
      await ended(next);
      next = await world.ready(goingOn('resume', life, { prompt }));
      const turn = await asked(next, `[[say ${prompt}]]`);
      expect(turn?.system.trim().endsWith(prompt)).toBe(true);
    }
    expect(timesTold(world.model.turns.at(-1), 'Edited role.')).toBe(1);
    expect(timesTold(world.model.turns.at(-1), 'Build what you are asked for.')).toBe(2);
    expect(next.incidents).toEqual([]);
  });

  test('M03 what stood in the queue of a life that was killed is not run by a resume, and is settled by the next life', async () => {
    const life = await world.ready();
    await asked(life, '[[say elephants]]');
    const gate = world.model.holdAnswers();
    const cut = await hand(life, '[[say cut]]');
    await settled(life.attachment, cut, 'taken');
    const queued = newOffer(life);
    await channelOf(life.attachment).hand(queued, render(queued.delivery, '[[say queued]]'), 'leader');
    await ended(life);
    gate.release();
    expect(await channelOf(life.attachment).settle(queued)).toMatchObject({ outcome: 'unknown' });
    const next = await world.ready(goingOn('resume', life));
    await settled(next.attachment, queued, 'not_taken');
    await settled(next.attachment, cut, 'taken');
    expect(world.model.requestsWith('say queued')).toEqual([]);
    expect(next.incidents).toEqual([]);
    await asked(next, '[[say queued]]');
    expect(world.model.requestsWith('say queued')).toHaveLength(1);
  });

  test('N05 a fork has the history under another id, its own role and folder, and its source goes on', async () => {
    const life = await world.ready();
    await asked(life, '[[say elephants]]');
    const folder = freshFolder('other');
    const fork = await world.ready(goingOn('fork', life, { agent: 'twin' as AgentId, folder, prompt: 'Forked role.' }));
    expect(fork.handle.session).not.toBe(life.handle.session);
    expect(await resumable(codex, 'resume', fork)).toBe('yes');
    const [theirs, own] = [await asked(fork, '[[shell pwd]] [[say forked]]'), await asked(life, '[[say source]]')];
    expect(theirs).toMatchObject({ session: fork.handle.session });
    expect(theirs?.results.join()).toContain(folder);
    expect(theirs?.system.lastIndexOf('You are twin')).toBeGreaterThan(
      theirs?.system.lastIndexOf('You are worker') ?? 0,
    );
    expect(said(theirs)).toContain('elephants');
    expect(own).toMatchObject({ session: life.handle.session });
    expect(own?.system).not.toContain('You are twin');
    await ended(fork);
    const again = await world.ready(goingOn('resume', fork, { agent: 'twin' as AgentId, prompt: 'Forked role.' }));
    expect(said(await asked(again, '[[say again]]'))).toContain('elephants');
    await ended(again);
    fs.renameSync(life.handle.record, `${life.handle.record}.gone`);
    expect(await resumable(codex, 'resume', again)).toHaveProperty('no', expect.stringContaining(life.handle.session));
  });

  test('G04 Z63 what cannot be gone on with is known before anything starts, and refused by a start', async () => {
    const life = await world.ready();
    expect(await resumable(codex, 'resume', life)).toHaveProperty('no');
    await asked(life, '[[say elephants]]');
    await ended(life);
    const folder = freshFolder('other');
    expect(await resumable(codex, 'resume', life, { folder })).toBe('yes');
    const moved = await world.ready(goingOn('resume', life, { folder }));
    expect((await asked(moved, '[[shell pwd]] [[say moved]]'))?.results.join()).toContain(folder);
    await ended(moved);
    const details = { ...life.handle.details, home: '/elsewhere' };
    expect(await resumable(codex, 'resume', life, { details })).toHaveProperty(
      'no',
      expect.stringContaining('CODEX_HOME'),
    );
    fs.renameSync(life.handle.record, path.join(freshFolder('gone'), 'rollout'));
    for (const how of ['resume', 'fork'] as const) {
      expect(await resumable(codex, how, life)).toHaveProperty('no', expect.stringContaining('not there'));
      expect(refusal(await world.launch(goingOn(how, life)))).toMatchObject({ reason: 'resume_failed' });
    }
  });
});
