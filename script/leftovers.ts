import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Something that a run of the suite has left behind. */
export interface Leftover {
  /** What it is, for a person. */
  readonly what: string;
  /** Ends or removes it. */
  readonly remove: () => void;
}

/** What may lie in the folder of a run at its end: the test runner's own files. */
const RUNNERS_OWN = /^(report\.json|owner|namespace|node-compile-cache|v8-compile-cache.*|vitest-.*)$/;

/**
 * The folder that one run of the suite lives in: TMPDIR of everything it starts. So whatever names the folder, in its
 * environment, its arguments or the address of its socket, was started by this run, and two runs side by side do not take
 * each other's for their own. Short, because socket paths are (104 bytes on macOS, 108 on Linux).
 */
export class RunFolder {
  readonly path: string;
  /** Where the run writes the name of the network namespace that it makes for itself, when it does. */
  readonly namespace: string;
  readonly #before: ReadonlySet<string>;

  /** A new folder in `parent`. */
  constructor(parent = '/tmp') {
    this.#before = new Set([...sharedEntries(), ...commandLineEntries()]);
    this.path = fs.mkdtempSync(path.join(fs.realpathSync(parent), 'ta-'));
    this.namespace = path.join(this.path, 'namespace');
    fs.writeFileSync(path.join(this.path, 'owner'), String(process.pid));
  }

  /** Everything left; waits up to `deadline` ms for what is still ending by itself. */
  async leftovers(deadline = 10_000): Promise<readonly Leftover[]> {
    const end = performance.now() + deadline;
    for (;;) {
      const found = [...this.#processes(), ...this.#sockets(), ...this.#entries(), ...this.#shared()];
      found.push(...(await this.#ofCommandLines()));
      if (found.length === 0 || performance.now() > end) return found;
      await pause(50);
    }
  }

  remove(): void {
    fs.rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Processes that name the folder, and those in the run's own network namespace, whatever their environment says. */
  #processes(): Leftover[] {
    const namespace = fs.existsSync(this.namespace) ? fs.readFileSync(this.namespace, 'utf8').trim() : undefined;
    const inside = (pid: number) => namespace !== undefined && namespaceOf(pid) === namespace;
    return processTexts()
      .filter(({ pid, text }) => pid !== process.pid && (names(text, this.path) || inside(pid)))
      .map(({ pid, command }) => ({
        what: `process ${pid}: ${command.slice(0, 200)}`,
        remove: () => killIfThere(pid),
      }));
  }

  /** Sockets that somebody still listens on, even when their file is gone. Elsewhere than on Linux the files must do. */
  #sockets(): Leftover[] {
    if (!fs.existsSync('/proc/net/unix')) return [];
    const addresses = fs
      .readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .flatMap((line) => line.split(/\s+/)[7] ?? []);
    const ours = [...new Set(addresses)].filter((address) => names(address, this.path));
    return ours.map((address) => ({ what: `socket ${address}`, remove: nothing }));
  }

  #entries(): Leftover[] {
    const names = fs.readdirSync(this.path).filter((name) => !RUNNERS_OWN.test(name));
    return names.map((name) => ({ what: `${path.join(this.path, name)}`, remove: nothing }));
  }

  /** New entries beside the run's folder that nobody else's run owns. */
  #shared(): Leftover[] {
    const fresh = sharedEntries().filter((entry) => !this.#before.has(entry) && entry !== this.path && !isOwned(entry));
    return fresh.map((entry) => ({ what: entry, remove: nothing }));
  }

  /** What Claude Code and Codex leave in the machine's temporary folder, where other people's lie as well. */
  async #ofCommandLines(): Promise<Leftover[]> {
    const fresh = commandLineEntries().filter((entry) => !this.#before.has(entry));
    const slug = this.path.replace(/[^A-Za-z0-9]/g, '-');
    const left: Leftover[] = [];
    for (const entry of fresh) {
      const socket = entry.replace(/\.lock$/, '');
      const dead = isSocket(socket) ? !(await answers(socket)) : socket !== entry || entry.includes(slug);
      if (dead && fs.existsSync(entry)) left.push({ what: entry, remove: nothing });
    }
    return left;
  }
}

/** The folder of the run goes as a whole; what lies elsewhere may be a person's and is only named. */
function nothing(): void {
  // Deliberately: see above.
}

const SHARED = [
  ...new Set(
    ['/tmp', '/var/tmp', '/dev/shm', os.tmpdir()]
      .filter((folder) => fs.existsSync(folder))
      .map((folder) => fs.realpathSync(folder)),
  ),
];

function sharedEntries(): string[] {
  return SHARED.flatMap((folder) =>
    fs
      .readdirSync(folder)
      .filter((name) => /^(ta|team-agent)-/.test(name))
      .map((name) => path.join(folder, name)),
  );
}

/**
 * Codex keeps its sockets with a lock each in `codex-daemon-UID`, and links to them from where they were asked for. Claude
 * Code has its sockets in `cc-socks` and notes of each project in `claude-UID`, unless its environment names other folders.
 */
function commandLineEntries(): string[] {
  return fs.globSync(SHARED.map((folder) => path.join(folder, '{codex-daemon-*,claude-*,cc-socks}/*')));
}

const isSocket = (file: string): boolean => fs.statSync(file, { throwIfNoEntry: false })?.isSocket() ?? false;

/** Does a process listen at the address? A socket that a killed one left behind refuses. */
function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = net.connect(address);
    connection.on('connect', () => resolve(true)).on('error', () => resolve(false));
    connection.on('connect', () => connection.destroy());
  });
}

function namespaceOf(pid: number): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined; // it has ended meanwhile, or belongs to another user
  }
}

/** Does a live process say that this entry is its own? A run writes its pid into `owner`. */
function isOwned(entry: string): boolean {
  const file = path.join(entry, 'owner');
  try {
    return process.kill(Number(fs.readFileSync(file, 'utf8')), 0);
  } catch {
    // Gone, no folder, no such file, or a pid that is dead: nobody owns it. An entry that is gone was somebody else's.
    return !fs.existsSync(entry);
  }
}

/** Is `folder` in `text` as a whole name, not as the start of a longer one? */
function names(text: string, folder: string): boolean {
  const at = text.indexOf(folder);
  return at >= 0 && !/[\w-]/.test(text.charAt(at + folder.length));
}

interface ProcessText {
  readonly pid: number;
  readonly command: string;
  /** Arguments and environment. */
  readonly text: string;
}

function processTexts(): ProcessText[] {
  if (fs.existsSync('/proc/self/environ'))
    return fs
      .readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap(fromProc);
  const lines = execFileSync('ps', ['axeww', '-o', 'pid=,command='], { encoding: 'utf8', maxBuffer: 64 << 20 }).split(
    '\n',
  );
  return lines
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim(), text: line }))
    .filter(({ pid }) => pid > 0);
}

function fromProc(name: string): ProcessText[] {
  try {
    const command = fs.readFileSync(`/proc/${name}/cmdline`, 'utf8');
    const text = `${command}\0${fs.readFileSync(`/proc/${name}/environ`, 'utf8')}`;
    return [{ pid: Number(name), command: command.replaceAll('\0', ' ').trim(), text }];
  } catch {
    return []; // it has ended meanwhile, or belongs to another user
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself meanwhile.
  }
}
