import { BOUNDARIES } from '../../../src/kernel/index.ts';

/** The boundaries that a message passes: the coordinator is killed at each of them. */
export const CROSSED = BOUNDARIES.filter((boundary) => /^(send|offer|receipt|requeue|release|result)\./.test(boundary));

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
  'held before Enter',
  'paste on its way after a crash',
  'record unreadable',
  'liveness unknown',
  'leader unbound',
  'lease moved',
  'claims raced',
  'session cleared',
  'session forked',
  'session resumed',
  'session changed under an input',
  'session in two processes',
  'record lost',
  'proof lost with its record',
  'removed from the team',
  'back as a new generation',
  'sent while it was removed',
  'machine suspended',
  'coordinator upgraded',
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

/** No faults by themselves, but what faults must have met. */
export const SITUATIONS = [
  'riders in a hand-over',
  'riders refused',
  'riders open in a crash',
  'proved that nothing was typed',
  'cancelled by its sender',
  'cancelled too late',
  'confirmed by a person',
  'denied by a person',
  'released from scheduled',
  'released from batched',
  'released from dependencies',
  'released from human_confirmation',
  'waits for something else now',
  'dead because its recipient was removed',
  'offer open when its recipient was removed',
  'offer open when the lease moved',
  'riders open when the lease moved',
  'offer open in an upgrade',
  'offer open when the machine slept',
  'cancelled while held',
  'claim lost a race',
] as const;
export type Situation = (typeof SITUATIONS)[number];

/** How often each fault and each situation occurred. */
export class Histogram {
  readonly counts = new Map<Fault | Situation, number>();

  count(what: Fault | Situation): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** All faults together. */
  total(): number {
    const situations: readonly string[] = SITUATIONS;
    return [...this.counts].reduce((sum, [what, count]) => sum + (situations.includes(what) ? 0 : count), 0);
  }

  add(other: Histogram): void {
    for (const [fault, count] of other.counts) this.counts.set(fault, (this.counts.get(fault) ?? 0) + count);
  }

  /** The claimed faults and situations that never occurred. */
  missing(): (Fault | Situation)[] {
    const claimed = [...FAULTS, ...SITUATIONS, ...CROSSED.map((boundary): Fault => `crash at ${boundary}`)];
    return claimed.filter((fault) => !this.counts.has(fault));
  }

  toString(): string {
    const rows = [...this.counts].sort(([a], [b]) => a.localeCompare(b));
    return rows.map(([fault, count]) => `${String(count).padStart(8)}  ${fault}`).join('\n');
  }
}
