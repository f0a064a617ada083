import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { type Boundary, identifyProcess, type ProcessIdentity, signalProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';

const BIN = fileURLToPath(new URL('../../bin/team-agent', import.meta.url));

/** The boundaries of verbs that start and end agents: `crash-teams`, `crash-agents` and `crash-members` sweep them. */
export const LAUNCH = [
  'launch.spawned',
  'launch.attached',
  'launch.before_ready',
] as const satisfies readonly Boundary[];
export const SHUTDOWN = ['shutdown.journalled', 'shutdown.agents_ended', 'shutdown.session_ended'] as const;
/** Those of the start of one agent in a team of two that was started before: the launch has passed them already. */
export const START = [
  'launch.journalled#2',
  ...LAUNCH.map((name) => `${name}#${name === 'launch.before_ready' ? 2 : 3}`),
];
export const ADD = ['add.prepared'] as const satisfies readonly Boundary[];
export const REMOVE = ['remove.journalled', 'remove.ended', 'remove.cleared'] as const satisfies readonly Boundary[];
export const STOP = ['stop.journalled', 'stop.ended'] as const satisfies readonly Boundary[];
export const RESET = ['reset.stopped', 'reset.discarded'] as const satisfies readonly Boundary[];

/** A coordinator that is our own child: how it ended is known for certain. */
export interface Daemon {
  readonly pid: number;
  /** The signal that ended it; null when it ended by itself. */
  readonly ended: Promise<NodeJS.Signals | null>;
}

/** A product whose coordinator is about to be killed. */
export class CrashScene extends Product {
  readonly #children: ChildProcess[] = [];

  /** Runs a coordinator that kills itself at `crashAt` (a boundary, or `boundary#N`). Resolves once it listens. */
  async daemon(crashAt = '', environment: NodeJS.ProcessEnv = {}): Promise<Daemon> {
    const crash = crashAt === '' ? {} : { TEAM_AGENT_CRASH_AT: crashAt };
    fs.mkdirSync(this.paths.run, { recursive: true, mode: 0o700 });
    const log = fs.openSync(this.paths.log, 'a', 0o600);
    const child = spawn(BIN, ['coordinator', 'run', '--workspace', this.workspace], {
      env: { ...this.environment, ...crash, ...environment },
      stdio: ['ignore', log, log, 'pipe'],
    });
    fs.closeSync(log);
    this.#children.push(child);
    const ended = once(child, 'exit').then(([, signal]) => signal as NodeJS.Signals | null);
    // A coordinator may be killed at the very end of its boot: then its end is the answer.
    await Promise.race([once(child.stdio[3] as Readable, 'data'), ended]);
    return { pid: child.pid ?? 0, ended };
  }

  /** Waits for the self-inflicted `kill -9`, then for tmux to bring another coordinator. Nobody types anything. */
  async crashedAndRevived(daemon: Daemon, what: string): Promise<ProcessIdentity> {
    await this.crashed(daemon);
    const began = performance.now();
    const revived = await this.revived(daemon).catch((error: unknown) => {
      throw new Error(this.#whatIsThere(), { cause: error });
    });
    console.log(`${what}: revived after ${Math.round(performance.now() - began)} ms`);
    // What killed the first one must not be handed on to the next.
    expect(fs.readFileSync(`/proc/${revived.pid}/environ`, 'utf8')).not.toContain('TEAM_AGENT_CRASH_AT');
    return revived;
  }

  /** Waits until a coordinator has killed itself: nothing else ends it by this signal. */
  async crashed(daemon: Daemon): Promise<void> {
    let signal: NodeJS.Signals | null | undefined;
    void daemon.ended.then((ended) => {
      signal = ended;
    });
    await eventually('the coordinator to kill itself', () => signal !== undefined);
    expect(signal).toBe('SIGKILL');
  }

  /** One command on the private tmux server of the workspace. */
  tmux(...words: string[]): string {
    return execFileSync('tmux', ['-S', this.paths.tmux, ...words], { encoding: 'utf8' });
  }

  /** For the message of a test that failed: the log, the revivals, and what tmux says. */
  #whatIsThere(): string {
    const { log, revivals, tmux } = this.paths;
    const files = [log, revivals].map((file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : `no ${file}`));
    const asked = spawnSync('tmux', ['-S', tmux, 'list-clients', ';', 'list-panes', '-a', ';', 'show-hooks', '-g'], {
      encoding: 'utf8',
    });
    const hooks = asked.stdout.split('\n').filter((line) => !/^\S+$/.test(line));
    return [...files, ...hooks, asked.stderr, `processes ${this.processes().join(' ')}`].join('\n');
  }

  /** From now on nobody revives the coordinator that runs. The next one to boot is revived again. */
  forbidRevival(): void {
    this.tmux('set-hook', '-gu', 'client-detached');
  }

  epoch(): number {
    return Number(this.rows('select epoch from workspaces')[0]?.epoch);
  }

  /** Live processes that know the workspace: by their arguments, their environment or their folder. */
  processes(): number[] {
    const own = new Set([process.pid]);
    return fs.readdirSync('/proc').flatMap((name) => {
      const pid = Number(name);
      if (!Number.isInteger(pid) || own.has(pid)) return [];
      return this.#knowsUs(pid) ? [pid] : [];
    });
  }

  #knowsUs(pid: number): boolean {
    try {
      const state = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0];
      if (state === 'Z') return false;
      return ['cmdline', 'environ'].some((file) => {
        const text = fs.readFileSync(`/proc/${pid}/${file}`, 'utf8');
        return text.includes(this.workspace) || text.includes(this.paths.sockets);
      });
    } catch {
      return false; // it has ended meanwhile, or belongs to somebody else
    }
  }

  /** Waits until no process of the workspace is left, and no socket. */
  async nothingLeft(): Promise<void> {
    const { sockets } = this.paths;
    await eventually('every process of the workspace to end', () => this.processes().length === 0);
    expect(fs.existsSync(sockets) ? fs.readdirSync(sockets) : []).toEqual([]);
  }

  override async end(): Promise<void> {
    await super.end();
    for (const child of this.#children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    // What a failed test left, when even its ledger is gone: only processes that know this very workspace.
    for (const pid of this.processes()) {
      const left = identifyProcess(pid);
      if (left) signalProcess(left, 'SIGKILL');
    }
  }
}

