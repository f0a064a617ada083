import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {
  type AgentId,
  agentWrapper,
  childEnvironment,
  type DeliveryId,
  isRefusal,
  mint,
  type ProcessIdentity,
  probeProcess,
  type Refusal,
  sessionMembers,
  signalProcess,
} from '../../src/kernel/index.ts';
import { codex } from '../../src/providers/codex/index.ts';
import { Connection, type Parameters } from '../../src/providers/codex/server/connection.ts';
import { removeServerFiles } from '../../src/providers/codex/server/files.ts';
import { configuredVariables, readConfig } from '../../src/providers/codex/settings/config.ts';
import type {
  AgentHandle,
  Attachment,
  Channel,
  ChannelName,
  Incident,
  LaunchPlan,
  LaunchRequest,
  LeaderRequest,
  Offer,
  Program,
  Settlement,
} from '../../src/providers/shape.ts';
import { openTerminals, type PaneHandle, type Terminals } from '../../src/tmux/index.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';
import { type HomeOptions, PrivateHome } from './world/home.ts';
import { OpenAiModel } from './world/openai-model.ts';

/** What the team's server was asked, in its order. */
export interface Asked {
  readonly method: string;
  readonly token: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** The team's MCP server, as far as an agent needs one. */
export class TeamTools {
  readonly asked: Asked[] = [];
  /** What becomes of a tool call: it is answered, or cut off without a word. */
  calls: 'answered' | 'cut' = 'answered';
  readonly #server: http.Server;
  #port = 0;

