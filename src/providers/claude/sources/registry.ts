import fs from 'node:fs';
import path from 'node:path';
import { probeProcess, processStat, readIfThere } from '../../../kernel/index.ts';
import { numberOf, parseFields, textOf } from './json.ts';

/** What Claude Code says about one of its sessions, in `sessions/PID.json` of its config folder. */
export interface RegistryEntry {
  readonly pid: number;
  /** When that process began, as the kernel of Linux tells it; elsewhere in words of its own. */
  readonly procStart: string | undefined;
  readonly session: string;
  readonly cwd: string;
  readonly version: string;
  readonly socket: string | undefined;
  /** Absent while the session starts. `shell`: no turn runs, but a command of its in the background does. */
  readonly status: 'idle' | 'busy' | 'waiting' | 'shell' | undefined;
  /** What it waits for, in its own words: `permission prompt`, `input needed`, `dialog open`, ... */
  readonly waitingFor: string | undefined;
  /** UTC ms of the status. */
  readonly at: number;
}

const STATUSES = ['idle', 'busy', 'waiting', 'shell'] as const;

/** An entry as Claude Code wrote it; undefined when it is torn or none. */
export function parseEntry(text: string): RegistryEntry | undefined {
  const fields = parseFields(text);
  const pid = numberOf(fields, 'pid');
  const session = textOf(fields, 'sessionId');
  if (pid === undefined || session === undefined) return undefined;
  const status = textOf(fields, 'status');
  return {
    pid,
    session,
    procStart: textOf(fields, 'procStart'),
    cwd: textOf(fields, 'cwd') ?? '',
    version: textOf(fields, 'version') ?? '',
    socket: textOf(fields, 'messagingSocketPath'),
    status: STATUSES.find((known) => known === status),
    waitingFor: textOf(fields, 'waitingFor'),
    at: numberOf(fields, 'statusUpdatedAt') ?? numberOf(fields, 'updatedAt') ?? 0,
  };
}

/** Does the process live that wrote this entry? A killed one leaves its entry behind, and its pid goes to somebody else. */
export function isLive(entry: RegistryEntry): boolean {
  const stat = processStat(entry.pid);
  if (!stat || stat.state === 'Z') return false;
  if (process.platform !== 'linux' || entry.procStart === undefined) return true;
  return probeProcess({ pid: entry.pid, start: entry.procStart }) === 'alive';
}

const sessionsFolder = (config: string): string => path.join(config, 'sessions');

/** The entry of one process; undefined when there is none, or while it is being written. */
export function entryOf(config: string, pid: number): RegistryEntry | undefined {
  const text = readIfThere(path.join(sessionsFolder(config), `${pid}.json`));
  return text === undefined ? undefined : parseEntry(text);
}

/** The entries of all sessions whose processes live. */
export function liveEntries(config: string): readonly RegistryEntry[] {
  return namesIn(sessionsFolder(config)).flatMap((name) => {
    const pid = name.match(/^(\d+)\.json$/)?.[1];
    const entry = pid === undefined ? undefined : entryOf(config, Number(pid));
    return entry && isLive(entry) ? [entry] : [];
  });
}

/** The word by which a session tells local callers from foreign ones; undefined when it cannot be read. It is no secret gate. */
export function peerToken(config: string, pid: number): string | undefined {
  const folder = sessionsFolder(config);
  const name = namesIn(folder).find((file) => file.startsWith(`${pid}.`) && file.endsWith('.key'));
  const text = name === undefined ? undefined : readIfThere(path.join(folder, name));
  return text === undefined ? undefined : textOf(parseFields(text), 'peerToken');
}

function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return []; // no session has ever run with this config folder
  }
}

/**
 * Follows the entry of one process, told by the file system. A torn entry is ignored: the next write brings the rest. The
 * entries of others are looked at only when asked for.
 */
export class RegistryWatch {
  readonly #config: string;
  readonly #pid: number;
  readonly #socket: string | undefined;
  readonly #changed: () => void;
  #watcher: fs.FSWatcher | undefined;
  #entry: RegistryEntry | undefined;
  #hadRival = false;

  constructor(config: string, pid: number, socket: string | undefined, changed: () => void) {
    this.#config = config;
    this.#pid = pid;
    this.#socket = socket;
    this.#changed = changed;
  }

  /** The newest whole entry; undefined when the session has none, or one that is not its own. */
  get entry(): RegistryEntry | undefined {
    return this.#entry;
  }

  watch(): void {
    const folder = sessionsFolder(this.#config);
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#watcher = fs.watch(folder, { persistent: false }, (_event, name) => {
      if (name === null || name === `${this.#pid}.json`) this.#look();
      // Whether somebody else has our session is asked before each message; that it is ours again has to be told.
      else if (this.#hadRival && this.rival() === undefined) this.#changed();
    });
    this.#watcher.on('error', () => this.close());
    this.read();
  }

  /** Reads the entry now; true when it has changed. */
  read(): boolean {
    const file = path.join(sessionsFolder(this.#config), `${this.#pid}.json`);
    const text = readIfThere(file);
    const read = text === undefined ? undefined : parseEntry(text);
    if (text !== undefined && read === undefined) return false;
    const ours =
      read && isLive(read) && (this.#socket === undefined || read.socket === this.#socket) ? read : undefined;
    const changed = JSON.stringify(ours) !== JSON.stringify(this.#entry);
    this.#entry = ours;
    return changed;
  }

  /** Another live process that works on the same session. */
  rival(): RegistryEntry | undefined {
    const ours = this.#entry;
    const found =
      ours && liveEntries(this.#config).find(({ session, pid }) => session === ours.session && pid !== this.#pid);
    this.#hadRival = found !== undefined;
    return found;
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #look(): void {
    if (this.read()) this.#changed();
  }
}
