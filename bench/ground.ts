import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);

/** What a process left behind: its exit code, its output, how long it took, ms. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly ms: number;
}

/**
 * Where the bench happens: a private folder with the program as its package has it (no sources beside the bundle), and
 * with the HOME, TMPDIR and runtime folder of everything that is started.
 */
export class Ground {
  readonly folder: string;
  readonly program: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Told the end of the bench, last first. */
  readonly #endings: (() => Promise<void>)[] = [];

  /** `more` is set in the environment of everything that is started. */
  constructor(more: NodeJS.ProcessEnv = {}) {
    this.folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tb-')));
    for (const name of ['home', 'tmp', 'run', 'program']) fs.mkdirSync(path.join(this.folder, name), { mode: 0o700 });
    this.environment = {
      PATH: process.env.PATH,
      LANG: process.env.LANG ?? 'C.UTF-8',
      HOME: path.join(this.folder, 'home'),
      TMPDIR: path.join(this.folder, 'tmp'),
      XDG_RUNTIME_DIR: path.join(this.folder, 'run'),
      NO_COLOR: '1',
      ...more,
    };
    this.program = stageProgram(path.join(this.folder, 'program'));
  }

  atEnd(task: () => Promise<void>): void {
    this.#endings.push(task);
  }

  /** Ends everything that was started and removes the folder. */
  async end(): Promise<void> {
    for (const task of this.#endings.splice(0).reverse()) await task();
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Runs a program to its end. */
  run(argv: readonly string[], options: { cwd?: string; environment?: NodeJS.ProcessEnv } = {}): Promise<Ran> {
    const [command = '', ...args] = argv;
    return new Promise((resolve, reject) => {
      const began = performance.now();
      const child = spawn(command, args, {
        cwd: options.cwd ?? this.folder,
        env: { ...this.environment, ...options.environment },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let stdout = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => {
        stdout += part;
      });
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, stdout, ms: performance.now() - began }));
    });
  }
}

/** Bundles the sources as they are and puts them where a package would have them. Returns the command. */
function stageProgram(folder: string): string {
  execFileSync(process.execPath, [path.join(root, 'script', 'build.ts')], { stdio: ['ignore', 'ignore', 'inherit'] });
  fs.cpSync(path.join(root, 'bin'), path.join(folder, 'bin'), { recursive: true });
  fs.cpSync(path.join(root, 'dist'), path.join(folder, 'dist'), { recursive: true });
  fs.copyFileSync(path.join(root, 'package.json'), path.join(folder, 'package.json'));
  return path.join(folder, 'bin', 'team-agent');
}
