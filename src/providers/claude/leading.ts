import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  identifyProcess,
  isRefusal,
  type ProcessIdentity,
  processStat,
  type Refusal,
  readIfThere,
  refuse,
  startedWith,
} from '../../kernel/index.ts';
import type {
  FoundLeader,
  Installation,
  Introduction,
  LeaderPlan,
  LeaderRequest,
  LeaderTraces,
  Leading,
} from '../shape.ts';
import { socketOf } from '../socket.ts';
import { capabilitiesOf } from './capabilities.ts';
import { introduction } from './launch/introduction.ts';
import { SESSION_STARTS } from './launch/plan.ts';
import { mcpOf, settingsOf } from './launch/settings.ts';
import { configurationFolder } from './sources/configuration.ts';
import { inboxFault } from './sources/inbox.ts';
import { type Fields, fieldsOf, parseFields } from './sources/json.ts';
import { entryOf, isLive, liveEntries, type RegistryEntry } from './sources/registry.ts';
import { readStarts } from './sources/session-starts.ts';

/** Between two looks at the files of a session that starts, ms. */
const LOOK = 25;

export const leading: Leading = { plan, introduce, find, onSession };

/** The person's own conversation with our inbox, hooks and tools; what the person asks for stays as it is. */
function plan(request: LeaderRequest, installation: Installation): LeaderPlan | Refusal {
  const socket = socketOf('the leader', request);
  if (isRefusal(socket)) return socket;
  const inRun = (name: string): string => path.join(request.runFolder, name);
  const theirs = takeOptions(request.args, request.folder);
  if (isRefusal(theirs)) return theirs;
  const ours = settingsOf({
    starts: inRun(SESSION_STARTS),
    hooksUrl: request.hooksUrl,
    mode: 'unknown',
    approvals: false,
  });
  const settings = mergeSettings(ours, theirs.settings);
  const instructions = [request.instructions, ...theirs.instructions].join('\n\n');
  return {
    socket,
    details: { config: configurationFolder(request.environment), starts: inRun(SESSION_STARTS) },
    files: [
      { path: inRun('settings.json'), content: `${JSON.stringify(settings, undefined, 2)}\n` },
      { path: inRun('mcp.json'), content: `${JSON.stringify(mcpOf(request.mcpUrl), undefined, 2)}\n` },
      { path: inRun('instructions.md'), content: `${instructions}\n` },
    ],
    terminal: {
      argv: [
        installation.binary,
        ...['--messaging-socket-path', socket],
        ...['--settings', inRun('settings.json')],
        ...['--append-system-prompt-file', inRun('instructions.md')],
        // Takes all words up to the next flag: it must not be the last before theirs.
        ...['--mcp-config', inRun('mcp.json'), ...theirs.mcp],
        ...['--system-prompt-snapshot', 'off'],
        ...theirs.rest,
      ],
      environment: {},
    },
  };
}

/** Ways of Claude Code to run without a conversation in this terminal. */
const NO_CONVERSATION = ['-p', '--print', '--bg', '--background', '--cloud', '-h', '--help', '-v', '--version'];

interface PersonOptions {
  readonly settings: Fields | undefined;
  readonly instructions: readonly string[];
  readonly mcp: readonly string[];
  /** Everything else, word for word. */
  readonly rest: readonly string[];
}

/** Takes out of the person's words the options that can be given only once, so that ours can be joined with them. */
export function takeOptions(args: readonly string[], folder: string): PersonOptions | Refusal {
  const instructions: string[] = [];
  const mcp: string[] = [];
  const rest: string[] = [];
  let settings: Fields | undefined;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (word === '--') {
      rest.push(...args.slice(at));
      break;
    }
    const [, name = '', joined] = /^(--[a-z-]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
    const value = (): string => joined ?? args[++at] ?? '';
    if (name === '--settings') {
      const read = readSettings(value(), folder);
      if (isRefusal(read)) return read;
      settings = read;
    } else if (name === '--append-system-prompt') {
      instructions.push(value());
    } else if (name === '--append-system-prompt-file') {
      instructions.push(readIfThere(path.resolve(folder, value())) ?? '');
    } else if (name === '--mcp-config') {
      if (joined !== undefined) mcp.push(joined);
      while (joined === undefined && at + 1 < args.length && !args[at + 1]?.startsWith('-')) mcp.push(args[++at] ?? '');
    } else if (name === '--messaging-socket-path') {
      value(); // the inbox has to be ours
    } else if (NO_CONVERSATION.includes(word)) {
      return refuse('usage', `A leader is a conversation in this terminal; with ${word} Claude Code has none.`, {
        evidence: { option: word },
        next: [`claude ${word}`],
      });
    } else {
      rest.push(word);
    }
  }
  return { settings, instructions, mcp, rest };
}

function readSettings(value: string, folder: string): Fields | Refusal {
  const text = value.trimStart().startsWith('{') ? value : readIfThere(path.resolve(folder, value));
  const fields = text === undefined ? undefined : parseFields(text);
  if (fields) return fields;
  return refuse('usage', `The settings given to claude cannot be read: ${value.slice(0, 200)}`, {
    evidence: { settings: value.slice(0, 200) },
    next: ['claude --help'],
  });
}

