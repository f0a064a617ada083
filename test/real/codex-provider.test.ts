import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isRefusal, mint, type Refusal, signalProcess } from '../../src/kernel/index.ts';
import { codex } from '../../src/providers/codex/index.ts';
import { viewOfHandle } from '../../src/providers/codex/launch.ts';
import { serverFiles } from '../../src/providers/codex/server/files.ts';
import { type ConformanceHarness, providerConformance } from '../../src/providers/conformance.ts';
import type { LaunchRequest } from '../../src/providers/shape.ts';
import { eventually } from '../support/eventually.ts';
import { type CodexLife, CodexStage, channelOf, hand, newOffer, render, settled, speakTo } from './codex-stage.ts';

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function stage(options: Parameters<typeof CodexStage.open>[0] = {}): Promise<CodexStage> {
  const opened = await CodexStage.open(options);
  closing.push(() => opened.close());
  return opened;
}

const turn = (life: CodexLife): string | undefined => life.attachment.facts()[0]?.value;
const evidence = (life: CodexLife): string => life.attachment.facts()[0]?.evidence ?? '';
/** By the word of its server and of its record: either may be a moment late to say that a turn has begun. */
const idle = (life: CodexLife): Promise<unknown> =>
  eventually(
    'it is idle',
    () =>
      turn(life) === 'idle' &&
      life.attachment.facts().every(({ source, value }) => source === 'process' || value === 'idle'),
  );

async function refused(world: CodexStage, more: Partial<LaunchRequest> = {}): Promise<Refusal> {
  const life = await world.launch(more);
  if (!isRefusal(life)) throw new Error('it was launched');
  return life;
}

describe('a launch', () => {
  test('an agent starts without a dialog, takes a message and is found again', async () => {
    const world = await stage();
    const before = world.config;
    const life = await world.ready();
    expect(world.config).toBe(before);
    expect(world.tools.saw('tools/list').map(({ token }) => token)).toEqual([
      `Bearer token-of-${life.request.incarnation}`,
    ]);
    expect(world.model.requests).toEqual([]);
    expect(turn(life)).toBe('idle');
    const offer = await hand(life, '[[say done]]');
    expect(await settled(life.attachment, offer, 'taken')).toMatchObject({ receipt: { file: life.handle.record } });
    await idle(life);
    life.attachment.close();
    const again = world.attach(life.handle, life.request);
    await eventually('it is found again', () => again.attachment.greeted());
    await settled(again.attachment, offer, 'taken');
    expect(again.incidents).toEqual([]);
    await eventually('the view shows it', async () => {
      const lines = life.handle.view ? await world.terminals.screen(life.handle.view) : undefined;
      return lines?.some((line) => line.includes('• done'));
    });
    expect(world.model.requests.at(-1)?.system).toContain('You are worker, an agent of the team a-team');
    const secret = `token-of-${life.request.incarnation}`;
    expect(JSON.stringify([life.plan, life.handle])).not.toContain(secret);
  });

  test('a folder that the configuration trusts needs no word; the configuration stays as it is', async () => {
    const world = await stage();
    world.home.trust(world.project);
    const before = world.config;
    const below = path.join(world.project, 'below');
    fs.mkdirSync(below);
    const life = await world.ready({ trusted: false, folder: below });
    await settled(life.attachment, await hand(life, 'hello'), 'taken');
    await idle(life);
    expect(world.config).toBe(before);
  });

  test('what cannot work is refused with its reason', async () => {
    const world = await stage();
    expect(await refused(world, { trusted: false })).toMatchObject({ reason: 'folder_not_trusted' });
    const { LAB_KEY: _, ...poor } = world.environment();
    expect(await refused(world, { environment: poor })).toMatchObject({ reason: 'provider_not_logged_in' });
    const elsewhere = { ...world.environment(), PATH: '/nowhere' };
    expect(await refused(world, { environment: elsewhere })).toMatchObject({ reason: 'provider_missing' });
    const good = world.config;
    fs.writeFileSync(world.configFile, `${good}\n[broken`);
    expect(await refused(world)).toMatchObject({ reason: 'provider_config_invalid' });
    fs.writeFileSync(world.configFile, `${good}\n[mcp_servers.team]\ncommand = "true"\n`);
    expect(await refused(world)).toMatchObject({ reason: 'provider_config_invalid' });
    fs.writeFileSync(world.configFile, good.replace('model_provider = "lab"', 'model_provider = "nowhere"'));
    expect(await refused(world)).toMatchObject({
      reason: 'launch_failed',
      message: expect.stringContaining('Model provider `nowhere` not found'),
    });
    fs.writeFileSync(world.configFile, `sandbox_mode = "nonsense"\n${good}`);
    const odd = await refused(world);
    expect(odd.message).toContain('nonsense');
  });

  test('an old Codex, and a machine without a login', async () => {
    const old = await stage({ codex: { version: 'codex-cli 0.120.0' } });
    expect(await refused(old)).toMatchObject({ reason: 'provider_version_unsupported' });
    const out = await stage({ loggedIn: false });
    expect(await refused(out)).toMatchObject({ reason: 'provider_not_logged_in' });
    fs.writeFileSync(out.configFile, `cli_auth_credentials_store = "auto"\n${out.config}`);
    expect(await refused(out)).toMatchObject({ reason: 'provider_not_logged_in', evidence: { why: /app-server/ } });
  });

  test('the team tools that cannot be reached are a refusal, not a silent agent', async () => {
    const world = await stage();
    await world.tools.close();
    const { message } = await refused(world);
    expect(message).toContain("could not reach the team's tools");
    await world.tools.listen();
  });

  test("team_only leaves the user's own tool servers out, inherit takes them along", async () => {
    const world = await stage();
    const own = `http://127.0.0.1:1/mcp`;
    fs.appendFileSync(world.configFile, `[mcp_servers.mine]\nurl = "${own}"\n[mcp_servers."a.b"]\ncommand = "true"\n`);
    fs.mkdirSync(path.join(world.project, '.codex'));
    fs.writeFileSync(path.join(world.project, '.codex', 'config.toml'), '[mcp_servers.ours]\ncommand = "true"\n');
    const alone = await world.ready({ mcp: 'team_only' });
    expect(await enabledServers(alone)).toEqual(['team']);
    const together = await world.ready();
    expect(await enabledServers(together)).toContain('mine');
  });
});

