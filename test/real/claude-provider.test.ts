import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isRefusal, mint, type Refusal } from '../../src/kernel/index.ts';
import { claude } from '../../src/providers/claude/index.ts';
import { providerConformance } from '../../src/providers/conformance.ts';
import type { FoundLeader, LaunchRequest, Offer } from '../../src/providers/index.ts';
import { freshFolder } from '../support/files.ts';
import { type ClaudeAgent, ClaudeWorld, messageText } from './claude-agents.ts';
import './world/only-loopback.ts';

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

async function refused(more: Partial<LaunchRequest> = {}, tampered?: () => void): Promise<Refusal> {
  const agent = await world.launch(more, tampered);
  if (!isRefusal(agent)) throw new Error('it was not refused');
  return agent;
}

const nameOf = (names: readonly string[]) => names;

describe('N08 Claude Code conforms', () => {
  // The names alone: the harness of each test is the world of that test.
  const names = providerConformance({} as Parameters<typeof providerConformance>[0]).map(({ name }) => name);
  test.each(nameOf(names))('%s', async (name) => {
    const check = providerConformance(world.harness()).find((candidate) => candidate.name === name);
    await check?.run();
    expect(check).toBeDefined();
  });
});

describe('a start', () => {
  test('a folder that only the person trusts opens without a dialog, and nothing is written about it', async () => {
    const folder = freshFolder('untrusted');
    expect((await refused({ folder })).reason).toBe('folder_not_trusted');
    await launched({ folder, trusted: true });
    expect(fs.readFileSync(path.join(world.home.claude, '.claude.json'), 'utf8')).not.toContain(folder);
  });

  test('a dialog is told with its text, and no key is sent', async () => {
    const file = path.join(world.home.claude, '.claude.json');
    const untrust = (): void => {
      const state = JSON.parse(fs.readFileSync(file, 'utf8'));
      fs.writeFileSync(file, JSON.stringify({ ...state, projects: {} }));
    };
    const refusal = await refused({}, untrust);
    expect(refusal.reason).toBe('startup_dialog');
    expect(refusal.evidence).toMatchObject({ dialog: 'trust', text: expect.stringContaining(world.folder) });
  });

  test('a tool that was not granted is not there', async () => {
    const agent = await launched({ tools: ['fs_read'] });
    await agent.taken(await agent.send('[[say ready]]'));
    await world.until('it answered', () => world.model.turns.length > 0);
    const tools = world.model.turns.at(-1)?.tools ?? [];
    expect(tools).toContain('Read');
    expect(tools).toContain('mcp__team__greet');
    for (const denied of ['Bash', 'Edit', 'Write', 'Glob', 'Grep']) expect(tools).not.toContain(denied);
  });
});

