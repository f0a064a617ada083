import fs from 'node:fs';
import path from 'node:path';
import {
  type AgentId,
  type IncarnationId,
  isRefusal,
  LEADER,
  type ProcessIdentity,
  printable,
  probeProcess,
  readIfThere,
  sessionMembers,
  type TeamId,
  writePrivateFile,
} from '../kernel/index.ts';
import { type Change, closeSessionsOf, endIncarnation, findIncarnation, type IncarnationRow } from '../ledger/index.ts';
import { storeNotice } from '../messages/index.ts';
import { type AgentHandle, findProvider } from '../providers/index.ts';
import type { PaneHandle } from '../tmux/index.ts';
import type { Effects } from './effects.ts';
import { handleOf, lifeFolder, viewOf } from './life.ts';
import { endProcesses, endSurvivors, goingOn, goingOnText, type Left, named } from './survivors.ts';

export interface Ended {
  readonly agent_id: string;
  readonly incarnation: string;
  /** False when it could not be ended or nobody can tell: then nothing is claimed. */
  readonly ended: boolean;
  readonly exit: string | null;
  /** What goes on in its terminal: not proved to be its own, so nobody signalled it; or it could not be ended. */
  readonly left: readonly Left[];
  /** What it started and that went away from its terminal: it was left alone. */
  readonly goes_on: readonly Left[];
}

/** The pane of a life that may still go: by its handle, else by what is written on our panes. */
async function paneOf(effects: Effects, row: IncarnationRow): Promise<PaneHandle | 'none' | 'unknown'> {
  const pane = handleOf(row)?.pane;
  if (pane) return probeProcess(pane.process) === 'dead' ? 'none' : pane;
  const panes = await effects.terminals.panes();
  return panes ? (panes.find((candidate) => candidate.incarnation === row.incarnation) ?? 'none') : 'unknown';
}

/**
 * Ends one life by its own pane, and everything that was started in it, also when it has outlived the pane. Only what is
 * proved to be gone is written down as ended; `before` runs while its screen can still be seen.
 */
export async function endLife(
  effects: Effects,
  row: IncarnationRow,
  why: string,
  before: (pane: PaneHandle) => Promise<void> = async () => undefined,
): Promise<Ended> {
  const pane = await paneOf(effects, row);
  const open: Ended = {
    agent_id: row.agent_id,
    incarnation: row.incarnation,
    ended: false,
    exit: null,
    left: [],
    goes_on: [],
  };
  if (pane === 'unknown') return open;
  if (pane !== 'none') {
    await before(handleOf(row)?.view ?? pane);
    if (!(await closeView(effects, row))) return open;
    const closed = await closePane(effects, pane);
    if (!closed.gone) return { ...open, left: closed.left };
  }
  const wrapper = wrapperOf(row);
  const left = wrapper ? await endSurvivors(row.incarnation, wrapper) : [];
  if (left.length > 0) return { ...open, left };
  return recordEnd(effects, row.incarnation as IncarnationId, { why, asked: true });
}

/** The view goes first: a server waits for those who are attached to it. */
async function closeView(effects: Effects, row: IncarnationRow): Promise<boolean> {
  const panes = await effects.terminals.panes();
  const view = panes?.find((candidate) => candidate.incarnation === viewOf(row.incarnation));
  return panes !== undefined && (view === undefined || (await closePane(effects, view)).gone);
}

/** The first process of the pane in which a life runs. */
function wrapperOf(row: IncarnationRow): ProcessIdentity | undefined {
  return handleOf(row)?.pane?.process;
}

/** Closes a pane, and ends everything that was started in it and did not leave its terminal. */
export async function closePane(
  effects: Effects,
  pane: PaneHandle,
): Promise<{ readonly gone: boolean; readonly left: readonly Left[] }> {
  const members = sessionMembers(pane.process.pid);
  const ours = probeProcess(pane.process) === 'alive';
  const gone = await effects.terminals.close(pane);
  if (!ours) return { gone, left: [] };
  const left = named(await endProcesses(members));
  return { gone: left.length === 0, left };
}

