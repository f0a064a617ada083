import { BOUNDARIES } from '../../../src/kernel/index.ts';

/** The boundaries that a message passes: the coordinator is killed at each of them. */
export const CROSSED = BOUNDARIES.filter((boundary) => /^(send|offer|receipt|requeue)\./.test(boundary));

/** What goes wrong in a run. Each is counted when it bites, not when it is planned. */
export const FAULTS = [
  'crash in a statement',
  'crash between two steps',
  'crash while booting',
  'channel refused',
  'channel down',
  'bytes lost after written',
  'silent drop',
  'duplicate dropped by the agent',
  'answer of the channel unclear',
  'slow agent',
  'duplicate wake',
  'agent died with its queue',
  'agent back as a new incarnation',
  'dialog opened',
  'eaten by a dialog',
  'edited by the person',
  'refused before Enter',
  'record unreadable',
  'liveness unknown',
  'leader unbound',
  'taken by a person',
  'late receipt after unproved',
  'expired in the line',
  'expired while unproved',
  'attempts exhausted',
  'wall clock set',
  'commit failed',
  'write failed',
  'send repeated',
] as const;
export type Fault = (typeof FAULTS)[number] | `crash at ${string}`;

/** How often each fault occurred. */
export class Histogram {
  readonly counts = new Map<Fault, number>();

  count(fault: Fault): void {
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
  }

  total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  add(other: Histogram): void {
    for (const [fault, count] of other.counts) this.counts.set(fault, (this.counts.get(fault) ?? 0) + count);
  }

  /** The claimed faults that never occurred. */
  missing(): Fault[] {
    const claimed: Fault[] = [...FAULTS, ...CROSSED.map((boundary): Fault => `crash at ${boundary}`)];
    return claimed.filter((fault) => !this.counts.has(fault));
  }

  toString(): string {
    const rows = [...this.counts].sort(([a], [b]) => a.localeCompare(b));
    return rows.map(([fault, count]) => `${String(count).padStart(8)}  ${fault}`).join('\n');
  }
}
