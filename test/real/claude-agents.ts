import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { agentId, isRefusal, mint, type ProcessIdentity, type Refusal, readIfThere } from '../../src/kernel/index.ts';
import { claude } from '../../src/providers/claude/index.ts';
import type { ConformanceHarness, LiveAgent } from '../../src/providers/conformance.ts';
import type { Attachment, Channel, LaunchRequest, Offer, Settlement } from '../../src/providers/index.ts';
import { openTerminals, type Terminals } from '../../src/tmux/index.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';
import { AnthropicModel } from './world/anthropic-model.ts';
import { type GreetingServer, startGreetingServer } from './world/greeting-server.ts';
import { PrivateHome } from './world/home.ts';

const DEADLINE = 60_000;
const silent = { info: () => undefined, warn: () => undefined };

/** An agent of real Claude Code in a pane of a private tmux server, with what a test asks of it. */
export interface ClaudeAgent extends LiveAgent {
  /** From the order to a greeting, ms. */
  readonly ready: number;
  channel(name?: Channel['name']): Channel;
  state(): string | undefined;
  /** Hands a message over as soon as that may be done. */
  send(body: string, sender?: string): Promise<Offer>;
  taken(offer: Offer): Promise<Extract<Settlement, { outcome: 'taken' }>>;
  /** A coordinator that starts again finds it by its handle alone. */
  attachAgain(): Attachment;
  keys(...keys: readonly string[]): Promise<void>;
  screen(): Promise<string>;
}

/** Real Claude Code, a scripted model, and a server that gives each hook to the attachment whose token it carries. */
export class ClaudeWorld {
  readonly model: AnthropicModel;
  readonly home: PrivateHome;
  readonly folder: string;
  readonly terminals: Terminals;
  readonly #closing: (() => unknown)[] = [];
  readonly #hooks: http.Server;
  readonly #mcp: GreetingServer;
  readonly #attachments = new Map<string, Attachment>();
  readonly #sockets = freshFolder('s');

  private constructor(model: AnthropicModel, home: PrivateHome, mcp: GreetingServer) {
    this.model = model;
    this.home = home;
    this.folder = freshFolder('project');
    this.home.trust(this.folder);
    this.#mcp = mcp;
    this.#hooks = http.createServer((request, response) => void this.#hook(request, response));
    const environment = { ...process.env, ...home.environment };
    const socket = path.join(this.#sockets, 'tmux');
    this.terminals = openTerminals({ socket, folder: freshFolder('paste'), environment, log: silent });
    this.#closing.push(
      () => model.close(),
      () => mcp.close(),
      () => this.#hooks.close(),
      () => this.#hooks.closeAllConnections(),
      () => home.remove(),
      () => this.terminals.detach(),
    );
  }