describe('messages', () => {
  test('thirty to an idle agent: each taken once, each one turn', async () => {
    const agent = await launched();
    for (let count = 0; count < 30; count++)
      await agent.taken(await agent.send(`[[say ${count}]]`, `sender-${count % 3}`));
    await world.until('all turns', () => world.model.turns.length >= 30);
    expect(world.model.turns).toHaveLength(30);
  });

  test('a busy agent holds until its turn ends', async () => {
    const agent = await launched();
    const gate = world.model.holdAnswers();
    await agent.taken(await agent.send('[[say one]]'));
    await world.until('it works', () => agent.state() === 'working');
    expect(await agent.channel().state()).toMatchObject({ hold: 'working' });
    gate.release();
    await agent.taken(await agent.send('[[say two]]'));
  });

  test('several rendered in one hand-over are all proved', async () => {
    const agent = await launched();
    const [first, second] = [mint.delivery(), mint.delivery()];
    const { incarnation } = agent.request;
    const offer: Offer = {
      delivery: first,
      number: 1,
      channel: 'protocol',
      incarnation,
      position: agent.attachment.position(),
    };
    await agent.channel().hand(offer, `${messageText(first, 'a')}\n\n${messageText(second, 'b')}`, 'leader');
    await agent.taken(offer);
    await agent.taken({ ...offer, delivery: second });
  });

  test('what the person has half typed stays', async () => {
    const agent = await launched();
    await agent.keys('h', 'a', 'l', 'f');
    await world.until('it is typed', async () => (await agent.channel('paste').state()) !== 'ready');
    await agent.taken(await agent.send('[[say beside a draft]]'));
    await world.until('it rests', () => agent.state() === 'idle');
    expect(await agent.channel('paste').state()).toEqual({ hold: 'draft_in_composer', evidence: 'half' });
  });

  test('a message in the queue of a killed agent was not taken', async () => {
    const agent = await launched();
    world.model.holdAnswers();
    await agent.taken(await agent.send('[[say slow]]'));
    const { incarnation } = agent.request;
    const offer: Offer = {
      delivery: mint.delivery(),
      number: 1,
      channel: 'protocol',
      incarnation,
      position: agent.attachment.position(),
    };
    await agent.channel().hand(offer, messageText(offer.delivery, 'queued'), 'leader');
    await world.until('it stands in the queue', () =>
      fs.readFileSync(agent.handle.record, 'utf8').includes(offer.delivery),
    );
    expect(await agent.channel().settle(offer)).toMatchObject({ outcome: 'unknown' });
    agent.kill();
    await world.until('it is dead', () => agent.attachment.liveness() === 'dead');
    expect(await agent.channel().settle(offer)).toMatchObject({ outcome: 'not_taken' });
  });

  test('what an idle agent never got is proved absent', async () => {
    const agent = await launched();
    const { incarnation } = agent.request;
    const offer: Offer = {
      delivery: mint.delivery(),
      number: 1,
      channel: 'protocol',
      incarnation,
      position: agent.attachment.position(),
    };
    const settled = async () => (await agent.attachAgain().channels()[0]?.settle(offer))?.outcome;
    expect(await settled()).toBe('unknown');
    let told = 0;
    agent.attachment.onChange(() => {
      told += 1;
    });
    await world.until('it is absent', async () => (await agent.channel().settle(offer)).outcome === 'not_taken');
    expect(told).toBeGreaterThan(0);
  });

  test('/clear: the old proof stays, the new session is followed, and it is told', async () => {
    const agent = await launched();
    const before = await agent.send('[[say before]]');
    await agent.taken(before);
    await world.until('it rests', () => agent.state() === 'idle');
    const kinds: string[] = [];
    agent.attachment.onIncident(({ kind }) => kinds.push(kind));
    if (agent.handle.pane) await world.terminals.paste(agent.handle.pane, '/clear', 'team-agent-clear');
    await world.until('it is told', () => kinds.length > 0);
    expect(kinds).toEqual(['session_changed']);
    const after = await agent.taken(await agent.send('[[say after]]'));
    expect(after.receipt.file).not.toBe(agent.handle.record);
    await agent.taken(before);
  });
});

