import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { processStat } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { long } from '../support/long.ts';
import { CrashScene } from './crash-scene.ts';

const scenes: CrashScene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.end();
});

/** How long it is watched, ms. The full length holds several sweeps of the coordinator. */
const WINDOW = long ? 60_000 : 10_000;

/** Bytes that one process sent to storage, by the kernel's own count. (Its `wchar` counts the loop's own wake-ups too.) */
function written(pid: number): number {
  const lines = fs.readFileSync(`/proc/${pid}/io`, 'utf8').trim().split('\n');
  return Number(lines.find((line) => line.startsWith('write_bytes:'))?.split(' ')[1]);
}

/** Page faults of children that were waited for: grows whenever a child has ended, however short it lived. */
function faultsOfChildren(pid: number): number[] {
  const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return [Number(fields[8]), Number(fields[10])];
}

function childrenOf(parents: ReadonlySet<number>): number[] {
  return fs
    .readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && parents.has(processStat(pid)?.ppid ?? -1));
}

test.runIf(process.platform === 'linux')(
  'I09 an idle coordinator with 16 agents starts no process and writes nothing',
  async () => {
    const made = new CrashScene('quiet');
    scenes.push(made);
    const agents = Array.from({ length: 16 }, (_, at) => ({ id: `agent-${at}` }));
    expect((await made.run(['quick-start', made.writeTeam('alpha', agents)])).code).toBe(0);
    const pid = made.coordinator()?.pid ?? 0;
    const server = Number(made.tmux('display-message', '-p', '#{pid}'));
    await eventually('what the start has set in motion to come to rest', async () => {
      const before = written(pid);
      await pause(1_000);
      return written(pid) === before;
    });

    const watched = new Set([pid, server]);
    const look = () => ({
      written: written(pid),
      faults: [pid, server].map(faultsOfChildren),
      children: childrenOf(watched).sort((a, b) => a - b),
      ledger: [made.paths.ledger, `${made.paths.ledger}-wal`, made.paths.log].map((file) => fs.statSync(file).mtimeMs),
    });
    const before = look();
    const ticks = processStat(pid)?.ticks ?? 0;
    const strangers = new Set<number>();
    const end = performance.now() + WINDOW;
    while (performance.now() < end) {
      for (const child of childrenOf(watched)) if (!before.children.includes(child)) strangers.add(child);
      await pause(100);
    }
    const used = (processStat(pid)?.ticks ?? 0) - ticks;
    console.log(`idle for ${WINDOW / 1_000} s with 16 agents: ${used} ticks of CPU`);
    expect([...strangers]).toEqual([]);
    expect(look()).toEqual(before);
  },
);
