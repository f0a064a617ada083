import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Row, row } from '../figures.ts';
import { agents, Project } from '../project.ts';
import { faultsOfChildren } from './commands.ts';
import type { Scene, Stage } from './scene.ts';

const CROWD = 16;
/** A Node process that has become idle tidies its memory up once, about 9 s later: that belongs to the work before. ms. */
export const SETTLING = 12_000;

/** What a coordinator costs that has nothing to do. */
export const idle: Scene = {
  title: `an idle coordinator, ${CROWD} agents`,
  play: async ({ ground, long }: Stage): Promise<readonly Row[]> => {
    const empty = new Project(ground, 'empty', agents(1));
    await empty.start();
    await empty.command('shutdown');
    await empty.command('coordinator', 'start');
    const alone = memory(pidOf(empty));
    await empty.end();
    const project = new Project(ground, 'idle', agents(CROWD));
    await project.start();
    await pause(SETTLING);
    const pid = pidOf(project);
    const before = counters(pid);
    const seconds = long ? 60 : 10;
    await pause(seconds * 1_000);
    const after = counters(pid);
    const crowded = memory(pid);
    await project.end();
    const value = (limit: number) => ({ budget: { limit, of: 'value' } as const });
    return [
      row(`processor, over ${seconds} s`, '%', [((after.cpu - before.cpu) / (seconds * 1e9)) * 100], value(0.3)),
      row('processes started', 'count', [after.faults > before.faults ? 1 : 0], value(0)),
      row('bytes written to disk', 'bytes', [after.written - before.written], value(0)),
      row('memory, no agents', 'MB', [alone], value(110)),
      row(`memory, ${CROWD} agents`, 'MB', [crowded], value(110 + 0.6 * CROWD)),
    ];
  },
};

export function pidOf(project: Project): number {
  const coordinator = project.coordinator();
  if (!coordinator) throw new Error('no coordinator lives');
  return coordinator.pid;
}

/** Processor time in ns of all threads, bytes that go to a disk, page faults of children. */
export function counters(pid: number): { cpu: number; written: number; faults: number } {
  const times = fs
    .readdirSync(`/proc/${pid}/task`)
    .map((task) => Number(fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]));
  const written = /^write_bytes: (\d+)$/m.exec(fs.readFileSync(`/proc/${pid}/io`, 'utf8'));
  return {
    cpu: times.reduce((sum, time) => sum + time, 0),
    written: Number(written?.[1]),
    faults: faultsOfChildren(pid),
  };
}

/** Resident memory, MB of 10^6 bytes. */
export function memory(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  return (Number(found?.[1]) * 1_024) / 1_000_000;
}