/** A delivery as the ledger has it. */
export interface DeliveryRow {
  readonly delivery_id: string;
  readonly message_id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly attempts: number;
  readonly channel: string | null;
  readonly receipt: string | null;
}

/** The one delivery whose message has this text. */
export function deliveryOf(scene: Product, body: string): DeliveryRow {
  const rows = scene.rows(
    `select deliveries.* from deliveries join messages using (message_id) where body = '${body}' and sender = 'person'`,
  );
  expect(rows).toHaveLength(1);
  return rows[0] as unknown as DeliveryRow;
}

/** Waits until the delivery of a text is in this state. */
export async function deliveryIs(scene: Product, body: string, state: string): Promise<DeliveryRow> {
  const where = `body = '${body}' and sender = 'person'`;
  let seen = '';
  try {
    return await eventually(`${body} to be ${state}`, () => {
      const [row] = scene.rows(`select deliveries.* from deliveries join messages using (message_id) where ${where}`);
      seen = JSON.stringify(row);
      return row?.state === state ? (row as unknown as DeliveryRow) : undefined;
    });
  } catch (error) {
    throw new Error(`instead it is ${seen}`, { cause: error });
  }
}

interface UserLine {
  readonly type: string;
  readonly id: string | null;
  readonly source: string;
  readonly text: string;
}

/** Every line of input in an agent's own record, over all of its sessions. */
export function inputsOf(scene: Product, agent: string): UserLine[] {
  const records = scene.rows(`select distinct record from sessions where agent_id = '${agent}'`);
  return records
    .map(({ record }) => String(record))
    .filter((record) => fs.existsSync(record)) // a life whose launch was cut off may have written none
    .flatMap((record) => fs.readFileSync(record, 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as UserLine)
    .filter((line) => line.type === 'user');
}

const carries = (line: UserLine, delivery: string): boolean =>
  line.id === delivery || (line.text.split('\n', 1)[0] ?? '').includes(`[team message ${delivery} `);

/** The agent's own record holds the delivery once, and the receipt points at that very line. */
export function provedOnce(scene: Product, row: DeliveryRow, agent: string): void {
  expect(inputsOf(scene, agent).filter((line) => carries(line, row.delivery_id))).toHaveLength(1);
  const receipt = JSON.parse(row.receipt ?? 'null') as { source: string; file: string; offset: number };
  expect(receipt.source).toBe('record');
  const rest = fs.readFileSync(receipt.file).subarray(receipt.offset).toString();
  const line = JSON.parse(rest.slice(0, rest.indexOf('\n'))) as UserLine;
  expect(line.type).toBe('user');
  expect(carries(line, row.delivery_id)).toBe(true);
  expect(line.source).toBe(row.channel === 'protocol' ? 'protocol' : 'composer');
  const offers = scene.rows(`select outcome from offers where delivery_id = '${row.delivery_id}' order by number`);
  expect(offers.map((offer) => offer.outcome)).toEqual([
    ...Array.from({ length: row.attempts - 1 }, () => 'not_taken'),
    'taken',
  ]);
}

/** One result for the message, one notice about it, with one delivery to the leader; and nothing is left half done. */
export function reportedOnce(scene: Product, message: string): void {
  const results = scene.rows(`select * from results`);
  expect(results.map((row) => [row.message_id, row.unattributed])).toEqual([[message, 0]]);
  const notices = scene.rows(
    `select dedupe_key, recipient from messages join deliveries using (message_id) where sender = 'team-agent'`,
  );
  expect(notices).toEqual([{ dedupe_key: `result:${results[0]?.result_id}`, recipient: 'leader' }]);
  expect(scene.rows('select * from sagas where ended_at is null')).toEqual([]);
  expect(scene.rows('select * from offers where settled_at is null')).toEqual([]);
}
