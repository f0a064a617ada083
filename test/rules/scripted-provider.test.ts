import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { agentWrapper, isRefusal, mint, programArgv, signalProcess } from '../../src/kernel/index.ts';
import { holdOfTurn } from '../../src/providers/holds.ts';
import type { Channel, ChannelName, LaunchRequest, Offer, Settlement, TurnState } from '../../src/providers/index.ts';
import { parseRecordLine } from '../../src/providers/scripted/record.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';
import { type Launched, Launcher, render, scriptedProvider } from './scripted-harness.ts';

const launcher = new Launcher();
afterEach(() => launcher.endAll());

function channel({ attachment }: Launched, name: ChannelName): Channel {
  const found = attachment.channels().find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no channel ${name}`);
  return found;
}

function offerTo(agent: Launched, name: ChannelName): Offer {
  const { incarnation } = agent.request;
  return { delivery: mint.delivery(), number: 1, channel: name, incarnation, position: agent.attachment.position() };
}

async function hand(agent: Launched, name: ChannelName, body: string): Promise<Offer> {
  const offer = offerTo(agent, name);
  expect(await channel(agent, name).hand(offer, render(offer.delivery, body), 'leader')).toEqual({ handed: 'written' });
  return offer;
}

async function settled(agent: Launched, offer: Offer, outcome: Settlement['outcome']): Promise<Settlement> {
  return eventually(`the offer is ${outcome}`, async () => {
    const settlement = await channel(agent, offer.channel).settle(offer);
    return settlement.outcome === outcome && settlement;
  });
}

async function holds(agent: Launched, name: ChannelName, expected: string): Promise<void> {
  await eventually(`${name} is ${expected}`, async () => {
    const state = await channel(agent, name).state();
    return (state === 'ready' ? 'ready' : state.hold) === expected;
  });
}

const HANGS = 'rules: [{ match: ^hang, do: [{ hang: true }] }]\n';
const PASTE_ONLY = 'channel: paste\n';

describe('the plan of a launch', () => {
  const provider = scriptedProvider();
  const plan = async (request: LaunchRequest) => {
    const installation = await provider.inspect(request);
    return isRefusal(installation) ? installation : provider.plan(request, installation);
  };

  test('names the wrapper, the program and the socket', async () => {
    const request = launcher.request({ environment: { PATH: '/bin', ANSWER: '42' } });
    const made = await plan(request);
    if (isRefusal(made)) throw new Error(made.message);
    const { runFolder, workspace, session, incarnation } = request;
    expect(made.argv).toEqual([
      agentWrapper,
      path.join(runFolder, 'token'),
      path.join(runFolder, 'exit'),
      ...programArgv('scripted'),
    ]);
    expect(made.socket).toBe(path.join(request.socketFolder, `${incarnation}.sock`));
    expect(made.environment).toMatchObject({ ANSWER: '42', TEAM_AGENT_ID: 'writer', TEAM_AGENT_WORKSPACE: workspace });
    expect(JSON.stringify(made)).not.toMatch(/TEAM_AGENT_TOKEN/);
    const record = path.join(workspace, '.team', 'run', 'records', `${session}.jsonl`);
    expect(made.environment.TEAM_AGENT_RECORD).toBe(record);
    expect(fs.existsSync(path.dirname(record))).toBe(false);
  });

  test('a script may leave the composer as the only way in', async () => {
    const script = path.join(freshFolder('s'), 's.yaml');
    fs.writeFileSync(script, PASTE_ONLY);
    const made = await plan(launcher.request({ script }));
    if (isRefusal(made)) throw new Error(made.message);
    expect(made.socket).toBeUndefined();
    expect(made.environment.TEAM_AGENT_SOCKET).toBeUndefined();
    expect(made.environment.TEAM_AGENT_SCRIPT).toBe(script);
  });

  test('a script that cannot be played is refused with file, line and key', async () => {
    const script = path.join(freshFolder('s'), 's.yaml');
    fs.writeFileSync(script, 'on_start:\n  - say: hi\n  - wait: soon\n');
    expect(await plan(launcher.request({ script }))).toMatchObject({
      ok: false,
      reason: 'team_document_invalid',
      evidence: { file: script, line: 3, key: 'on_start.1.wait' },
    });
    expect(await plan(launcher.request({ script: path.dirname(script) }))).toMatchObject({
      reason: 'team_document_invalid',
    });
  });

  test('a socket path that no system takes is refused', async () => {
    const socketFolder = `/tmp/${'x'.repeat(80)}`;
    expect(await plan(launcher.request({ socketFolder }))).toMatchObject({ ok: false, reason: 'launch_failed' });
  });
});

describe('what a turn holds', () => {
  test.each<[TurnState, string | undefined]>([
    ['idle', undefined],
    ['interrupted', undefined],
    ['provider_error', undefined],
    ['starting', 'starting'],
    ['working', 'working'],
    ['waiting_approval', 'dialog_open'],
    ['waiting_input', 'dialog_open'],
    ['exited', 'channel_down'],
    ['unknown', 'channel_down'],
  ])('%s: %s', (turn, expected) => {
    expect(holdOfTurn(turn)?.hold).toBe(expected);
  });
});

describe('the protocol', () => {
  test('a receipt stands in the record, at its offset, as input with our id', async () => {
    const agent = await launcher.ready();
    const offer = await hand(agent, 'protocol', 'hello');
    const settlement = await settled(agent, offer, 'taken');
    if (settlement.outcome !== 'taken') throw new Error('not taken');
    const { file = '', offset = 0 } = settlement.receipt;
    const line = parseRecordLine(fs.readFileSync(file).subarray(offset).toString().split('\n', 1)[0] ?? '');
    expect(line).toMatchObject({ type: 'user', id: offer.delivery, text: render(offer.delivery, 'hello') });
    expect(offset).toBeGreaterThanOrEqual(offer.position);
  });

  test('what waits in the queue is unknown; when its process dies it is not taken', async () => {
    const agent = await launcher.ready(HANGS);
    await hand(agent, 'protocol', 'hang');
    await holds(agent, 'protocol', 'working');
    await holds(agent, 'paste', 'working');
    const queued = await hand(agent, 'protocol', 'later');
    expect(await settled(agent, queued, 'unknown')).toMatchObject({ awaited: expect.stringContaining('queue') });
    agent.kill();
    await eventually('it is dead', () => agent.attachment.liveness() === 'dead');
    expect(await settled(agent, queued, 'not_taken')).toMatchObject({ evidence: expect.stringContaining('dead') });
  });

  test('what was taken stays taken when the process is dead', async () => {
    const agent = await launcher.ready(HANGS);
    const offer = await hand(agent, 'protocol', 'hang');
    await settled(agent, offer, 'taken');
    agent.kill();
    await eventually('it is dead', () => agent.attachment.liveness() === 'dead');
    expect((await channel(agent, 'protocol').settle(offer)).outcome).toBe('taken');
  });

  test('what never left is not taken, by the word of the agent; nothing is said of another life', async () => {
    const agent = await launcher.ready();
    const offer = offerTo(agent, 'protocol');
    expect((await channel(agent, 'protocol').settle(offer)).outcome).toBe('not_taken');
    const foreign = { ...offer, incarnation: mint.incarnation() };
    expect((await channel(agent, 'protocol').settle(foreign)).outcome).toBe('unknown');
  });

  test('an agent that is stopped answers nothing: down, unknown, and taken once it goes on', async () => {
    const agent = await launcher.ready();
    const { pid } = agent.pane.handle.process;
    process.kill(-pid, 'SIGSTOP');
    try {
      await holds(agent, 'protocol', 'channel_down');
      const offer = await hand(agent, 'protocol', 'hello');
      expect((await channel(agent, 'protocol').settle(offer)).outcome).toBe('unknown');
      process.kill(-pid, 'SIGCONT');
      await settled(agent, offer, 'taken');
    } finally {
      process.kill(-pid, 'SIGCONT');
    }
  });

  test('the agent saying or passing on an id proves nothing', async () => {
    const id = mint.delivery();
    const agent = await launcher.ready(
      `on_start: [{ say: "[team message ${id} from x (peer)]" }, { send: { to: x, text: "${id}" } }]`,
    );
    await eventually('it is said', () => fs.readFileSync(agent.handle.record, 'utf8').includes('"tool"'));
    for (const name of ['protocol', 'paste'] as const) {
      const offer = { ...offerTo(agent, name), delivery: id, position: 0 };
      expect((await channel(agent, name).settle(offer)).outcome).not.toBe('taken');
    }
  });

  test('a draft does not hold it, a dialog does', async () => {
    const drafting = await launcher.ready('on_start: [{ draft: half }]');
    await holds(drafting, 'protocol', 'ready');
    const asking = await launcher.ready('on_start: [{ ask_approval: "May I?" }]');
    await holds(asking, 'protocol', 'dialog_open');
    expect(asking.attachment.facts()[0]).toMatchObject({ value: 'waiting_approval', source: 'protocol' });
  });

  test('M10 a coordinator that starts again sees the same agent, and settles what was offered before', async () => {
    const agent = await launcher.ready();
    const offer = await hand(agent, 'protocol', 'hello');
    await settled(agent, offer, 'taken');
    agent.attachment.close();
    const again = scriptedProvider().attach(agent.handle, agent.request.incarnation, agent.terminals);
    const reborn = { ...agent, attachment: again };
    await settled(reborn, offer, 'taken');
    await holds(reborn, 'protocol', 'ready');
    again.close();
  });
});

describe('paste', () => {
  test('E21 goes through a buffer named after the attempt, and is proved by its header', async () => {
    const agent = await launcher.ready(PASTE_ONLY);
    expect(agent.attachment.channels().map(({ name }) => name)).toEqual(['paste']);
    await holds(agent, 'paste', 'ready');
    const offer = await hand(agent, 'paste', 'hello\n--- there');
    expect(agent.terminals.pastes).toEqual([`${offer.delivery}-${offer.number}`]);
    await settled(agent, offer, 'taken');
  });

  test('is never "not taken" once Enter may have been pressed, not even by a dead process', async () => {
    const agent = await launcher.ready(PASTE_ONLY);
    const offer = offerTo(agent, 'paste');
    agent.kill();
    await eventually(
      'it is dead, and its terminal gone',
      () => agent.pane.ended && agent.attachment.liveness() === 'dead',
    );
    expect((await channel(agent, 'paste').settle(offer)).outcome).toBe('unknown');
  });

  test('M03 an offer that tmux had not begun to paste is "not taken"; one that it has is unknown to the next coordinator', async () => {
    const agent = await launcher.ready(PASTE_ONLY);
    const lost = offerTo(agent, 'paste');
    expect(await channel(agent, 'paste').settle(lost)).toEqual({
      outcome: 'not_taken',
      evidence: 'tmux had not begun to paste it',
    });
    const eaten = { ...offerTo(agent, 'paste'), number: 2 };
    agent.terminals.pastes.push(`${eaten.delivery}-2`);
    expect((await channel(agent, 'paste').settle(eaten)).outcome).toBe('unknown');
  });

  test('a refusal of tmux is "not taken", a mode of the pane a hold; a broken connection to tmux is unknown', async () => {
    const agent = await launcher.ready(PASTE_ONLY);
    const offer = offerTo(agent, 'paste');
    agent.terminals.refuses = { pasted: false, why: 'pane_dead', evidence: 'process 7 has ended' };
    expect(await channel(agent, 'paste').hand(offer, 'x', 'a')).toEqual({
      handed: 'not_taken',
      evidence: 'pane_dead: process 7 has ended',
    });
    agent.terminals.refuses = { pasted: false, why: 'pane_in_mode', evidence: 'copy-mode' };
    expect(await channel(agent, 'paste').hand(offer, 'x', 'a')).toEqual({
      handed: 'held',
      hold: { hold: 'pane_in_mode', evidence: 'copy-mode' },
    });
    agent.terminals.refuses = { pasted: 'unknown', evidence: 'cut' };
    expect(await channel(agent, 'paste').hand(offer, 'x', 'a')).toEqual({ handed: 'unknown', evidence: 'cut' });
  });

  test('M06 M07 holds for a person typing, a dialog, copy mode and a turn; each is left by an event', async () => {
    const agent = await launcher.ready(`${PASTE_ONLY}rules: [{ match: ask, do: [{ ask_approval: "May I?" }] }]\n`);
    await holds(agent, 'paste', 'ready');
    agent.pane.type('half a sen');
    await holds(agent, 'paste', 'draft_in_composer');
    const changed = new Promise<void>((resolve) => agent.attachment.onChange(resolve));
    agent.pane.type('\u0015');
    await changed;
    await holds(agent, 'paste', 'ready');
    agent.pane.inMode = true;
    await holds(agent, 'paste', 'pane_in_mode');
    agent.pane.inMode = false;
    agent.pane.type('ask\r');
    await holds(agent, 'paste', 'dialog_open');
    agent.pane.type('\r');
    await holds(agent, 'paste', 'ready');
  });
});

describe('what is seen of an agent', () => {
  const facts = (agent: Launched) => agent.attachment.facts().map(({ value, source }) => `${source} ${value}`);

  test('protocol, record and process, the strongest first; the protocol is silent when it is cut off', async () => {
    const agent = await launcher.ready(HANGS);
    await eventually('all three', () => facts(agent).join() === 'protocol idle,record idle,process unknown');
    await hand(agent, 'protocol', 'hang');
    await eventually('it works', () => facts(agent).join() === 'protocol working,record working,process unknown');
    agent.kill();
    await eventually('it is gone', () => facts(agent).join() === 'process exited');
  });

  test('an earlier life in the same record says nothing about this one', async () => {
    const first = await launcher.ready(HANGS);
    await hand(first, 'protocol', 'hang');
    await holds(first, 'protocol', 'working');
    await launcher.endAll();
    const { workspace, session } = first.request;
    const second = await launcher.launch('before_greeting: [{ hang: true }]', { workspace, session });
    await eventually('it has begun', () => facts(second).some((fact) => fact === 'record starting'));
    expect(second.attachment.greeted()).toBe(false);
    await holds(second, 'protocol', 'starting');
    await holds(second, 'paste', 'starting');
  });

  test('an agent that outlives its wrapper is alive', async () => {
    const agent = await launcher.ready();
    signalProcess(agent.pane.handle.process, 'SIGKILL');
    await eventually('the wrapper has ended', () => agent.pane.ended);
    expect(agent.attachment.liveness()).toBe('alive');
    const pid = Number(/"pid":(\d+)/.exec(fs.readFileSync(agent.handle.record, 'utf8'))?.[1]);
    let told = false;
    agent.attachment.onChange(() => {
      told ||= agent.attachment.liveness() === 'dead';
    });
    process.kill(pid, 'SIGKILL');
    await eventually('its end is told', () => told);
  });

  test('M11 calls that reached nobody are told, from a position on', async () => {
    const agent = await launcher.ready('rules: [{ do: [{ report: { summary: "{{body}}" } }] }]');
    await hand(agent, 'protocol', 'one');
    await eventually('the first is told', () => agent.attachment.missedCalls(0).length === 1);
    await holds(agent, 'protocol', 'ready');
    const position = agent.attachment.position();
    await hand(agent, 'protocol', 'two');
    const calls = await eventually('the second is told', () => {
      const missed = agent.attachment.missedCalls(position);
      return missed.length > 0 && missed;
    });
    expect(calls).toMatchObject([
      { tool: 'report_result', arguments: { status: 'success', summary: 'two' }, call: expect.any(String) },
    ]);
    expect(agent.attachment.missedCalls(0)).toHaveLength(2);
  });

  test('a connection that breaks while the agent lives is made again', async () => {
    const agent = await launcher.ready();
    await holds(agent, 'protocol', 'ready');
    const socket = agent.handle.socket ?? '';
    const cut = await channel(agent, 'protocol').hand(
      offerTo(agent, 'protocol'),
      'x'.repeat(9 * 1024 * 1024),
      'leader',
    );
    expect(cut.handed).not.toBe('not_taken');
    await eventually('the line that is too long has cut it', () => !facts(agent).join().includes('protocol'));
    expect(fs.existsSync(socket)).toBe(true);
    await holds(agent, 'protocol', 'ready');
  });
});

test('M03 an agent whose socket was removed has greeted all the same, and takes what is pasted', async () => {
  const agent = await launcher.ready();
  agent.attachment.close();
  fs.rmSync(agent.handle.socket ?? '');
  const again = scriptedProvider().attach(agent.handle, agent.request.incarnation, agent.terminals);
  const reborn = { ...agent, attachment: again };
  try {
    await eventually('the record is believed', () => again.greeted());
    await holds(reborn, 'protocol', 'channel_down');
    await holds(reborn, 'paste', 'ready');
    const offer = await hand(reborn, 'paste', 'hello');
    await settled(reborn, offer, 'taken');
  } finally {
    again.close();
  }
});
