import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  identifyProcess,
  printable,
  processStat,
  type Refusal,
  readIfThere,
  refuse,
  shellWord,
} from '../../../kernel/index.ts';
import { continuingDetails, isContinued, resumeFailed } from '../../continuing.ts';
import type { Introduction, LaunchRequest, Started } from '../../shape.ts';
import { findStartupDialog } from '../dialogs.ts';
import { liveEntries, type RegistryEntry } from '../sources/registry.ts';
import { readStarts, type SessionStart } from '../sources/session-starts.ts';
import { SESSION_STARTS } from './plan.ts';

/** Between two looks at the two small files that a starting session writes, ms; it takes about a second. */
const LOOK = 15;

/** When nothing has come by then, the screen is looked at too, ms; and again so often. */
const SCREEN_AFTER = 2_000;
const SCREEN_EVERY = 1_000;

/** Waits until the session has told its id and its transcript, or shows a dialog that stands in the way. No key is sent. */
export async function introduce(started: Started): Promise<Introduction | Refusal> {
  const { request, installation, plan, pane, signal } = started;
  const { config = '' } = installation.details;
  const starts = path.join(request.runFolder, SESSION_STARTS);
  const began = Date.now();
  let screenAt = began + SCREEN_AFTER;
  for (;;) {
    const start = readStarts(starts).at(-1);
    const entry = start && ownEntry(config, plan.socket, pane.process.pid);
    if (start && entry) {
      const known = { config, starts, version: installation.version, mode: request.permission };
      const own = { folder: request.folder, ...continuingDetails(request, began) };
      return wrongSession(request, start) ?? introduction(start.session, start.transcript, entry, known, own);
    }
    const exit = readIfThere(path.join(request.runFolder, 'exit'));
    if (signal.aborted || exit !== undefined) return ended(started, exit);
    if (Date.now() >= screenAt) {
      const refused = await dialogOn(started);
      if (refused) return refused;
      screenAt = Date.now() + SCREEN_EVERY;
    }
    await pause(LOOK);
  }
}

/** Its own word of what it goes on with, against what was asked. */
function wrongSession(request: LaunchRequest, start: SessionStart): Refusal | undefined {
  const { continues, session } = request;
  if (!continues) return undefined;
  const { source, transcript } = start;
  const isAsked = start.session === session && isContinued(continues, { session: start.session, record: transcript });
  if (isAsked && source === continues.how) return undefined;
  const what = `Claude Code says that it has begun session ${start.session} (${source}) in ${transcript}`;
  return resumeFailed(request, { what, told: start, next: goOn(continues.session) });
}

const goOn = (session: string): string => `claude --resume ${session}`;

/** The entry that names our socket and is written by a process below our wrapper. */
function ownEntry(config: string, socket: string | undefined, wrapper: number): RegistryEntry | undefined {
  return liveEntries(config).find((entry) => entry.socket === socket && isBelow(entry.pid, wrapper));
}

function isBelow(pid: number, ancestor: number): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = processStat(at)?.ppid) {
    if (at === ancestor) return true;
  }
  return false;
}

/** What is stored of a session that has shown itself. */
export function introduction(
  session: string,
  record: string,
  entry: RegistryEntry,
  details: { config: string; starts: string; version: string; mode: string },
  own: Readonly<Record<string, string>> = {},
): Introduction {
  const process = identifyProcess(entry.pid);
  return {
    session: session as Introduction['session'],
    record,
    details: {
      config: details.config,
      version: entry.version || details.version,
      starts: details.starts,
      pid: String(entry.pid),
      start: process?.start ?? entry.procStart ?? '',
      ...own,
      ...(details.mode === 'bypass' ? { mode: 'bypassPermissions', inbound: 'accept' } : {}),
    },
  };
}

async function dialogOn({ terminals, pane, request }: Started): Promise<Refusal | undefined> {
  const dialog = findStartupDialog((await terminals.screen(pane)) ?? []);
  if (!dialog) return undefined;
  const text = printable(dialog.text);
  return refuse(
    'startup_dialog',
    `Claude Code asks ${request.agent} something before it starts; a person has to answer it once: ${text.split('\n', 1)[0]}`,
    {
      evidence: { agent: request.agent, dialog: dialog.kind, text, folder: request.folder },
      next: [`cd ${shellWord(request.folder)} && ${dialog.next}`],
    },
  );
}

async function ended({ terminals, pane, request, signal }: Started, exit: string | undefined): Promise<Refusal> {
  const screen = (await terminals.screen(pane)) ?? [];
  const words = screen.map((line) => printable(line).trim()).filter((line) => line !== '');
  const said = words.slice(-3).join(' ');
  const how =
    exit === undefined
      ? 'did not start in time, or its pane has gone'
      : `ended as soon as it was started (${exit.trim()})`;
  // Its transcript went, or its project is another one for it.
  const { continues } = request;
  if (continues && (said.includes('No conversation found') || !fs.existsSync(continues.record))) {
    const next = goOn(continues.session);
    return resumeFailed(request, { what: said, told: { exit: exit?.trim() ?? null, screen: words.slice(-12) }, next });
  }
  return refuse('launch_failed', `Claude Code of ${request.agent} ${how}${said ? `: ${said}` : '.'}`, {
    evidence: { agent: request.agent, exit: exit?.trim() ?? null, screen: words.slice(-12), aborted: signal.aborted },
    next: [`cd ${shellWord(request.folder)} && claude`],
  });
}