/** Theirs win; hooks and permissions of both are kept. */
export function mergeSettings(ours: Fields, theirs: Fields | undefined): Fields {
  if (!theirs) return ours;
  const hooks = joinLists(fieldsOf(ours.hooks), fieldsOf(theirs.hooks));
  const permissions = joinLists(fieldsOf(ours.permissions), fieldsOf(theirs.permissions));
  return { ...ours, ...theirs, hooks, permissions };
}

function joinLists(ours: Fields = {}, theirs: Fields = {}): Fields {
  const both = Object.entries(theirs).map(([name, value]) => {
    const own = ours[name];
    return [name, Array.isArray(own) && Array.isArray(value) ? [...own, ...value] : value];
  });
  return { ...ours, ...Object.fromEntries(both) };
}

/** Waits until the conversation below `process` has told its session; a dialog before that is the person's to answer. */
async function introduce(
  { socket: ours, details: { config = '', starts = '' } }: LeaderTraces,
  process: ProcessIdentity,
  signal: AbortSignal,
): Promise<Introduction | Refusal> {
  while (!signal.aborted && processStat(process.pid)?.start === process.start) {
    const start = readStarts(starts).at(-1);
    const entry = liveEntries(config).find(({ socket }) => socket === ours);
    if (start && entry) {
      return introduction(start.session, start.transcript, entry, { config, starts, version: '', mode: '' });
    }
    await pause(LOOK);
  }
  return refuse('leader_not_started', 'Claude Code ended, or did not begin a conversation in time.', {
    evidence: { process: process.pid, config, aborted: signal.aborted },
    next: ['team-agent claude', 'claude'],
  });
}

/** The nearest ancestor that is a conversation with an inbox that answers. Its registry entry is written by itself. */
async function find(
  ancestors: readonly ProcessIdentity[],
  environment: Readonly<Record<string, string>>,
): Promise<FoundLeader | undefined> {
  // Inside an agent of a team: what it belongs to is led already.
  if (environment.TEAM_AGENT_TOKEN) return undefined;
  for (const process of ancestors) {
    for (const config of configurationsOf(process, environment)) {
      const entry = entryOf(config, process.pid);
      if (entry && isLive(entry) && entry.socket !== undefined) return leaderAt(config, entry, process);
    }
  }
  return undefined;
}

/** Where a process may have its registry: by what it was started with itself, as far as that can be seen, and by the caller's words. */
function configurationsOf(
  { pid }: ProcessIdentity,
  environment: Readonly<Record<string, string>>,
): ReadonlySet<string> {
  const theirs = ['HOME', 'CLAUDE_CONFIG_DIR'].flatMap((name) => {
    const value = startedWith(pid, name);
    return value === undefined ? [] : [[name, value]];
  });
  return new Set([theirs.length > 0 ? Object.fromEntries(theirs) : environment, environment].map(configurationFolder));
}

async function onSession(
  session: FoundLeader['session'],
  { config = configurationFolder({}) }: Readonly<Record<string, string>>,
): Promise<readonly FoundLeader[]> {
  const found = liveEntries(config).map((entry) => {
    const process = entry.session === session ? identifyProcess(entry.pid) : undefined;
    return process && leaderAt(config, entry, process);
  });
  return (await Promise.all(found)).filter((leader) => leader !== undefined);
}

/** A process that can lead: a version that is known, a record, an inbox that answers now. */
async function leaderAt(
  config: string,
  entry: RegistryEntry,
  process: ProcessIdentity,
): Promise<FoundLeader | undefined> {
  if (entry.socket === undefined) return undefined;
  const record = transcriptOf(config, entry.cwd, entry.session);
  const works = (await inboxFault(entry.socket)) === undefined;
  if (!capabilitiesOf(entry.version)?.protocol || record === undefined || !works) return undefined;
  return {
    process,
    session: entry.session as FoundLeader['session'],
    record,
    socket: entry.socket,
    details: { config, version: entry.version, pid: String(process.pid), start: process.start },
  };
}

/** A session's transcript: in the folder of its project, or wherever a file of its name stands; undefined when nowhere yet. */
function transcriptOf(config: string, cwd: string, session: string): string | undefined {
  const projects = path.join(config, 'projects');
  const usual = path.join(projects, cwd.replace(/[^A-Za-z0-9]/g, '-'));
  const name = `${session}.jsonl`;
  if (fs.existsSync(path.join(usual, name))) return path.join(usual, name);
  const other = foldersIn(projects).find((folder) => fs.existsSync(path.join(projects, folder, name)));
  if (other !== undefined) return path.join(projects, other, name);
  // It is written with the first prompt; the folder of a long path is cut, so only one that is there is believed.
  return fs.existsSync(usual) ? path.join(usual, name) : undefined;
}

function foldersIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return []; // nothing was ever written
  }
}
