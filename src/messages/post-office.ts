import type { Recipient } from '../agents/index.ts';
import type { AgentId } from '../kernel/index.ts';
import type { LedgerEvent } from '../ledger/index.ts';
import { Line, type Resting } from './line.ts';
import type { Desk } from './moves.ts';
import { Schedule } from './schedule.ts';

/** The lines of one team, independent of one another, one per recipient, made when first needed; and its schedule. */
export class PostOffice {
  readonly #desk: Desk;
  readonly #recipient: (id: AgentId) => Recipient | undefined;
  readonly #report: (error: unknown) => void;
  readonly #lines = new Map<AgentId, Line>();
  readonly #schedule: Schedule;
  #stopped = false;

  constructor(desk: Desk, recipient: (id: AgentId) => Recipient | undefined, report: (error: unknown) => void) {
    this.#desk = desk;
    this.#recipient = recipient;
    this.#report = report;
    this.#schedule = new Schedule(desk, report);
  }

  /** Something about this recipient changed: its line looks again. */
  wake(id: AgentId): void {
    this.#line(id)?.wake();
  }

  /** What an event was about looks again: the only way in which a change of one room reaches a line. */
  heard({ type, data }: Pick<LedgerEvent, 'type' | 'data'>): void {
    switch (type) {
      case 'message.stored':
        for (const recipient of data.to as AgentId[]) this.wake(recipient);
        if (data.held !== undefined) this.wakeSchedule();
        break;
      case 'delivery.queued':
        this.wake(data.to as AgentId);
        break;
      case 'delivery.held':
        this.wakeSchedule();
        break;
    }
  }

  /** Something waits for its time: the schedule looks again. */
  wakeSchedule(): void {
    this.#schedule.wake();
  }

  /** Why this recipient's line rests, as of its last look. */
  resting(id: AgentId): Resting | undefined {
    return this.#lines.get(id)?.resting();
  }

  /** Offers nothing more, to nobody. */
  stop(): void {
    this.#stopped = true;
    for (const line of this.#lines.values()) line.stop();
  }

  /** Resolves once every line rests; with `id`, once that one does. */
  async settled(id?: AgentId): Promise<void> {
    const lines = id === undefined ? [...this.#lines.values()] : [this.#lines.get(id)];
    await Promise.all([...lines.map((line) => line?.settled()), id === undefined && this.#schedule.settled()]);
  }

  #line(id: AgentId): Line | undefined {
    const known = this.#lines.get(id);
    if (known) return known;
    const recipient = this.#recipient(id);
    if (!recipient) return undefined;
    const line = new Line(this.#desk, recipient, this.#report);
    if (this.#stopped) line.stop();
    this.#lines.set(id, line);
    return line;
  }
}