/**
 * Writes down that a life has ended, with the exit code its wrapper left; once. Its token and its files go with it. The
 * leader is told of an end that nobody asked for.
 */
export async function recordEnd(
  effects: Effects,
  incarnation: IncarnationId,
  { why, asked }: { why: string; asked: boolean },
): Promise<Ended> {
  const row = await findIncarnation(effects.ledger.db, incarnation);
  if (!row) throw new Error(`no such incarnation: ${incarnation}`);
  const handle = handleOf(row);
  const exit = handle?.exitFile ? (readIfThere(handle.exitFile)?.trim() ?? null) : null;
  const wrapper = wrapperOf(row);
  // A wrapper always writes how its command ended, unless it was killed: then the command has perhaps not ended at all.
  const killed = exit === null && !asked && row.ended_at === null;
  const left = killed && wrapper ? await endSurvivors(incarnation, wrapper) : [];
  const goes_on = row.ended_at === null ? await goingOn(incarnation) : [];
  if (row.ended_at === null) {
    await effects.ledger.change(row.team as TeamId, 'coordinator', async (change) => {
      if (!(await endIncarnation(change, incarnation, exit))) return;
      await closeSessionsOf(change, incarnation);
      const told = { agent_id: row.agent_id, incarnation, exit, why, ...(goes_on.length > 0 ? { goes_on } : {}) };
      await change.event('agent.exited', told);
      if (!asked && row.ready_at !== null) await tellLeader(change, effects, row, exit, goes_on);
    });
  }
  effects.roster.end(incarnation);
  // What showed it shows nothing any more.
  if (handle?.view) await closeView(effects, row);
  fs.rmSync(lifeFolder(effects, incarnation), { recursive: true, force: true });
  const provider = effects.roster.member(row.team as TeamId, row.agent_id as AgentId)?.row.provider;
  if (handle) removeRemains(provider, handle);
  return { agent_id: row.agent_id, incarnation, ended: true, exit: exit ?? row.exit, left, goes_on };
}

/** What a life leaves outside its own folder: its socket, and what its CLI made behind it. */
export function removeRemains(name: string | undefined, handle: Pick<AgentHandle, 'socket'>): void {
  const provider = name === undefined ? undefined : findProvider(name);
  const left = provider && !isRefusal(provider) ? (provider.leftBehind?.(handle) ?? []) : [];
  for (const file of [handle.socket, ...left]) if (file) fs.rmSync(file, { force: true });
}

function tellLeader(
  change: Change,
  { mint }: Effects,
  row: IncarnationRow,
  exit: string | null,
  goesOn: readonly Left[],
): Promise<void> {
  const more = goesOn.length > 0 ? ` ${goingOnText(row.agent_id, goesOn)}` : '';
  return storeNotice(change, mint, {
    key: `exited:${row.incarnation}`,
    to: LEADER,
    body: `${row.agent_id} has ended by itself${exit ? ` (${exit})` : ''}. What is not proved to be read waits for its next start.${more}`,
  });
}

/**
 * Keeps what an agent's screen showed last, as plain text a person may print. undefined when there was nothing to see, or
 * when it cannot be written: no end waits for that.
 */
export async function keepLastView(
  effects: Effects,
  team: TeamId,
  agent: AgentId,
  pane: PaneHandle,
): Promise<string | undefined> {
  const screen = await effects.terminals.screen(pane, { history: 5_000 });
  if (!screen) return undefined;
  const folder = path.join(effects.runFolder, 'last-views', team);
  const file = path.join(folder, `${agent}.txt`);
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    writePrivateFile(file, `${screen.map(printable).join('\n').trimEnd()}\n`);
  } catch (error) {
    effects.failed(error, `what ${agent} showed last was not kept`);
    return undefined;
  }
  return file;
}
