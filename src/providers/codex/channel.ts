import { sizeOf } from '../../kernel/index.ts';
import { Alarm } from '../alarm.ts';
import { isResumed } from '../continuing.ts';
import { hold, ofAnotherLife } from '../holds.ts';
import type { Channel, Handed, Hold, Offer, Settlement } from '../shape.ts';
import { holdOfThreads, receiptOf, type Seen } from './seen.ts';
import { isObject } from './server/connection.ts';
import type { CodexThread } from './server/thread.ts';
import type { FollowedThread } from './threads.ts';

/**
 * Between two looks that both find a delivery nowhere, ms. An entry that leaves the queue is in no list until its turn has
 * begun; measured: up to 40 ms. In that time the thread must not have moved.
 */
const SECOND_LOOK = 1500;

/** The server's word for what it took stands in its record after some ms; when it does not, ms, the word alone counts. */
const LINE_PATIENCE = 2000;

/** So long a turn may take to begin after its message was handed over, ms; measured: up to 40. */
const TURN_PATIENCE = 1000;

const NO_BYTE = 'there was no connection: no byte left';
const NO_ANSWER = 'the connection broke before the app-server answered';

/** Into the thread's own queue, over the app-server's socket. Only what is urgent steers a running turn. */
export class ProtocolChannel implements Channel {
  readonly name = 'protocol';
  readonly intrudes = true;
  readonly #seen: Seen;
  readonly #alarm = new Alarm();
  /** By the offer, the first look that found it nowhere while nothing ran: with what the thread had done until then. */
  readonly #absent = new Map<string, { readonly moves: number; readonly at: number }>();

  /** By the offer, when a turn of the server's list had it first while the rollout lacked it. */
  readonly #listed = new Map<string, number>();

  /** The last hand-over, and what the thread had done until then. */
  #handed: { readonly offer: string; readonly moves: number; readonly at: number } | undefined;

  constructor(seen: Seen) {
    this.#seen = seen;
  }

