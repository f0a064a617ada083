import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { type Pointer, pathsOf } from '../src/client/protocol.ts';
import { identifyProcess, mint, type ProcessIdentity, probeProcess, signalProcess } from '../src/kernel/index.ts';
import { type Client, localClient, ToolClient } from './calls.ts';
import type { Ground, Ran } from './ground.ts';

/** Every wait of the bench ends here, ms: then something is broken, not slow. */
const DEADLINE = 60_000;

/** An event of a followed team, and when it came in here: `performance.now()`. */
export interface Heard {
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly heard: number;
}

export interface AgentDocument {
  readonly id: string;
  readonly script?: string;
  /** Scripted when left out. */
  readonly provider?: string;
}

/** More messages than any scene sends: what is measured is not the guard against storms. */
const MANY = 1_000_000;

/** Agents `a1` to `aN`, all with one script. */
export const agents = (count: number, script?: string): AgentDocument[] =>
  Array.from({ length: count }, (_, index) => ({ id: `a${index + 1}`, ...(script === undefined ? {} : { script }) }));

/** A project with one team, as a user has it, inside the ground of this bench. */
export class Project {
  readonly ground: Ground;
  readonly workspace: string;
  readonly #clients: { close(): void }[] = [];

  constructor(ground: Ground, name: string, members: readonly AgentDocument[]) {
    this.ground = ground;
    this.workspace = path.join(ground.folder, name);
    const folder = path.join(this.workspace, 'docs', 'agents');
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(
      path.join(this.workspace, 'docs', 'TEAM.md'),
      `---\nname: bench\npeer_limits: {pair: ${MANY}, team: ${MANY}}\n---\nA team to measure.\n`,
    );
    for (const { id, script, provider = 'scripted' } of members) {
      const line = script === undefined ? '' : `script: ${id}.yaml\n`;
      if (script !== undefined) fs.writeFileSync(path.join(folder, `${id}.yaml`), script);
      fs.writeFileSync(
        path.join(folder, `${id}.md`),
        `---\nname: ${id}\nrole: worker\nprovider: ${provider}\ntools: []\n${line}---\nDo what you are asked.\n`,
      );
    }
    ground.atEnd(() => this.end());
  }

  get paths() {
    return pathsOf(this.workspace, this.ground.environment);
  }

  /** Runs the command in the project. Throws when it fails: a failure has no figure. */
  async command(...args: string[]): Promise<Ran> {
    const ran = await this.ground.run([this.ground.program, ...args], { cwd: this.workspace });
    if (ran.code !== 0) throw new Error(`team-agent ${args.join(' ')}: exit ${ran.code}\n${ran.stdout}`);
    return ran;
  }

  start(): Promise<Ran> {
    return this.command('quick-start', 'docs', '--json');
  }

  /** A client of the local API; closed with the project. */
  client(): Client {
    const client = localClient(this.paths.socket);
    this.#clients.push(client);
    return client;
  }

  /** The tool client of an agent that lives. */
  tools(agent: string): ToolClient {
    const [row] = this.rows(`select incarnation from incarnations where agent_id = '${agent}' and ended_at is null`);
    const token = fs
      .readFileSync(path.join(this.paths.run, 'agents', String(row?.incarnation), 'token'), 'utf8')
      .trim();
    const tools = new ToolClient(this.pointer().port, token);
    this.#clients.push(tools);
    return tools;
  }

  /** Stores a message; resolves with its id. */
  async send(client: Client, to: string, text: string, more: object = {}): Promise<string> {
    const message_id = mint.message();
    const answer = await client.request('/verbs/send', { message_id, to: [to], text, expects: 'nothing', ...more });
    if (!answer.includes('"ok":true')) throw new Error(`send: ${answer}`);
    return message_id;
  }

  /** Follows the team's events from now on. */
  follow(since: number | string = new Date().toISOString()): Followed {
    const followed = new Followed();
    const client = this.client();
    client.request('/stream/events', { since }, (text) => followed.take(text)).catch(() => undefined);
    return followed;
  }

  pointer(): Pointer {
    const pointer: Pointer = JSON.parse(fs.readFileSync(this.paths.pointer, 'utf8'));
    return pointer;
  }

  /** The coordinator, when one lives. */
  coordinator(): ProcessIdentity | undefined {
    if (!fs.existsSync(this.paths.pointer)) return undefined;
    const { pid, start } = this.pointer();
    return identifyProcess(pid)?.start === start ? { pid, start } : undefined;
  }

  /** Rows of the ledger, from a copy: the coordinator alone has the file. */
  rows(sql: string): Record<string, unknown>[] {
    const copy = fs.mkdtempSync(path.join(this.ground.folder, 'tmp', 'rows-'));
    for (const end of ['', '-wal']) {
      const file = `${this.paths.ledger}${end}`;
      if (fs.existsSync(file)) fs.copyFileSync(file, path.join(copy, `team.db${end}`));
    }
    const connection = new DatabaseSync(path.join(copy, 'team.db'));
    try {
      return connection.prepare(sql).all();
    } finally {
      connection.close();
      fs.rmSync(copy, { recursive: true, force: true });
    }
  }

  /** Shuts the team down; what is left then is ended by its own pid and start time. */
  async end(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    if (!fs.existsSync(this.paths.ledger)) return;
    await this.ground.run([this.ground.program, 'shutdown'], { cwd: this.workspace });
    const left = this.coordinator();
    if (!left) return;
    signalProcess(left, 'SIGTERM');
    await until('the coordinator to end', () => probeProcess(left) === 'dead');
  }
}

/** Events as they come in. */
export class Followed {
  readonly events: Heard[] = [];
  #rest = '';
  #waiting: (() => void)[] = [];

  take(text: string): void {
    const heard = performance.now();
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.events.push({ ...JSON.parse(line), heard });
    for (const look of this.#waiting.splice(0)) look();
  }

  /** The first event that fits, now or later. */
  async next(what: string, fits: (event: Heard) => boolean): Promise<Heard> {
    const end = performance.now() + DEADLINE;
    for (;;) {
      const found = this.events.find(fits);
      if (found) return found;
      if (performance.now() > end) throw new Error(`not within ${DEADLINE} ms: ${what}`);
      await Promise.race([new Promise<void>((resolve) => this.#waiting.push(resolve)), pause(1_000)]);
    }
  }
}

/** Waits for a condition, looking every few ms. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, every = 5): Promise<void> {
  const end = performance.now() + DEADLINE;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${DEADLINE} ms: ${what}`);
    await pause(every);
  }
}