  private constructor() {
    this.#server = http.createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<TeamTools> {
    const tools = new TeamTools();
    await tools.listen();
    return tools;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/mcp`;
  }

  /** On the same port as before. */
  listen(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.listen(this.#port, '127.0.0.1', () => {
        const address = this.#server.address();
        if (typeof address === 'object' && address) this.#port = address.port;
        resolve();
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  saw(method: string): readonly Asked[] {
    return this.asked.filter((asked) => asked.method === method);
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    if (request.method !== 'POST') {
      response.writeHead(405).end();
      return;
    }
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const { id, method, params = {} } = JSON.parse(Buffer.concat(pieces).toString('utf8'));
    this.asked.push({ method, params, token: request.headers.authorization ?? '' });
    if (id === undefined) {
      response.writeHead(202).end();
      return;
    }
    if (method === 'tools/call' && this.calls === 'cut') {
      response.destroy();
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: resultOf(method, params) }));
  }
}

function resultOf(method: string, params: Record<string, unknown>): object {
  const tool = (name: string) => ({ name, description: name, inputSchema: { type: 'object' } });
  if (method === 'tools/list') return { tools: [tool('report_result'), tool('send_message')] };
  if (method === 'tools/call') return { content: [{ type: 'text', text: 'stored' }] };
  if (method !== 'initialize') return {};
  return {
    protocolVersion: params.protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'team', version: '1' },
  };
}

export interface CodexLife {
  readonly request: LaunchRequest;
  readonly plan: LaunchPlan;
  readonly handle: AgentHandle;
  readonly attachment: Attachment;
  readonly incidents: Incident[];
  /** From the opening of the pane to the introduction, ms. */
  readonly introduced: number;
}

/** Everything that a real Codex needs to be an agent: a home, a model, the team's tools, a private tmux server. */
export class CodexStage {
  readonly home: PrivateHome;
  readonly model: OpenAiModel;
  readonly tools: TeamTools;
  readonly terminals: Terminals;
  readonly project: string;
  readonly #sockets: string;
  readonly #attached: Attachment[] = [];
  readonly #listening: string[] = [];

  private constructor(home: PrivateHome, model: OpenAiModel, tools: TeamTools, terminals: Terminals, sockets: string) {
    this.home = home;
    this.model = model;
    this.tools = tools;
    this.terminals = terminals;
    this.project = home.project();
    this.#sockets = sockets;
  }

  static async open(options: Partial<HomeOptions> = {}): Promise<CodexStage> {
    const [model, tools] = await Promise.all([OpenAiModel.start(), TeamTools.start()]);
    const home = new PrivateHome({ anthropic: model.url, openai: model.url, codexRetries: 1, ...options });
    const sockets = freshFolder('s');
    const terminals = openTerminals({
      socket: path.join(sockets, 'tmux'),
      folder: freshFolder('paste'),
      environment: { ...process.env, ...home.environment },
      log: { info: () => undefined, warn: () => undefined },
    });
    return new CodexStage(home, model, tools, terminals, sockets);
  }

  get configFile(): string {
    return path.join(this.home.codex, 'config.toml');
  }

  get config(): string {
    return fs.readFileSync(this.configFile, 'utf8');
  }

  environment(): Readonly<Record<string, string>> {
    const all = { ...process.env, ...this.home.environment };
    const own = childEnvironment(all, codex.variables);
    const config = readConfig(own);
    return isRefusal(config) ? own : childEnvironment(all, [...codex.variables, ...configuredVariables(config)]);
  }

  request(more: Partial<LaunchRequest> = {}): LaunchRequest {
    const incarnation = mint.incarnation();
    return {
      agent: 'worker' as AgentId,
      team: 'a-team',
      incarnation,
      session: mint.session(),
      role: 'developer',
      prompt: 'Build what you are asked for.',
      workspace: this.project,
      folder: this.project,
      tools: ['fs_read', 'fs_write', 'execute_bash'],
      permission: 'manual',
      trusted: true,
      mcp: 'inherit',
      runFolder: path.join(this.#sockets, 'run', incarnation),
      socketFolder: this.#sockets,
      mcpUrl: this.tools.url,
      hooksUrl: 'http://127.0.0.1:1/hooks',
      environment: this.environment(),
      ...more,
    };
  }

  /** As the product launches: inspect, plan, write, open the pane, introduce, open the view, attach. */
  async launch(more: Partial<LaunchRequest> = {}): Promise<CodexLife | Refusal> {
    const request = this.request(more);
    const installation = await codex.inspect(request);
    if (isRefusal(installation)) return installation;
    const plan = codex.plan(request, installation);
    if (isRefusal(plan)) return plan;
    this.#write(request, plan.files);
    if (plan.socket !== undefined) this.#listening.push(plan.socket);
    const began = performance.now();
    const pane = await this.#pane(request, request.incarnation, plan);
    const gone = new AbortController();
    const forget = this.terminals.onGone((incarnation) => incarnation === request.incarnation && gone.abort());
    const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(30_000)]);
    const told = await codex.introduce({ request, installation, plan, pane, terminals: this.terminals, signal });
    forget();
    const introduced = performance.now() - began;
    if (isRefusal(told)) {
      await this.terminals.close(pane);
      return told;
    }
    const view = told.view && (await this.#pane(request, `${request.incarnation}-view`, told.view));
    const handle: AgentHandle = {
      process: pane.process,
      pane,
      ...(view ? { view } : {}),
      session: told.session,
      record: told.record,
      ...(plan.socket === undefined ? {} : { socket: plan.socket }),
      exitFile: path.join(request.runFolder, 'exit'),
      details: { ...installation.details, ...told.details, version: installation.version },
    };
    return { request, plan, handle, introduced, ...this.attach(handle, request) };
  }

  /** As the launcher leads: plan, server, prepare, the person's terminal, introduce, attach. `before` ends first. */
  async lead(args: readonly string[], before?: CodexLife): Promise<CodexLife> {
    if (before) {
      before.attachment.close();
      for (const pane of (await this.terminals.panes()) ?? []) await this.#end(pane);
    }
    const request = this.request();
    const asked: LeaderRequest = { ...request, args, instructions: 'You lead a team.' };
    const leading = codex.leading;
    const installation = await codex.inspect(request);
    if (!leading?.prepare || isRefusal(installation)) throw new Error('it cannot lead');
    const plan = leading.plan(asked, installation);
    if (isRefusal(plan) || !plan.server) throw new Error(JSON.stringify(plan));
    this.#listening.push(plan.socket);
    this.#write(request, plan.files);
    const run = (name: string) => path.join(request.runFolder, name);
    const argv = [agentWrapper, run('token'), run('exit'), ...plan.server.argv];
    const server = await this.#pane(request, request.incarnation, { argv, environment: plan.server.environment });
    const signal = AbortSignal.timeout(30_000);
    const prepared = await leading.prepare(asked, plan, signal);
    if (isRefusal(prepared)) throw new Error(prepared.message);
    const view = await this.#pane(request, `${request.incarnation}-view`, {
      argv: prepared.terminal.argv,
      environment: { ...request.environment, ...prepared.terminal.environment },
    });
    const told = await leading.introduce(plan, view.process, signal);
    if (isRefusal(told)) throw new Error(told.message);
    const handle: AgentHandle = {
      process: view.process,
      pane: server,
      view,
      session: told.session,
      record: told.record,
      socket: plan.socket,
      details: { ...installation.details, ...told.details },
    };
    const launch: LaunchPlan = { argv, environment: plan.server.environment, files: plan.files, socket: plan.socket };
    return { request, plan: launch, handle, introduced: 0, ...this.attach(handle, request) };
  }

  /** Opens what shows a life, once more. */
  show(request: LaunchRequest, program: Program): Promise<PaneHandle> {
    return this.#pane(request, `${request.incarnation}-view`, program);
  }

  #write(request: LaunchRequest, files: LaunchPlan['files']): void {
    fs.mkdirSync(request.runFolder, { recursive: true, mode: 0o700 });
    fs.writeFileSync(path.join(request.runFolder, 'token'), `token-of-${request.incarnation}\n`, { mode: 0o600 });
    for (const file of files) fs.writeFileSync(file.path, file.content, { mode: 0o600 });
  }

  async #pane({ folder }: LaunchRequest, incarnation: string, { argv, environment }: Program): Promise<PaneHandle> {
    const window = incarnation.endsWith('-view') ? 'worker' : 'worker-server';
    const pane = await this.terminals.open({ session: 'a-team', window, incarnation, folder, environment, argv });
    if (isRefusal(pane)) throw new Error(pane.message);
    return pane;
  }

  attach(handle: AgentHandle, { incarnation }: LaunchRequest): { attachment: Attachment; incidents: Incident[] } {
    const stored: AgentHandle = JSON.parse(JSON.stringify(handle));
    const attachment = codex.attach(stored, incarnation, this.terminals);
    const incidents: Incident[] = [];
    attachment.onIncident((incident) => incidents.push(incident));
    this.#attached.push(attachment);
    return { attachment, incidents };
  }

  /** Launches an agent that takes input. */
  async ready(more: Partial<LaunchRequest> = {}): Promise<CodexLife> {
    const life = await this.launch(more);
    if (isRefusal(life)) throw new Error(`${life.reason}: ${life.message}`);
    await eventually('the agent greets', () => life.attachment.greeted());
    return life;
  }

  /** The app-server of a life: the one process in its terminal beside the wrapper that listens. */
  server({ handle }: Pick<CodexLife, 'handle'>): ProcessIdentity | undefined {
    return sessionMembers(handle.process.pid).find(
      ({ pid }) => pid !== handle.process.pid && commandOf(pid).includes('app-server'),
    );
  }

  async killServer(life: Pick<CodexLife, 'handle'>): Promise<void> {
    const server = await eventually('the server runs', () => this.server(life));
    signalProcess(server, 'SIGKILL');
    await eventually('the server is gone', () => this.server(life)?.pid !== server.pid);
  }

  async close(): Promise<void> {
    for (const attachment of this.#attached) attachment.close();
    const panes = (await this.terminals.panes()) ?? [];
    const views = panes.filter(({ incarnation }) => incarnation.endsWith('-view'));
    const others = panes.filter((pane) => !views.includes(pane));
    for (const pane of [...views, ...others]) await this.#end(pane);
    for (const socket of this.#listening) removeServerFiles(socket);
    await this.terminals.closeSession('a-team');
    await this.terminals.detach();
    await this.tools.close();
    await this.model.close();
    this.home.remove();
  }

  /** A pane and everything in it. */
  async #end(pane: PaneHandle): Promise<void> {
    const members = sessionMembers(pane.process.pid);
    await this.terminals.close(pane);
    const gone = () => members.every((member) => probeProcess(member) === 'dead');
    await eventually('its processes end', gone, 3_000).catch(() => {
      for (const member of members) signalProcess(member, 'SIGKILL');
    });
  }
}

function commandOf(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

export function newOffer(
  life: CodexLife,
  channel: ChannelName = 'protocol',
  delivery: DeliveryId = mint.delivery(),
): Offer {
  const { attachment, request } = life;
  return { delivery, number: 1, channel, incarnation: request.incarnation, position: attachment.position() };
}

export function render(delivery: string, body: string): string {
  return `[team message ${delivery} from leader (leader) expects result]\n--- 0a1b2c3d\n${body}\n--- 0a1b2c3d end`;
}

export function channelOf(attachment: Attachment, name: ChannelName = 'protocol'): Channel {
  const channel = attachment.channels().find((candidate) => candidate.name === name);
  if (!channel) throw new Error(`there is no channel ${name}`);
  return channel;
}

/** Hands a message over and returns its offer. */
export async function hand(life: CodexLife, body: string): Promise<Offer> {
  const channel = channelOf(life.attachment);
  await eventually('the channel is ready', async () => (await channel.state()) === 'ready');
  const offer = newOffer(life);
  const handed = await channel.hand(offer, render(offer.delivery, body), 'leader');
  if (handed.handed !== 'written') throw new Error(`it was not handed over: ${JSON.stringify(handed)}`);
  return offer;
}

export async function settled(
  attachment: Attachment,
  offer: Offer,
  outcome: Settlement['outcome'],
): Promise<Settlement> {
  let last: Settlement | undefined;
  return eventually(`the offer is ${outcome}`, async () => {
    last = await channelOf(attachment, offer.channel).settle(offer);
    return last.outcome === outcome && last;
  }).catch(() => {
    throw new Error(`the offer is not ${outcome} but ${JSON.stringify(last)}`);
  });
}

/** A client of our own, for what the provider itself never asks. */
export async function speakTo(socket: string): Promise<{
  // biome-ignore lint/suspicious/noExplicitAny: answers of somebody else's protocol
  readonly call: (method: string, params: Parameters) => Promise<any>;
  readonly close: () => void;
}> {
  const connection = new Connection(socket, {
    lives: () => true,
    greeted: async () => true,
    heard: () => undefined,
    changed: () => undefined,
  });
  connection.open();
  await eventually('the server answers', () => connection.up);
  const call = async (method: string, params: Parameters) => {
    const answer = await connection.call(method, params);
    if (answer.answered !== 'result') throw new Error(JSON.stringify(answer));
    return answer.result;
  };
  return { call, close: () => connection.close() };
}
