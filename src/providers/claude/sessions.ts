import path from 'node:path';
import { readIfThere, sizeOf } from '../../kernel/index.ts';
import { LineFollower } from '../line-follower.ts';
import type { MissedCall, Offer } from '../shape.ts';
import { RecordFollower } from './sources/record-follower.ts';
import { parseStart } from './sources/session-starts.ts';

export interface FollowedSession {
  readonly session: string;
  readonly record: RecordFollower;
}

export interface SessionsOptions {
  /** What the launch told, or the person who claimed it. */
  readonly session: string;
  readonly record: string;
  /** The file of the SessionStart hook; undefined for a conversation that somebody else started. */
  readonly starts: string | undefined;
  readonly changed: () => void;
  readonly heard: (from: string, at: number) => void;
  /** Another session runs in the same process from now on: `/clear`, `/resume`. */
  readonly moved: (session: string) => void;
}

/**
 * The sessions that one process has worked on, oldest first. Mostly there is one; `/clear` and `/resume` begin another in the
 * same process. Each keeps its transcript: what was handed to an earlier one is proved there.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #followed: FollowedSession[] = [];
  readonly #starts: LineFollower | undefined;
  /** Calls told already, once there are several transcripts: a byte position means nothing then. */
  readonly #told = new Set<string>();
  #watching = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#follow(options.session, options.record);
    if (options.starts !== undefined) {
      const take = (line: string): void => {
        const start = parseStart(line);
        if (start) this.moveTo(start.session, start.transcript);
      };
      this.#starts = new LineFollower(options.starts, take, options.changed);
      // A life that has ended has no run folder any more.
      if (readIfThere(options.starts) !== undefined) this.#starts.catchUp();
    }
  }

  get current(): FollowedSession {
    const last = this.#followed.at(-1);
    if (!last) throw new Error('a process without a session');
    return last;
  }

  watch(): void {
    this.#watching = true;
    for (const { record } of this.#followed) record.watch();
    if (this.#options.starts !== undefined && sizeOf(this.#options.starts) > 0) this.#starts?.watch();
  }

  /** Reads everything to its present end. */
  catchUp(): void {
    this.#starts?.catchUp();
    for (const { record } of this.#followed) record.catchUp();
  }

  /** The process works on this session now; the same one again, after a compaction or a resume of itself, changes nothing. */
  moveTo(session: string, file: string): void {
    if (session === this.current.session) return;
    const known = this.#followed.findIndex((followed) => followed.session === session);
    const [back] = known < 0 ? [] : this.#followed.splice(known, 1);
    if (back) this.#followed.push(back);
    else this.#follow(session, file);
    this.#options.moved(session);
  }

  /** Where the transcript of another session in the same folder of the project stands. */
  fileBeside(session: string): string {
    return path.join(path.dirname(this.current.record.file), `${session}.jsonl`);
  }

  /** What proves an offer. Its position counts in a single transcript; among several the delivery's own id is proof enough. */
  receipt(
    uuids: readonly string[],
    offer: Offer,
  ): { readonly file: string; readonly offset: number; readonly uuid: string | undefined } | undefined {
    this.catchUp();
    const position = this.#followed.length === 1 ? offer.position : 0;
    for (const { record } of this.#followed) {
      const input = record.receipt(uuids, offer.delivery, position);
      if (input) return { file: record.file, offset: input.offset, uuid: input.uuids[0] };
    }
    return undefined;
  }

  wasQueued(offer: Offer): boolean {
    const position = this.#followed.length === 1 ? offer.position : 0;
    return this.#followed.some(({ record }) => record.wasQueued(offer.delivery, position));
  }

  missedCalls(since: number): readonly MissedCall[] {
    this.catchUp();
    if (this.#followed.length === 1) return this.current.record.missedCalls(since);
    const fresh = this.#followed
      .flatMap(({ record }) => record.missedCalls(0))
      .filter(({ call }) => !this.#told.has(call));
    for (const { call } of fresh) this.#told.add(call);
    return fresh;
  }

  close(): void {
    this.#starts?.close();
    for (const { record } of this.#followed) record.close();
  }

  #follow(session: string, file: string): void {
    const record = new RecordFollower(file, this.#options.changed, this.#options.heard);
    this.#followed.push({ session, record });
    if (this.#watching) record.watch();
    record.catchUp();
  }
}