describe('approvals', () => {
  test('one is answered through the protocol: yes, and no with its reason', async () => {
    const agent = await launched();
    await agent.send('[[shell touch /var/tmp/../tmp/nothing && echo done]] [[say {{result}}]]');
    await world.until('it asks', () => agent.attachment.approvals().length > 0);
    const [asked] = agent.attachment.approvals();
    expect(asked).toMatchObject({ kind: 'command', answerable: true });
    expect(agent.state()).toBe('waiting_approval');
    expect(await agent.attachment.decide(asked?.id ?? '', { decision: 'deny', message: 'not today' })).toBe('taken');
    await world.until('it rests', () => agent.state() === 'idle');
    expect(world.model.turns.at(-1)?.results.at(-1)).toContain('not today');
  });

  test('a yes for the session is not asked again', async () => {
    const agent = await launched();
    const outside = path.join(freshFolder('outside'), 'x');
    for (const time of ['first', 'second']) {
      await agent.taken(await agent.send(`[[shell touch ${outside}]] [[say ${time}]]`));
      const answered = () =>
        world.model.turns.some(({ prompt, results }) => prompt.includes(time) && results.length > 0);
      await world.until('it asks, or goes on', () => agent.attachment.approvals().length > 0 || answered());
      const [asked] = agent.attachment.approvals();
      expect(asked !== undefined).toBe(time === 'first');
      if (asked) await agent.attachment.decide(asked.id, { decision: 'approve', scope: 'session' });
      await world.until('it has run', answered);
    }
  });

  test('a plan is a question, and yes carries it out', async () => {
    const agent = await launched({ permission: 'plan' });
    await agent.send('[[tool ExitPlanMode {"plan":"1. do it"}]] [[say {{result}}]]');
    await world.until('it asks', () => agent.attachment.approvals().length > 0);
    const [asked] = agent.attachment.approvals();
    expect(asked).toMatchObject({ kind: 'question' });
    expect(agent.state()).toBe('waiting_input');
    expect(await agent.attachment.decide(asked?.id ?? '', { decision: 'approve', scope: 'once' })).toBe('taken');
    await world.until('it goes on', () => world.model.turns.at(-1)?.results.at(-1)?.includes('approved') ?? false);
  });

  test('a question is answered with words', async () => {
    const agent = await launched();
    const options = '[{"label":"red","description":"r"},{"label":"blue","description":"b"} ]';
    const question = `{"question":"Which colour?","header":"Colour","options":${options},"multiSelect":false}`;
    await agent.send(`[[tool AskUserQuestion {"questions":[${question} ]}]]`);
    await world.until('it asks', () => agent.attachment.approvals().length > 0);
    const [asked] = agent.attachment.approvals();
    expect(asked).toMatchObject({ kind: 'question', text: 'Which colour?' });
    const id = asked?.id ?? '';
    expect(await agent.attachment.decide(id, { decision: 'approve', scope: 'once' })).toHaveProperty('not_taken');
    expect(await agent.attachment.decide(id, { decision: 'deny', message: 'Blue.' })).toBe('taken');
    await world.until('it hears', () => world.model.turns.at(-1)?.results.at(-1)?.includes('Blue.') ?? false);
  });

  test('one that is answered at the terminal is closed', async () => {
    const agent = await launched();
    await agent.send('[[shell touch /nowhere/x; true]]');
    await world.until('it asks', () => agent.attachment.facts()[0]?.evidence?.includes('permission prompt') ?? false);
    await agent.keys('Escape');
    await world.until('it is closed', () => agent.attachment.approvals().length === 0);
  });

  test('after a restart of the coordinator only its terminal can answer', async () => {
    const agent = await launched();
    await agent.taken(await agent.send('[[shell touch /nowhere/x; true]]'));
    await world.until(
      'the registry knows',
      () => agent.attachment.facts()[0]?.evidence?.includes('permission prompt') ?? false,
    );
    agent.attachAgain();
    await world.until('it is known', () => agent.attachment.approvals()[0]?.kind === 'command');
    expect(agent.attachment.approvals()[0]).toMatchObject({ text: 'touch /nowhere/x; true', answerable: false });
    expect(agent.state()).toBe('waiting_approval');
    expect(await agent.channel().state()).toMatchObject({ hold: 'dialog_open' });
  });
});