async function enabledServers({ handle }: CodexLife): Promise<readonly string[]> {
  const { call, close } = await speakTo(handle.socket ?? '');
  const { data } = await call('mcpServerStatus/list', { threadId: handle.session, detail: 'toolsAndAuthOnly' });
  close();
  const servers: readonly { name: string; runtimeStatus: string }[] = data;
  return servers.filter(({ runtimeStatus }) => runtimeStatus !== 'disabled').map(({ name }) => name);
}

describe('a delivery', () => {
  test('what never left, and what the server refused, is not taken', async () => {
    const world = await stage();
    const life = await world.ready();
    const channel = channelOf(life.attachment);
    const never = newOffer(life);
    expect(await channel.settle(never)).toMatchObject({ outcome: 'unknown' });
    expect(await settled(life.attachment, never, 'not_taken')).toMatchObject({ evidence: /neither/ });
    const large = newOffer(life);
    expect(await channel.hand(large, 'x'.repeat(1_100_000), 'leader')).toMatchObject({
      handed: 'not_taken',
      evidence: /exceed|too_large|length/i,
    });
    const taken = await hand(life, 'once');
    await settled(life.attachment, taken, 'taken');
    await idle(life);
    const later = { ...taken, number: 2, position: life.attachment.position() };
    await settled(life.attachment, later, 'not_taken');
  });

  test('what a stopped server holds is unknown until it goes on', async () => {
    const world = await stage();
    const life = await world.ready();
    const server = world.server(life);
    if (!server) throw new Error('there is no server');
    signalProcess(server, 'SIGSTOP');
    const offer = newOffer(life);
    const handed = channelOf(life.attachment).hand(offer, render(offer.delivery, 'late'), 'leader');
    const settling = channelOf(life.attachment).settle(offer);
    signalProcess(server, 'SIGCONT');
    expect(await handed).toEqual({ handed: 'written' });
    expect((await settling).outcome).not.toBe('not_taken');
    await settled(life.attachment, offer, 'taken');
  });

  test('after an interrupt the next message runs, and what waits in the closed queue is started', async () => {
    const world = await stage();
    const life = await world.ready();
    await settled(life.attachment, await hand(life, '[[hold 60000]]'), 'taken');
    await eventually('it works', () => turn(life) === 'working');
    const { view } = life.handle;
    if (!view) throw new Error('there is no view');
    // Before that Escape means nothing to it.
    const showsTurn = () =>
      eventually('the view shows the turn', async () =>
        (await world.terminals.screen(view))?.some((line) => line.includes('esc to interrupt')),
      );
    await showsTurn();
    await world.terminals.keys(view, ['Escape']);
    await eventually('it was interrupted', () => turn(life) === 'interrupted');
    const { call, close } = await speakTo(life.handle.socket ?? '');
    const offer = newOffer(life);
    const text = render(offer.delivery, '[[say after]]');
    await call('thread/queue/add', {
      threadId: life.handle.session,
      clientUserMessageId: offer.delivery,
      input: [{ type: 'text', text, text_elements: [] }],
    });
    close();
    await settled(life.attachment, offer, 'taken');
    await idle(life);
    await settled(life.attachment, await hand(life, '[[hold 60000]]'), 'taken');
    await showsTurn();
    await world.terminals.keys(view, ['Escape']);
    await eventually('it was interrupted again', () => turn(life) === 'interrupted');
    await settled(life.attachment, await hand(life, '[[say again]]'), 'taken');
    await idle(life);
  });

  test('a server that is killed in a turn comes back: the turn is lost, what waits runs once', async () => {
    const world = await stage();
    const life = await world.ready({ permission: 'plan' });
    const first = await hand(life, '[[hold 60000]] [[say never]]');
    await settled(life.attachment, first, 'taken');
    const second = newOffer(life);
    const channel = channelOf(life.attachment);
    await eventually('it works', async () => JSON.stringify(await channel.state()).includes('working'));
    await channel.hand(second, render(second.delivery, 'the second one [[say ok]]'), 'leader');
    expect(await channel.settle(second)).toMatchObject({ outcome: 'unknown' });
    await world.killServer(life);
    await settled(life.attachment, second, 'taken');
    await eventually('two incidents', () => life.incidents.length >= 2);
    expect(life.incidents.map(({ kind }) => kind).sort()).toEqual(['server_restarted', 'turn_lost']);
    await idle(life);
    expect(world.model.requests.filter(({ prompt }) => prompt.includes('second')).length).toBe(1);
    const { call, close } = await speakTo(life.handle.socket ?? '');
    const { approvalPolicy, sandbox } = await call('thread/resume', {
      threadId: life.handle.session,
      excludeTurns: true,
    });
    close();
    expect([approvalPolicy, sandbox]).toMatchObject(['on-request', { type: 'readOnly' }]);
  });

  test('a server that is killed before any turn, while nobody looks, has the settings of its agent afterwards', async () => {
    const world = await stage();
    const life = await world.ready({ permission: 'plan' });
    life.attachment.close();
    await world.killServer(life);
    await eventually('another server runs', () => world.server(life));
    const again = world.attach(life.handle, life.request);
    await eventually('it is found again', () => again.attachment.greeted());
    expect(again.incidents.map(({ kind }) => kind)).toEqual(['server_restarted']);
    const offer = await hand({ ...life, ...again }, '[[shell touch file]] [[say tried]]');
    await settled(again.attachment, offer, 'taken');
    await eventually('the model has answered', () => world.model.requests.at(-1)?.results.length === 1);
    expect(world.model.requests.at(-1)?.system).toContain('You are worker, an agent of the team a-team');
    expect(fs.existsSync(path.join(world.project, 'file'))).toBe(false);
  });

  test('whenever the server is killed around an offer, the message is in its record exactly once', async () => {
    const world = await stage();
    const seen: string[] = [];
    const lives: CodexLife[] = [];
    for (const wait of [0, 4, 8, 12, 16, 20, 25, 30, 40]) {
      // A server comes back three times in ten minutes, so each life is killed three times.
      const life = seen.length % 3 === 0 ? await world.ready() : lives.at(-1);
      if (!life) throw new Error('there is no life');
      lives.push(life);
      const channel = channelOf(life.attachment);
      const delivery = mint.delivery();
      const said: string[] = [];
      let outcome = 'no offer';
      for (let number = 1; outcome !== 'taken' && number <= 3; number++) {
        await eventually('ready', async () => (await channel.state()) === 'ready');
        const offer = { ...newOffer(life, 'protocol', delivery), number };
        const handed = channel.hand(offer, render(delivery, `kill after ${wait} [[say ok]]`), 'leader');
        if (number === 1) {
          await pause(wait);
          await world.killServer(life);
        }
        const how = await handed;
        outcome =
          how.handed === 'not_taken'
            ? 'not_taken'
            : await eventually('the offer is settled', async () => {
                const settlement = await channel.settle(offer);
                return settlement.outcome !== 'unknown' && settlement.outcome;
              });
        said.push(`${how.handed}/${outcome}`);
      }
      seen.push(`${wait}: ${said.join(' ')}`);
      expect(outcome).toBe('taken');
      await eventually('it rests', () => ['idle', 'interrupted'].includes(turn(life) ?? ''));
      const record = fs.readFileSync(life.handle.record, 'utf8').split('\n');
      const having = (word: string) => record.filter((line) => line.includes(word) && line.includes(delivery));
      expect(having('"role":"user"')).toHaveLength(1);
      expect(having('"UserMessage"').length).toBeLessThanOrEqual(1);
    }
    console.log(seen.join('\n'));
  });

  test('thirty messages in a row are each taken once', async () => {
    const world = await stage();
    const life = await world.ready();
    const took: number[] = [];
    for (let count = 0; count < 30; count++) {
      await eventually('ready', async () => (await channelOf(life.attachment).state()) === 'ready');
      const began = performance.now();
      const offer = newOffer(life);
      await channelOf(life.attachment).hand(offer, render(offer.delivery, `message ${count} [[say ok]]`), 'leader');
      await settled(life.attachment, offer, 'taken');
      took.push(performance.now() - began);
    }
    await idle(life);
    took.sort((a, b) => a - b);
    console.log(`handed to receipt, ms: median ${took[15]?.toFixed(0)}, 95th ${took[28]?.toFixed(0)}`);
    const prompts = world.model.requests.map(({ prompt }) => prompt);
    expect(new Set(prompts).size).toBe(30);
    expect(prompts.length).toBe(30);
  });
});

