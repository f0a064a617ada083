import type { DeliveryId, IncarnationId, SessionId } from '../../../src/kernel/index.ts';

/** One conversation of an agent and its record: deliveries in the order they were taken; it only grows, until it is lost. */
export interface Session {
  readonly id: SessionId;
  readonly record: DeliveryId[];
  /** Its record shrank or is gone: what it lacks proves nothing. */
  lost: boolean;
}

/** One process life of an agent: its records outlive it, its queue does not. */
export class AgentLife {
  readonly incarnation: IncarnationId;
  /** Which of those that bear its name lives it. */
  readonly generation: number;
  /** The conversations that it worked on, the present one last. */
  readonly sessions: [Session, ...Session[]];
  /** In which of them each text, known by its deliveries, was handed over last. */
  readonly handedIn = new Map<DeliveryId, number>();
  alive = true;
  /** Each one input, with all the deliveries that stand in its text. */
  queue: (readonly DeliveryId[])[] = [];
  busy = false;
  /** ms of virtual time. */
  idleSince: number;
  lastBytesAt = Number.NEGATIVE_INFINITY;
  /** The paste that was begun in its terminal last, and those that may not be begun any more. */
  typed: string | undefined;
  readonly ruledOut = new Set<string>();
  /** When each text, known by its first delivery, came in last: for the guard against duplicates. */
  readonly seen = new Map<DeliveryId, number>();

  constructor(incarnation: IncarnationId, generation: number, session: Session, now: number) {
    this.incarnation = incarnation;
    this.generation = generation;
    this.sessions = [session];
    this.idleSince = now;
  }

  get session(): Session {
    return this.sessions.at(-1) ?? this.sessions[0];
  }

  get record(): DeliveryId[] {
    return this.session.record;
  }

  /** The conversations that a text may have come into: the one it was handed over in, and all after it. */
  since(delivery: DeliveryId): readonly Session[] {
    return this.sessions.slice(this.handedIn.get(delivery) ?? -1);
  }
}