describe('the state of a turn', () => {
  test.each([
    ['error 401', '401'],
    ['error 429', '429'],
    ['error 500', '500'],
    ['error 529', '529'],
    ['cut', 'connection_failed'],
  ])('%s is a provider error that names %s', async (directive, words) => {
    const agent = await launched();
    await agent.send(`[[${directive} always]]`);
    await world.until('it failed', () => agent.state() === 'provider_error');
    await world.until('it says why', () => agent.attachment.facts()[0]?.evidence?.includes(words) ?? false);
    await agent.taken(await agent.send('[[say well again]]'));
    await world.until('it rests', () => agent.state() === 'idle');
  });

  test('Esc interrupts until the next turn', async () => {
    const agent = await launched();
    world.model.holdAnswers();
    await agent.taken(await agent.send('[[say never]]'));
    await world.until('it works', () => agent.state() === 'working');
    // Its hook tells of the turn before there is anything to interrupt.
    await world.until('it shows the turn', async () => (await agent.screen()).includes('esc to interrupt'));
    await agent.keys('Escape');
    await world.until('it is interrupted', () => agent.state() === 'interrupted');
    expect(await agent.channel().state()).toBe('ready');
  });

  test('a command in the background counts as working, and keeps nothing waiting', async () => {
    const agent = await launched({ permission: 'accept_edits' });
    await agent.send('[[background sleep 30]]');
    await world.until('it asks, or runs', () => agent.attachment.approvals().length > 0 || agent.state() === 'working');
    for (const { id } of agent.attachment.approvals())
      await agent.attachment.decide(id, { decision: 'approve', scope: 'once' });
    await world.until(
      'it runs',
      async () => agent.state() === 'working' && (await agent.channel().state()) === 'ready',
    );
    expect(agent.attachment.facts()[0]?.evidence).toMatch(/shell|background/);
  });
});

describe('a leader', () => {
  const started = async (args: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
    const process = await world.conversation([...args, '[[say I am here]]'], environment);
    await world.until('it has said so', () => world.model.turns.some(({ outcome }) => outcome === 'answered'));
    let found: FoundLeader | undefined;
    await world.until('it is found', async () => {
      found = await claude.leading?.find([process], world.environment());
      return found !== undefined && fs.existsSync(found.record);
    });
    if (!found) throw new Error('it was not found');
    const { session, record, socket, details } = found;
    const incarnation = mint.incarnation();
    const handle = { process, session, record, details, ...(socket ? { socket } : {}) };
    const attachment = claude.attach(handle, incarnation, world.terminals);
    return { process, attachment, incarnation, channel: attachment.channels()[0] };
  };

  test('that the person started by hand is found, takes messages, and its end is told', async () => {
    const { process: own, attachment, incarnation, channel } = await started(['--permission-mode', 'manual']);
    try {
      expect(attachment.channels().map(({ name }) => name)).toEqual(['protocol']);
      await world.until('its inbox is open', async () => (await channel?.state()) === 'ready');
      const offer: Offer = {
        delivery: mint.delivery(),
        number: 1,
        channel: 'protocol',
        incarnation,
        position: attachment.position(),
      };
      await channel?.hand(offer, messageText(offer.delivery, '[[say led]]'), 'builder');
      await world.until('it took it', async () => (await channel?.settle(offer))?.outcome === 'taken');
      let told = false;
      attachment.onChange(() => {
        told ||= attachment.liveness() === 'dead';
      });
      process.kill(own.pid, 'SIGKILL');
      await world.until('its end is told', () => told);
    } finally {
      attachment.close();
    }
  });

  test('whose mode would ask its person about each message holds them, until the person allows them', async () => {
    const skip = ['--settings', '{"skipDangerousModePermissionPrompt":true}'];
    const { attachment, channel } = await started(['--permission-mode', 'bypassPermissions', ...skip], {
      IS_SANDBOX: '1',
    });
    try {
      await world.until('it rests', () => attachment.facts()[0]?.value === 'idle');
      expect(await channel?.state()).toMatchObject({ hold: 'mode_holds_mail' });
      fs.writeFileSync(path.join(world.home.claude, 'settings.json'), '{"crossSessionInbound":"accept"}');
      expect(await channel?.state()).toBe('ready');
    } finally {
      attachment.close();
    }
  });

  test('that is nobody is not found', async () => {
    expect(await claude.leading?.find([{ pid: process.pid, start: 'x' }], world.environment())).toBeUndefined();
  });
});