describe('a turn that fails', () => {
  test.each([
    ['[[error 401 always]]', /401 http_connection_failed/],
    ['[[error 429 always]]', /429 response_too_many_failed_attempts/],
    ['[[error 500 always]]', /500 internal_server_error/],
    ['[[error 400 always]]', /bad_request|other/],
    ['[[cut always]] some words', /cut/],
  ])('%s is told with its kind, and the next message runs', async (directive, kind) => {
    const world = await stage();
    const life = await world.ready();
    await settled(life.attachment, await hand(life, directive), 'taken');
    await eventually('the failure is known', () => turn(life) === 'provider_error' && /failed: /.test(evidence(life)));
    expect(evidence(life)).toMatch(kind);
    const again = world.attach(life.handle, life.request);
    await eventually('found again', () => again.attachment.greeted());
    await eventually('found again with its kind', () => {
      const [fact] = again.attachment.facts();
      return fact?.source === 'protocol' && fact.value === 'provider_error' && kind.test(fact.evidence ?? '');
    });
    await settled(life.attachment, await hand(life, '[[say fine]]'), 'taken');
    await idle(life);
  });
});

describe('an approval', () => {
  async function asked(world: CodexStage, life: CodexLife, file: string) {
    const target = path.join(world.home.path, file);
    await settled(life.attachment, await hand(life, `[[escalate touch ${target}]] [[say end]]`), 'taken');
    const [approval] = await eventually(
      'it asks',
      () => life.attachment.approvals().length > 0 && life.attachment.approvals(),
    );
    if (!approval) throw new Error('nothing is asked');
    return { approval, target };
  }

  test('is known after a restart of the coordinator, and is approved or denied by its protocol', async () => {
    const world = await stage();
    const life = await world.ready();
    const { approval, target } = await asked(world, life, 'one');
    expect(approval).toMatchObject({
      id: expect.stringMatching(/^ap_[0-9a-f]{12}$/),
      kind: 'command',
      answerable: true,
    });
    expect(approval.text).toContain(`touch ${target}`);
    expect(turn(life)).toBe('waiting_approval');
    for (const channel of life.attachment.channels())
      expect(await channel.state()).toMatchObject({ hold: 'dialog_open' });
    life.attachment.close();
    const again = { ...life, ...world.attach(life.handle, life.request) };
    await eventually('it is found again', () => again.attachment.greeted());
    expect(again.attachment.approvals()).toEqual([approval]);
    expect(await again.attachment.decide(approval.id, { decision: 'approve', scope: 'once' })).toBe('taken');
    await eventually('the file is there', () => fs.existsSync(target));
    await idle(again);
    expect(again.attachment.approvals()).toEqual([]);
    expect(await again.attachment.decide(approval.id, { decision: 'deny' })).toHaveProperty('not_taken');
    const second = await asked(world, again, 'two');
    expect(await again.attachment.decide(second.approval.id, { decision: 'deny', message: 'no' })).toBe('taken');
    await idle(again);
    expect(fs.existsSync(second.target)).toBe(false);
  });

  test('for the session is asked once', async () => {
    const world = await stage();
    const life = await world.ready();
    const { approval, target } = await asked(world, life, 'three');
    await life.attachment.decide(approval.id, { decision: 'approve', scope: 'session' });
    await idle(life);
    fs.rmSync(target);
    await settled(life.attachment, await hand(life, `[[escalate touch ${target}]] [[say end]]`), 'taken');
    await eventually('the file is there again', () => fs.existsSync(target));
    await idle(life);
  });

  test('that its terminal answers is closed here too', async () => {
    const world = await stage();
    const life = await world.ready();
    await asked(world, life, 'four');
    const { view } = life.handle;
    if (!view) throw new Error('there is no view');
    await eventually('the view asks', async () =>
      (await world.terminals.screen(view))?.some((line) => line.includes('Yes, proceed')),
    );
    await eventually('its answer counts', async () => {
      await world.terminals.keys(view, ['Escape']);
      return life.attachment.approvals().length === 0;
    }).catch(async (error) => {
      console.log((await world.terminals.screen(view))?.join('\n'), life.attachment.facts());
      throw error;
    });
  });
});