  static async open(): Promise<ClaudeWorld> {
    const model = await AnthropicModel.start();
    const home = new PrivateHome({ anthropic: model.url, openai: model.url, claudeRetries: 1 });
    const world = new ClaudeWorld(model, home, await startGreetingServer());
    world.#hooks.listen(0, '127.0.0.1');
    await once(world.#hooks, 'listening');
    return world;
  }

  async end(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close();
  }

  request(more: Partial<LaunchRequest> = {}): LaunchRequest {
    const agent = agentId('builder');
    if (!agent) throw new Error('builder is an agent id');
    const { port } = this.#hooks.address() as AddressInfo;
    return {
      agent,
      team: 'crew',
      incarnation: mint.incarnation(),
      session: mint.session(),
      role: 'developer',
      prompt: 'Build things.',
      workspace: this.folder,
      folder: this.folder,
      tools: ['execute_bash', 'fs_read', 'fs_write', 'fs_list'],
      permission: 'manual',
      trusted: false,
      mcp: 'inherit',
      runFolder: freshFolder('run'),
      socketFolder: this.#sockets,
      mcpUrl: this.#mcp.url,
      hooksUrl: `http://127.0.0.1:${port}/hooks`,
      environment: this.environment(),
      ...more,
    };
  }

  environment(): Record<string, string> {
    const all = { ...process.env, ...this.home.environment };
    return Object.fromEntries(
      Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
  }

  /** Launches an agent as the core does; `tampered` changes the machine between the look at it and the start. */
  async launch(
    more: Partial<LaunchRequest> = {},
    tampered: () => void = () => undefined,
  ): Promise<ClaudeAgent | Refusal> {
    const request = this.request(more);
    const began = performance.now();
    const installation = await claude.inspect(request);
    if (isRefusal(installation)) return installation;
    const plan = claude.plan(request, installation);
    if (isRefusal(plan)) return plan;
    fs.writeFileSync(path.join(request.runFolder, 'token'), `${request.incarnation}\n`);
    for (const file of plan.files) fs.writeFileSync(file.path, file.content, { mode: 0o600 });
    tampered();
    const { terminals } = this;
    const { incarnation, folder } = request;
    const { environment, argv, socket } = plan;
    const pane = await terminals.open({
      session: 'crew',
      window: request.agent,
      incarnation,
      folder,
      environment,
      argv,
    });
    if (isRefusal(pane)) return pane;
    this.#closing.push(() => terminals.close(pane));
    const signal = AbortSignal.timeout(DEADLINE);
    const introduction = await claude.introduce({ request, installation, plan, pane, terminals, signal });
    if (isRefusal(introduction)) return introduction;
    const { session, record, details } = introduction;
    const exitFile = path.join(request.runFolder, 'exit');
    const handle = { process: pane.process, pane, session, record, exitFile, details, ...(socket ? { socket } : {}) };
    const agent = this.#agent(handle, request);
    await this.until('it greets', () => agent.attachment.greeted());
    await this.until('it knows its team tools', () => this.#mcp.listedBy(incarnation));
    return Object.assign(agent, { ready: performance.now() - began });
  }

  /** A conversation that the person starts by hand; resolves with its process once its first turn has begun. */
  async conversation(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<ProcessIdentity> {
    const { terminals, folder } = this;
    const incarnation = mint.incarnation();
    const own = { ...this.environment(), ...environment };
    const argv = [path.join(this.home.bin, 'claude'), ...args];
    const pane = await terminals.open({
      session: 'person',
      window: incarnation,
      incarnation,
      folder,
      environment: own,
      argv,
    });
    if (isRefusal(pane)) throw new Error(pane.message);
    this.#closing.push(() => terminals.close(pane));
    return pane.process;
  }

  until = async (what: string, condition: () => boolean | Promise<boolean>): Promise<void> => {
    await eventually(what, condition, DEADLINE);
  };

  harness(): ConformanceHarness {
    return {
      provider: claude,
      request: () => this.request(),
      impossible: () => this.request({ socketFolder: `/${'x'.repeat(120)}` }),
      launch: (situation, more) => this.#situation(situation, more),
      render: (delivery, body) => messageText(delivery, body),
      until: this.until,
    };
  }

  async #situation(situation: 'plain' | 'dialog' | 'draft', more?: Partial<LaunchRequest>): Promise<LiveAgent> {
    const agent = await this.launch(more);
    if (isRefusal(agent)) throw new Error(agent.message);
    await this.until('it is idle', () => agent.state() === 'idle');
    if (situation === 'dialog') {
      await agent.send('[[shell touch /outside]]');
      await this.until('it asks', () => agent.attachment.approvals().length > 0);
      await this.until('the registry knows', () => agent.attachment.facts()[0]?.evidence?.includes('waiting') ?? false);
      // The last that is told of it: after that nothing happens until somebody answers.
      await this.until('its record has the call', () => /"name":"Bash"/.test(readIfThere(agent.handle.record) ?? ''));
    }
    if (situation === 'draft') {
      await this.until('its composer is open', async () => (await agent.channel('paste').state()) === 'ready');
      await agent.keys('h', 'a', 'l', 'f');
    }
    return agent;
  }

  #agent(handle: LiveAgent['handle'], request: LaunchRequest): Omit<ClaudeAgent, 'ready'> {
    const { terminals } = this;
    const attach = (): Attachment => {
      const made = claude.attach(handle, request.incarnation, terminals);
      this.#attachments.set(request.incarnation, made);
      this.#closing.push(() => made.close());
      return made;
    };
    const agent: Omit<ClaudeAgent, 'ready'> & { attachment: Attachment } = {
      handle,
      request,
      terminals,
      attachment: attach(),
      kill: () => process.kill(Number(handle.details.pid), 'SIGKILL'),
      channel: (name = 'protocol') => {
        const found = agent.attachment.channels().find((channel) => channel.name === name);
        if (!found) throw new Error(`there is no channel ${name}`);
        return found;
      },
      state: () => agent.attachment.facts()[0]?.value,
      send: async (body, sender = 'leader') => {
        await this.until('its inbox is open', async () => (await agent.channel().state()) === 'ready');
        const { incarnation } = request;
        const delivery = mint.delivery();
        const offer: Offer = {
          delivery,
          number: 1,
          channel: 'protocol',
          incarnation,
          position: agent.attachment.position(),
        };
        await agent.channel().hand(offer, messageText(delivery, body), sender);
        return offer;
      },
      taken: (offer) =>
        eventually(
          'its receipt',
          async () => {
            const settlement = await agent.channel(offer.channel).settle(offer);
            return settlement.outcome === 'taken' && settlement;
          },
          DEADLINE,
        ),
      attachAgain: () => {
        agent.attachment.close();
        agent.attachment = attach();
        return agent.attachment;
      },
      keys: async (...keys) => {
        if (handle.pane) await terminals.keys(handle.pane, keys);
      },
      screen: async () => ((handle.pane && (await terminals.screen(handle.pane))) ?? []).join('\n'),
    };
    return agent;
  }

  async #hook(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    const payload: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const answer = (await this.#attachments.get(token)?.hook(payload, gone.signal)) ?? {};
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }
}

/** A message as the runtime renders it. */
export function messageText(delivery: string, body: string): string {
  return `[team message ${delivery} from leader (leader)]\n--- 0a1b2c3d\n${body}\n--- 0a1b2c3d end`;
}