  /** What the server pushes is what it knows: it needs no question of ours. */
  async state(): Promise<'ready' | Hold> {
    const { connection, threads, handle } = this.#seen;
    if (this.#seen.liveness() === 'dead') return hold('channel_down', 'its process is dead');
    if (!connection.up) {
      return hold(connection.coming ? 'starting' : 'channel_down', `not connected to ${handle.socket ?? 'its socket'}`);
    }
    return holdOfThreads(threads) ?? this.#holdOfHanded() ?? 'ready';
  }

  async hand(offer: Offer, rendered: string): Promise<Handed> {
    return (offer.urgent && (await this.#steer(offer, rendered))) || this.#queue(offer, rendered);
  }

  /** Into the running turn. Undefined when none runs, or when the server refuses it: then it has not taken it. */
  async #steer({ delivery }: Offer, rendered: string): Promise<Handed | undefined> {
    const { connection, threads } = this.#seen;
    const { thread } = threads.current;
    const { status, turn } = thread.state;
    if (status !== 'active' || turn === undefined) return undefined;
    const steered = await thread.steer(connection, turn, delivery, rendered);
    switch (steered.answered) {
      case 'error':
        return undefined;
      case 'none':
        return { handed: 'not_taken', evidence: NO_BYTE };
      case 'lost':
        return { handed: 'unknown', evidence: NO_ANSWER };
      case 'result':
        return { handed: 'written' };
      default:
        return steered satisfies never;
    }
  }

  async #queue(offer: Offer, rendered: string): Promise<Handed> {
    const { connection, threads } = this.#seen;
    const { thread } = threads.current;
    this.#handed = { offer: nameOf(offer), moves: threads.moves, at: performance.now() };
    const added = await thread.add(connection, offer.delivery, rendered);
    if (added.answered !== 'result') this.#handed = undefined;
    switch (added.answered) {
      case 'none':
        return { handed: 'not_taken', evidence: NO_BYTE };
      case 'error':
        return { handed: 'not_taken', evidence: `the app-server refused it: ${added.message}` };
      case 'lost':
        return { handed: 'unknown', evidence: NO_ANSWER };
      case 'result':
        // Its answer says nothing more, and it comes later than the turn begins.
        void thread.start(connection, entryOf(added.result));
        return { handed: 'written' };
      default:
        return added satisfies never;
    }
  }

  /**
   * Taken: its rollout has it as user input. Not taken: the app-server, asked twice with no turn in between, has it neither in
   * its queue nor in a turn while the thread is idle. The queue outlives the server, so that a dead server proves nothing.
   */
  async settle(offer: Offer): Promise<Settlement> {
    const settlement = await this.#settle(offer);
    if (settlement.outcome !== 'unknown') {
      this.#absent.delete(nameOf(offer));
      this.#listed.delete(nameOf(offer));
    }
    return settlement;
  }

  async #settle(offer: Offer): Promise<Settlement> {
    // What was handed to the life before waits in the same thread.
    if (offer.incarnation !== this.#seen.incarnation && !isResumed(this.#seen.handle)) return ofAnotherLife(offer);
    const taken = receiptOf(this.#seen, offer) ?? this.#toldTaken(offer);
    if (taken) return taken;
    const { connection, threads, liveness } = this.#seen;
    if (liveness() === 'dead') {
      return { outcome: 'unknown', awaited: 'its thread: what its queue held runs when somebody resumes it' };
    }
    if (connection.up && this.#wasJustHanded(offer)) {
      this.#alarm.set(TURN_PATIENCE, this.#seen.changed);
      return { outcome: 'unknown', awaited: 'its turn, which is about to begin' };
    }
    const { moves } = threads;
    for (const followed of threads.all()) {
      const seen = await this.#lookInto(followed, offer);
      if (seen) return seen;
    }
    return this.#nowhere(offer, moves);
  }

  /** What one thread shows of an offer; undefined when it has nothing of it. */
  async #lookInto(followed: FollowedThread, offer: Offer): Promise<Settlement | undefined> {
    const { connection, threads } = this.#seen;
    const isFormer = followed !== threads.current;
    const where = isFormer && sizeOf(followed.file) === 0 ? 'queue' : 'everywhere';
    const sighting = await followed.thread.look(connection, offer.delivery, where);
    const late = receiptOf(this.#seen, offer) ?? this.#toldTaken(offer);
    if (late) return late;
    switch (sighting.seen) {
      case 'unknown':
        return { outcome: 'unknown', awaited: `an answer of the app-server to ${sighting.why}, or its end` };
      case 'queue':
        return isFormer ? this.#inFormerQueue(followed.thread, sighting.entry) : this.#inQueue(sighting.entry);
      case 'turns':
        // Otherwise an older record of it, from before this offer.
        return followed.record.knows(offer.delivery) ? undefined : this.#inTurn(offer, sighting.item, followed.file);
      case 'nowhere':
        return undefined;
      default:
        return sighting satisfies never;
    }
  }

  close(): void {
    this.#alarm.close();
  }

  /** The record may show a message before the server's word of its turn is heard: what was just handed over runs first. */
  #holdOfHanded(): Hold | undefined {
    const { moves, at } = this.#handed ?? {};
    if (moves !== this.#seen.threads.moves || at === undefined || performance.now() - at > TURN_PATIENCE)
      return undefined;
    this.#alarm.set(TURN_PATIENCE, this.#seen.changed);
    return hold('working', 'the turn of what was just handed over is about to begin');
  }

  /** Questions about a message whose turn begins now would only keep the server from beginning it. */
  #wasJustHanded(offer: Offer): boolean {
    const handed = this.#handed;
    return handed?.offer === nameOf(offer) && performance.now() - handed.at < TURN_PATIENCE;
  }

  /** Our own entry in the queue of a thread that does nothing: an interrupt has shut the queue, and only a start opens it. */
  async #inQueue(entry: string): Promise<Settlement> {
    const { connection, threads } = this.#seen;
    const { thread } = threads.current;
    const { status } = thread.state;
    if (status !== 'idle' && status !== 'systemError') {
      return { outcome: 'unknown', awaited: "it waits in the thread's own queue for the end of the turn" };
    }
    await thread.start(connection, entry);
    this.#alarm.set(SECOND_LOOK, this.#seen.changed);
    return { outcome: 'unknown', awaited: "it waits in the thread's own queue, which was started" };
  }

