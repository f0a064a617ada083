import { setTimeout as pause } from 'node:timers/promises';
import { readIfThere } from '../kernel/files.ts';
import { identifyProcess, processStat } from '../kernel/processes.ts';
import { type Refusal, refuse } from '../kernel/reasons.ts';
import { callSocket } from './call.ts';
import { ANSWER_DEADLINE, type Paths, type Pointer } from './protocol.ts';

/** The coordinator's own word about itself on disk, when its process still is that one. */
export function readPointer(paths: Pick<Paths, 'pointer'>): Pointer | undefined {
  const text = readIfThere(paths.pointer);
  if (!text) return undefined;
  const pointer = JSON.parse(text) as Pointer;
  return identifyProcess(pointer.pid)?.start === pointer.start ? pointer : undefined;
}

/** Asked when an answer is late: does its loop still turn? undefined when it does. It is never replaced while it lives. */
export async function askWhetherFrozen(paths: Paths): Promise<Refusal | undefined> {
  const silence = new AbortController();
  const deadline = setTimeout(() => silence.abort(), ANSWER_DEADLINE);
  const hello = await callSocket({
    socket: paths.socket,
    method: 'GET',
    path: '/hello',
    headers: {},
    signal: silence.signal,
  });
  clearTimeout(deadline);
  if (hello.outcome !== 'lost') return undefined;
  const pointer = readPointer(paths);
  if (!pointer) return undefined;
  const before = processStat(pointer.pid);
  await pause(50);
  const after = processStat(pointer.pid);
  if (!before || !after) return undefined;
  const what =
    after.state === 'T'
      ? 'it is stopped (SIGSTOP)'
      : after.ticks > before.ticks
        ? 'its loop is busy and does not turn'
        : 'its loop does not turn';
  return refuse(
    'coordinator_frozen',
    `The coordinator (process ${pointer.pid}) lives but did not answer within ${ANSWER_DEADLINE / 1_000} s: ${what}.`,
    {
      evidence: { pid: pointer.pid, process_state: after.state, cpu_ticks: after.ticks - before.ticks },
      next:
        after.state === 'T'
          ? [`kill -CONT ${pointer.pid}`, 'team-agent coordinator stop --force']
          : ['team-agent coordinator stop --force'],
    },
  );
}