test('a report that reached nobody is in its record, under the id that the call would have had', async () => {
  const world = await stage();
  const life = await world.ready();
  const before = life.attachment.position();
  world.tools.calls = 'cut';
  await settled(life.attachment, await hand(life, '[[team report_result {"summary":"one"}]]'), 'taken');
  const [cut] = await eventually('a missed call', () => {
    const calls = life.attachment.missedCalls(before);
    return calls.length > 0 && calls;
  });
  const [heard] = world.tools.saw('tools/call');
  expect(cut).toMatchObject({ tool: 'report_result', arguments: { summary: 'one' } });
  expect(heard?.params._meta).toMatchObject({ callId: cut?.call });
  await idle(life);
  await world.tools.close();
  const after = life.attachment.position();
  await settled(life.attachment, await hand(life, '[[team send_message {"to":"leader","content":"two"}]]'), 'taken');
  await eventually('another missed call', () => life.attachment.missedCalls(after).length === 1);
  await world.tools.listen();
  world.tools.calls = 'answered';
  await idle(life);
  const last = life.attachment.position();
  await settled(life.attachment, await hand(life, '[[team report_result {"summary":"three"}]]'), 'taken');
  await idle(life);
  expect(life.attachment.missedCalls(last)).toEqual([]);
});

test('a life that is killed leaves nothing behind', async () => {
  const world = await stage();
  const life = await world.ready();
  const socket = life.handle.socket ?? '';
  expect(serverFiles(socket).map((file) => fs.existsSync(file))).toEqual([true, true]);
  const server = world.server(life);
  signalProcess(life.handle.process, 'SIGKILL');
  if (server) signalProcess(server, 'SIGKILL');
  await eventually('its end is told', () => turn(life) === 'exited');
  await eventually('nothing is left', () => [socket, ...serverFiles(socket)].every((file) => !fs.existsSync(file)));
  const offer = newOffer(life);
  expect(await channelOf(life.attachment).state()).toMatchObject({ hold: 'channel_down' });
  expect((await channelOf(life.attachment).settle(offer)).outcome).toBe('unknown');
});