  /** Nobody looks into the thread before any more: what waits there belongs to the one that is followed now. */
  async #inFormerQueue(thread: CodexThread, entry: string): Promise<Settlement> {
    const awaited = 'it waits in the queue of the conversation before';
    if (thread.state.status === 'active') return { outcome: 'unknown', awaited };
    const taken = await thread.delete(this.#seen.connection, entry);
    if (taken.answered === 'result') {
      return { outcome: 'not_taken', evidence: 'it was taken back from the queue of the conversation before' };
    }
    this.#alarm.set(SECOND_LOOK, this.#seen.changed);
    return { outcome: 'unknown', awaited };
  }

  /** The server lists it, and goes on listing it, while its rollout lacks the line: then its list is the record. */
  #inTurn(offer: Offer, item: string, file: string): Settlement {
    const now = performance.now();
    const since = this.#listed.get(nameOf(offer)) ?? now;
    this.#listed.set(nameOf(offer), since);
    if (now - since < LINE_PATIENCE) return this.#awaitLine('the app-server has it in a turn');
    return { outcome: 'taken', receipt: { source: 'app-server:turns', file, record_id: item } };
  }

  #nowhere(offer: Offer, moves: number): Settlement {
    const { threads } = this.#seen;
    const { status } = threads.current.thread.state;
    const busy = threads.all().some(({ thread }) => thread.state.status === 'active');
    const name = nameOf(offer);
    if (busy || status === 'notLoaded') {
      this.#absent.delete(name);
      return { outcome: 'unknown', awaited: 'the running turn, which may be its own or is about to take it in' };
    }
    const now = performance.now();
    const { moves: after } = threads;
    const before = this.#absent.get(name);
    if (before?.moves === after && moves === after) {
      if (now - before.at >= SECOND_LOOK) {
        return { outcome: 'not_taken', evidence: 'the thread is idle, and neither its queue nor its turns have it' };
      }
    } else {
      this.#absent.set(name, { moves: after, at: now });
    }
    this.#alarm.set(SECOND_LOOK, this.#seen.changed);
    return { outcome: 'unknown', awaited: 'a second look into the queue and the turns of the thread' };
  }

  /** The server's own word that it has begun on it. The line of the record says more, and comes at once. */
  #toldTaken(offer: Offer): Settlement | undefined {
    const { threads } = this.#seen;
    const position = threads.positionOf(offer);
    const by = threads.all().find(({ thread }) => thread.taken(offer.delivery, position));
    const told = by?.thread.taken(offer.delivery, position);
    // Heard late it may be the word of an earlier line, which is there then and does not count.
    if (!by || !told || by.record.knows(offer.delivery)) return undefined;
    if (Date.now() - told.at < LINE_PATIENCE) return this.#awaitLine('the app-server has begun on it');
    return { outcome: 'taken', receipt: { source: 'app-server:item', file: by.file, record_id: told.item } };
  }

  #awaitLine(why: string): Settlement {
    this.#alarm.set(LINE_PATIENCE, this.#seen.changed);
    return { outcome: 'unknown', awaited: `${why}: the line of its rollout`, imminent: true };
  }
}

const nameOf = ({ delivery, number }: Offer): string => `${delivery} ${number}`;

function entryOf(result: unknown): string {
  const entry = isObject(result) ? result.queuedSubmission : undefined;
  return isObject(entry) ? String(entry.id) : '';
}
