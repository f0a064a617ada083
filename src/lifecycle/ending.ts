import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type AgentId,
  type IncarnationId,
  isRefusal,
  LEADER,
  printable,
  probeProcess,
  readIfThere,
  sessionMembers,
  signalProcess,
  type TeamId,
  writePrivateFile,
} from '../kernel/index.ts';
import { type Change, closeSessionsOf, endIncarnation, findIncarnation, type IncarnationRow } from '../ledger/index.ts';
import { storeNotice } from '../messages/index.ts';
import { type AgentHandle, findProvider } from '../providers/index.ts';
import type { PaneHandle } from '../tmux/index.ts';
import type { Effects } from './effects.ts';
import { handleOf, lifeFolder, viewOf } from './life.ts';

/** How long a closed agent may take to end by itself, ms; then it is killed. */
const GRACE = 1_500;

export interface Ended {
  readonly agent_id: string;
  readonly incarnation: string;
  /** False when it could not be ended or nobody can tell: then nothing is claimed. */
  readonly ended: boolean;
  readonly exit: string | null;
}

/** The pane of a life that may still go: by its handle, else by what is written on our panes. */
async function paneOf(effects: Effects, row: IncarnationRow): Promise<PaneHandle | 'none' | 'unknown'> {
  const pane = handleOf(row)?.pane;
  if (pane) return probeProcess(pane.process) === 'dead' ? 'none' : pane;
  const panes = await effects.terminals.panes();
  return panes ? (panes.find((candidate) => candidate.incarnation === row.incarnation) ?? 'none') : 'unknown';
}

/**
 * Ends one life by its own pane, and everything that was started in it. Only what is proved to be gone is written down as
 * ended; `before` runs while its screen can still be seen.
 */
export async function endLife(
  effects: Effects,
  row: IncarnationRow,
  why: string,
  before: (pane: PaneHandle) => Promise<void> = async () => undefined,
): Promise<Ended> {
  const pane = await paneOf(effects, row);
  const open: Ended = { agent_id: row.agent_id, incarnation: row.incarnation, ended: false, exit: null };
  if (pane === 'unknown') return open;
  if (pane !== 'none') {
    await before(handleOf(row)?.view ?? pane);
    if (!(await closeView(effects, row))) return open;
    if (!(await closePane(effects, pane))) return open;
  }
  return recordEnd(effects, row.incarnation as IncarnationId, { why, asked: true });
}

/** The view goes first: a server waits for those who are attached to it. */
async function closeView(effects: Effects, row: IncarnationRow): Promise<boolean> {
  const panes = await effects.terminals.panes();
  const view = panes?.find((candidate) => candidate.incarnation === viewOf(row.incarnation));
  return panes !== undefined && (view === undefined || closePane(effects, view));
}

export async function closePane(effects: Effects, pane: PaneHandle): Promise<boolean> {
  const members = sessionMembers(pane.process.pid);
  const ours = probeProcess(pane.process) === 'alive';
  const gone = await effects.terminals.close(pane);
  if (!ours) return gone;
  const deadline = performance.now() + GRACE;
  const left = () => members.filter((member) => probeProcess(member) === 'alive');
  while (left().length > 0 && performance.now() < deadline) await pause(5);
  for (const member of left()) signalProcess(member, 'SIGKILL');
  while (left().length > 0 && performance.now() < deadline + GRACE) await pause(5);
  return left().length === 0;
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
  if (row.ended_at === null) {
    await effects.ledger.change(row.team as TeamId, 'coordinator', async (change) => {
      if (!(await endIncarnation(change, incarnation, exit))) return;
      await closeSessionsOf(change, incarnation);
      await change.event('agent.exited', { agent_id: row.agent_id, incarnation, exit, why });
      if (!asked && row.ready_at !== null) await tellLeader(change, effects, row, exit);
    });
  }
  effects.roster.end(incarnation);
  // What showed it shows nothing any more.
  if (handle?.view) await closeView(effects, row);
  fs.rmSync(lifeFolder(effects, incarnation), { recursive: true, force: true });
  const provider = effects.roster.member(row.team as TeamId, row.agent_id as AgentId)?.row.provider;
  if (handle) removeRemains(provider, handle);
  return { agent_id: row.agent_id, incarnation, ended: true, exit: exit ?? row.exit };
}

/** What a life leaves outside its own folder: its socket, and what its CLI made behind it. */
export function removeRemains(name: string | undefined, handle: AgentHandle): void {
  const provider = name === undefined ? undefined : findProvider(name);
  const left = provider && !isRefusal(provider) ? (provider.leftBehind?.(handle) ?? []) : [];
  for (const file of [handle.socket, ...left]) if (file) fs.rmSync(file, { force: true });
}

function tellLeader(change: Change, { mint }: Effects, row: IncarnationRow, exit: string | null): Promise<void> {
  return storeNotice(change, mint, {
    key: `exited:${row.incarnation}`,
    to: LEADER,
    body: `${row.agent_id} has ended by itself${exit ? ` (${exit})` : ''}. What is not proved to be read waits for its next start.`,
  });
}

/** Keeps what an agent's screen showed last, as plain text a person may print. undefined when there was nothing to see. */
export async function keepLastView(
  effects: Effects,
  team: TeamId,
  agent: AgentId,
  pane: PaneHandle,
): Promise<string | undefined> {
  const screen = await effects.terminals.screen(pane, { history: 5_000 });
  if (!screen) return undefined;
  const folder = path.join(effects.runFolder, 'last-views', team);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = path.join(folder, `${agent}.txt`);
  writePrivateFile(file, `${screen.map(printable).join('\n').trimEnd()}\n`);
  return file;
}