test('its view may close and be shown again, and another conversation in it is told', async () => {
  const world = await stage();
  const life = await world.ready();
  const { view, pane } = life.handle;
  if (!view || !pane) throw new Error('there is no view');
  await world.terminals.close(view);
  await settled(life.attachment, await hand(life, '[[say seen]]'), 'taken');
  await idle(life);
  const program = viewOfHandle(life.handle, life.request.environment);
  if (!program) throw new Error('nothing shows it');
  const again = await world.show(life.request, program);
  await eventually('it is shown', async () =>
    (await world.terminals.screen(again))?.some((line) => line.includes('• seen')),
  );
  await world.terminals.keys(again, ['/', 'n', 'e', 'w']);
  await eventually('the command is typed', async () =>
    (await world.terminals.screen(again))?.some((line) => line.includes('› /new')),
  );
  await world.terminals.keys(again, ['Enter']);
  await eventually('it is told', () => life.incidents.some(({ kind }) => kind === 'session_changed'));
  await settled(life.attachment, await hand(life, '[[say still here]]'), 'taken');
  await idle(life);
});

describe('a leader', () => {
  test('starts in its own terminal with its first message, and takes mail', async () => {
    const world = await stage();
    const life = await world.lead(['-m', 'another-model', '-s', 'read-only', '[[say hello]]']);
    await eventually('its first message ran', () => world.model.requests.at(-1)?.outcome === 'answered');
    expect(world.model.requests.map(({ prompt, model }) => [prompt, model])).toEqual([
      ['[[say hello]]', 'another-model'],
    ]);
    expect(world.model.requests[0]?.system).toContain('You lead a team.');
    await idle(life);
    await settled(life.attachment, await hand(life, 'from a worker [[say read]]'), 'taken');
    await idle(life);
    expect(world.tools.saw('tools/list').map(({ token }) => token)).toEqual([
      `Bearer token-of-${life.request.incarnation}`,
    ]);
    const again = await world.lead(['resume', life.handle.session, '[[say back]]'], life);
    expect(again.handle.session).toBe(life.handle.session);
    await eventually('it goes on', () => world.model.requests.at(-1)?.prompt === '[[say back]]');
    expect(world.model.requests.at(-1)?.history.length).toBeGreaterThan(3);
  });
});

