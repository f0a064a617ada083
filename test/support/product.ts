import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { type Pointer, pathsOf } from '../../src/client/protocol.ts';
import {
  errorCode,
  identifyProcess,
  type ProcessIdentity,
  probeProcess,
  readIfThere,
  signalProcess,
} from '../../src/kernel/index.ts';
import { eventually } from './eventually.ts';
import { freshFolder } from './files.ts';

const BIN = fileURLToPath(new URL('../../bin/team-agent', import.meta.url));

/** A role document of a scripted agent: its id, the script it plays (YAML text), more lines of its head. */
export interface ScriptedAgent {
  readonly id: string;
  readonly script?: string;
  readonly head?: string;
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The product as a user has it: a project folder, the command, and what runs because of it. */
export class Product {
  readonly workspace: string;
  readonly environment: NodeJS.ProcessEnv;

  constructor(name = 'project', environment: NodeJS.ProcessEnv = {}) {
    this.workspace = freshFolder(name);
    this.environment = { ...process.env, TEAM_AGENT_TEST: '1', ...environment };
  }

  get paths() {
    return pathsOf(this.workspace, this.environment);
  }

  /** Writes a team's documents below `docs/<name>` and returns the folder. */
  writeTeam(name: string, agents: readonly ScriptedAgent[], head = ''): string {
    const folder = path.join(this.workspace, 'docs', name);
    fs.mkdirSync(path.join(folder, 'agents'), { recursive: true });
    fs.writeFileSync(path.join(folder, 'TEAM.md'), `---\nname: ${name}\n${head}---\nA team for a test.\n`);
    for (const agent of agents) {
      const script = agent.script === undefined ? '' : `script: ${agent.id}.yaml\n`;
      if (agent.script !== undefined) fs.writeFileSync(path.join(folder, 'agents', `${agent.id}.yaml`), agent.script);
      const text = `---\nname: ${agent.id}\nrole: worker\nprovider: scripted\ntools: []\n${script}${agent.head ?? ''}---\nDo what you are asked.\n`;
      fs.writeFileSync(path.join(folder, 'agents', `${agent.id}.md`), text);
    }
    return folder;
  }

  /** Runs the command to its end. */
  run(
    args: readonly string[],
    options: { input?: string | Buffer; environment?: NodeJS.ProcessEnv; cwd?: string } = {},
  ): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const child = spawn(BIN, args, {
        cwd: options.cwd ?? this.workspace,
        env: { ...this.environment, ...options.environment },
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => {
        stdout += part;
      });
      child.stderr.setEncoding('utf8').on('data', (part: string) => {
        stderr += part;
      });
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, stdout, stderr }));
      child.stdin.on('error', () => undefined);
      child.stdin.end(options.input ?? '');
    });
  }

  /** Runs the command with `--json` and returns its one object; `code` is added. */
  async json<Answer = Record<string, never>>(
    args: readonly string[],
    options: Parameters<Product['run']>[1] = {},
  ): Promise<Answer & { readonly code: number | null }> {
    const ran = await this.run(['--json', ...args], options);
    try {
      return { ...JSON.parse(ran.stdout), code: ran.code };
    } catch (error) {
      throw new Error(`no JSON from team-agent ${args.join(' ')}: ${ran.stdout}${ran.stderr}`, { cause: error });
    }
  }

  /** Who the coordinator is now, when one lives. */
  coordinator(): ProcessIdentity | undefined {
    const text = readIfThere(this.paths.pointer);
    if (!text) return undefined;
    const { pid, start } = JSON.parse(text) as Pointer;
    return identifyProcess(pid)?.start === start ? { pid, start } : undefined;
  }

  /** Kills the coordinator as `kill -9` does and waits until it is gone. */
  async killCoordinator(): Promise<void> {
    const identity = this.coordinator();
    if (!identity) throw new Error('no coordinator lives');
    signalProcess(identity, 'SIGKILL');
    await eventually('the killed coordinator to be gone', () => probeProcess(identity) === 'dead');
  }

  /** A coordinator other than `before`, up and answering. */
  async revived(before: Pick<ProcessIdentity, 'pid'>): Promise<ProcessIdentity> {
    return eventually('the coordinator to be revived', () => {
      const now = this.coordinator();
      return now && now.pid !== before.pid ? now : undefined;
    });
  }

  /** Rows of the ledger, read from a copy by a connection of the test's own. Works with and without a coordinator. */
  rows(sql: string): Record<string, unknown>[] {
    const copy = path.join(freshFolder('ledger'), 'team.db');
    copyLedger(this.paths.ledger, copy);
    const connection = new DatabaseSync(copy);
    try {
      return connection.prepare(sql).all();
    } finally {
      connection.close();
    }
  }

  /** Shuts every team down; whatever a failed test left is ended by its own recorded processes. */
  async end(): Promise<void> {
    if (!fs.existsSync(this.paths.ledger)) return;
    const teams = this.rows('select team from teams').map((row) => String(row.team));
    for (const team of teams) await this.run(['shutdown', '--team', team]);
    const left = this.coordinator();
    if (!left) return;
    await this.run(['coordinator', 'stop', '--force']);
    await eventually('the coordinator to be gone', () => probeProcess(left) === 'dead');
  }
}

/** Copies a ledger that may be written meanwhile: anew when its log was begun again, or put away, in between. */
function copyLedger(from: string, to: string): void {
  for (;;) {
    const before = logOf(from);
    fs.copyFileSync(from, to);
    const log = logOf(from);
    fs.writeFileSync(`${to}-wal`, log);
    if (headOf(log).equals(headOf(before)) && headOf(logOf(from)).equals(headOf(log))) return;
  }
}

/** SQLite writes another head, of 32 bytes, each time that it begins the log again. */
const headOf = (log: Buffer): Buffer => log.subarray(0, 32);

/** The write-ahead log of a database; empty when there is none. */
function logOf(database: string): Buffer {
  try {
    return fs.readFileSync(`${database}-wal`);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
