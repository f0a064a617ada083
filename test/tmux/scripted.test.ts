import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { isRefusal, mint } from '../../src/kernel/index.ts';
import { type LiveAgent, providerConformance } from '../../src/providers/conformance.ts';
import type { Channel, ChannelName, LaunchRequest } from '../../src/providers/index.ts';
import { openTerminals, type Terminals } from '../../src/tmux/index.ts';
import { Launcher, render, scriptedHarness, scriptedProvider } from '../rules/scripted-harness.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';

const launcher = new Launcher();

/** A private tmux server with scripted agents in it. */
class World {
  readonly socket: string;
  readonly terminals: Terminals;
  readonly #agents: LiveAgent[] = [];

  constructor() {
    const folder = freshFolder('tmux');
    const log = { info: () => undefined, warn: () => undefined };
    this.socket = path.join(folder, 's');
    this.terminals = openTerminals({
      socket: this.socket,
      folder: path.join(folder, 'paste'),
      environment: process.env,
      log,
    });
  }

  async launch(script?: string, more: Partial<LaunchRequest> = {}): Promise<LiveAgent> {
    const base = launcher.request(more);
    const file = path.join(base.workspace, 'script.yaml');
    if (script !== undefined) fs.writeFileSync(file, script);
    const request: LaunchRequest = script === undefined ? base : { ...base, script: file };
    const installation = await scriptedProvider().inspect(request);
    if (isRefusal(installation)) throw new Error(installation.message);
    const plan = scriptedProvider().plan(request, installation);
    if (isRefusal(plan)) throw new Error(plan.message);
    fs.writeFileSync(path.join(request.runFolder, 'token'), 'secret-token', { mode: 0o600 });
    const { incarnation, folder } = request;
    const { argv, environment } = plan;
    const pane = await this.terminals.open({
      session: 'demo',
      window: 'writer',
      incarnation,
      folder,
      environment,
      argv,
    });
    if (isRefusal(pane)) throw new Error(JSON.stringify(pane));
    const exitFile = path.join(request.runFolder, 'exit');
    const socket = plan.socket === undefined ? {} : { socket: plan.socket };
    const { terminals } = this;
    const { signal } = new AbortController();
    const told = await scriptedProvider().introduce({ request, installation, plan, pane, terminals, signal });
    if (isRefusal(told)) throw new Error(told.message);
    const { session, record, details } = told;
    const handle = { process: pane.process, pane, session, record, details, exitFile, ...socket };
    const attachment = scriptedProvider().attach(handle, incarnation, this.terminals);
    const kill = (): void => void process.kill(-pane.process.pid, 'SIGKILL');
    const agent = { handle, attachment, request, terminals: this.terminals, kill };
    this.#agents.push(agent);
    return agent;
  }

  async ready(script?: string): Promise<LiveAgent> {
    const agent = await this.launch(script);
    await eventually('the agent greets', () => agent.attachment.greeted());
    return agent;
  }

  tmux(...argv: string[]): string {
    return execFileSync('tmux', ['-S', this.socket, ...argv], { encoding: 'utf8' });
  }

  async end(): Promise<void> {
    for (const { attachment } of this.#agents) attachment.close();
    for (const pane of (await this.terminals.panes()) ?? []) await this.terminals.close(pane);
    await this.terminals.detach();
    await eventually(
      'the server has ended',
      () => spawnSync('tmux', ['-S', this.socket, 'list-sessions']).status !== 0,
    );
  }
}

let world: World | undefined;
const theWorld = (): World => {
  world ??= new World();
  return world;
};
afterEach(async () => {
  await world?.end();
  world = undefined;
});

function channel({ attachment }: LiveAgent, name: ChannelName): Channel {
  const found = attachment.channels().find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no channel ${name}`);
  return found;
}

async function holds(agent: LiveAgent, name: ChannelName, expected: string): Promise<void> {
  await eventually(`${name} is ${expected}`, async () => {
    const state = await channel(agent, name).state();
    return (state === 'ready' ? 'ready' : state.hold) === expected;
  });
}

describe('N08 the scripted provider passes the conformance suite of providers in a real terminal', () => {
  const scripts = {
    plain: undefined,
    dialog: 'on_start: [{ show_dialog: "May I?" }]',
    draft: 'on_start: [{ draft: half a sentence }]',
  };
  const harness = {
    ...scriptedHarness(launcher),
    launch: async (situation: keyof typeof scripts, more?: Partial<LaunchRequest>) =>
      theWorld().launch(scripts[situation], more),
  };
  for (const check of providerConformance(harness)) test(check.name, () => check.run());
});

test('E01 a message of many lines is pasted into a pane of 20 columns, and taken once, whole', async () => {
  const agent = await theWorld().ready('channel: paste\n');
  theWorld().tmux('resize-window', '-t', agent.handle.pane.pane, '-x', '20', '-y', '6');
  await holds(agent, 'paste', 'ready');
  const body = Array.from({ length: 400 }, (_, line) => `line ${line}: äöü 漢字 \ttab "quoted" $HOME \\n`).join('\n');
  const { incarnation } = agent.request;
  const offer = {
    delivery: mint.delivery(),
    number: 1,
    channel: 'paste' as const,
    incarnation,
    position: agent.attachment.position(),
  };
  const text = render(offer.delivery, body);
  expect(await channel(agent, 'paste').hand(offer, text, 'leader')).toEqual({ handed: 'written' });
  await eventually('it is taken', async () => (await channel(agent, 'paste').settle(offer)).outcome === 'taken');
  const inputs = fs
    .readFileSync(agent.handle.record, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"type":"user"'));
  expect(inputs.map((line) => JSON.parse(line).text)).toEqual([text]);
  await holds(agent, 'paste', 'ready');
  for (const line of (await theWorld().terminals.screen(agent.handle.pane)) ?? [])
    expect(line.length).toBeLessThanOrEqual(20);
});

test('M06 M07 paste holds for a draft, an approval and copy mode, and none of them is touched', async () => {
  const agent = await theWorld().ready(
    'rules: [{ match: ask, do: [{ ask_approval: "May I?" }, { say: "{{answer}}" }] }]\n',
  );
  const { pane } = agent.handle.pane;
  await holds(agent, 'paste', 'ready');
  theWorld().tmux('copy-mode', '-t', pane);
  await holds(agent, 'paste', 'pane_in_mode');
  theWorld().tmux('send-keys', '-t', pane, '-X', 'cancel');
  theWorld().tmux('send-keys', '-t', pane, '-l', 'ask');
  await holds(agent, 'paste', 'draft_in_composer');
  await holds(agent, 'protocol', 'ready');
  theWorld().tmux('send-keys', '-t', pane, 'Enter');
  await holds(agent, 'paste', 'dialog_open');
  await holds(agent, 'protocol', 'dialog_open');
  theWorld().tmux('send-keys', '-t', pane, 'n');
  await holds(agent, 'paste', 'ready');
  expect(fs.readFileSync(agent.handle.record, 'utf8')).toContain('"text":"denied"');
});

test('a pane that is closed under an agent is its end, with a last word in the record', async () => {
  const agent = await theWorld().ready();
  let told = false;
  agent.attachment.onChange(() => {
    told ||= agent.attachment.liveness() === 'dead';
  });
  expect(await theWorld().terminals.close(agent.handle.pane)).toBe(true);
  await eventually('its end is told', () => told);
  expect(fs.readFileSync(agent.handle.record, 'utf8')).toMatch(/\{"type":"exit","code":129,"at":\d+\}\n$/);
});
