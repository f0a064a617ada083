import fs from 'node:fs';
import { readIfThere, writePrivateFile } from '../kernel/files.ts';
import { signalProcess } from '../kernel/processes.ts';
import { type Refusal, refuse } from '../kernel/reasons.ts';
import { callSocket } from './call.ts';
import { readPointer } from './frozen.ts';
import { ANSWER_DEADLINE, type Paths, pathsOf } from './protocol.ts';
import { startCoordinator } from './starting.ts';

/** A coordinator may be revived this often within the window, ms; after that it stays down and says so. */
const REVIVALS = 3;
const REVIVAL_WINDOW = 5 * 60_000;

/** Ends a coordinator that does not answer, by its pid and start time. Its agents live on. */
export function forceStop(workspace: string): { readonly ok: true; readonly pid: number } | Refusal {
  const paths = pathsOf(workspace);
  const pointer = readPointer(paths);
  if (!pointer)
    return refuse('coordinator_absent', 'No coordinator runs for this workspace.', {
      next: ['team-agent coordinator start'],
    });
  // Without its pointer it has ended as somebody wanted: nobody revives it.
  fs.rmSync(paths.pointer, { force: true });
  signalProcess(pointer, 'SIGKILL');
  return { ok: true, pid: pointer.pid };
}

/**
 * Called by our tmux server when a control client of the coordinator was cut off: starts it again unless it lives, at most
 * three times in five minutes. Does nothing where there is no team any more.
 */
export async function reviveFromTmux(workspace: string): Promise<Refusal | undefined> {
  const paths = pathsOf(workspace);
  if (readIfThere(paths.ledger) === undefined) return undefined;
  const hello = await callSocket({
    socket: paths.socket,
    method: 'GET',
    path: '/hello',
    headers: {},
    signal: AbortSignal.timeout(ANSWER_DEADLINE),
  });
  if (hello.outcome === 'answered' || readPointer(paths)) return undefined;
  const recent = recentRevivals(paths);
  // Each client that was cut off with it calls: one end is one revival.
  const of = readIfThere(paths.pointer);
  if (of === undefined) return undefined;
  if (!recent.some((revival) => revival.of === of)) {
    if (recent.length >= REVIVALS) return gaveUp(recent);
    writePrivateFile(paths.revivals, JSON.stringify([...recent, { at: Date.now(), of }]));
  }
  return startCoordinator(paths);
}

/** Said loudly by `status` while no coordinator runs: it died too often to be revived by itself. */
export function whetherGaveUp(workspace: string): Refusal | undefined {
  const paths = pathsOf(workspace);
  const recent = recentRevivals(paths);
  // One that ended in order took its pointer along; one whose end is on the list is being revived.
  const of = readIfThere(paths.pointer);
  const leftDown = of !== undefined && !recent.some((revival) => revival.of === of);
  return leftDown && recent.length >= REVIVALS ? gaveUp(recent) : undefined;
}

/** One revival: when (UTC ms), and the pointer of the coordinator that had ended. */
interface Revival {
  readonly at: number;
  readonly of: string;
}

function recentRevivals(paths: Paths): readonly Revival[] {
  const all = JSON.parse(readIfThere(paths.revivals) ?? '[]') as readonly Revival[];
  return all.filter(({ at }) => at > Date.now() - REVIVAL_WINDOW);
}

function gaveUp(recent: readonly Revival[]): Refusal {
  return refuse(
    'coordinator_gave_up',
    `The coordinator ended ${recent.length + 1} times within five minutes and is left down. The agents live on; their mail waits.`,
    {
      evidence: { revived_at: recent.map(({ at }) => at) },
      next: ['tail -n 50 .team/run/coordinator.log', 'team-agent coordinator start'],
    },
  );
}