describe('N08 the conformance suite', () => {
  let world: CodexStage;
  const harness: ConformanceHarness = {
    provider: codex,
    request: () => world.request(),
    impossible: () => world.request({ trusted: false }),
    launch: async (situation, more) => {
      const life = await world.ready(more);
      const { view, pane } = life.handle;
      if (!view || !pane) throw new Error('there is no view');
      await eventually('the view is drawn', async () =>
        (await world.terminals.screen(view))?.some((line) => line.includes('Ask Codex')),
      );
      if (situation === 'dialog') {
        await settled(life.attachment, await hand(life, '[[escalate true]]'), 'taken');
        await eventually('it asks', () => life.attachment.approvals().length > 0);
        await eventually('the view asks', async () =>
          (await world.terminals.screen(view))?.some((line) => line.includes('Yes, proceed')),
        );
      }
      if (situation === 'draft') await world.terminals.keys(view, ['h', 'e', 'y']);
      const kill = () => {
        const server = world.server(life);
        signalProcess(life.handle.process, 'SIGKILL');
        if (server) signalProcess(server, 'SIGKILL');
      };
      return { ...life, handle: { ...life.handle, pane }, terminals: world.terminals, kill };
    },
    render,
    until: (what, condition) => eventually(what, condition).then(() => undefined),
  };
  beforeEach(async () => {
    world = await stage();
  });
  for (const { name, run } of providerConformance(harness)) test(name, run);
});
