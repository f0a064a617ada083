import path from 'node:path';
import { readIfThere, sizeOf } from '../../kernel/index.ts';
import { LineFollower } from '../line-follower.ts';
import type { MissedCall, Offer } from '../shape.ts';
import { RecordFollower } from './sources/record-follower.ts';
import { parseStart, type SessionStart } from './sources/session-starts.ts';

export interface FollowedSession {
  readonly session: string;
  readonly record: RecordFollower;
}

export interface SessionsOptions {
  /** What is known of it already, oldest first; the last is the one it works on. There is at least one. */
  readonly known: readonly { readonly session: string; readonly record: string }[];
  /** The file of the SessionStart hook; undefined for a conversation that somebody else started. */
  readonly starts: string | undefined;
  /** What was written before that, UTC ms, is of a life before this one. */
  readonly began: number;
  readonly changed: () => void;
  readonly heard: (from: string, at: number) => void;
  /**
   * Another session runs in the same process from now on: `/clear`, `/resume`, `/branch`. `times` tells this change from every
   * other one of the same process, whoever tells of it and how often.
   */
  readonly moved: (to: FollowedSession, times: number) => void;
}

/**
 * The sessions that one process has worked on, oldest first. Mostly there is one; `/clear`, `/resume` and `/branch` begin
 * another in the same process. Each keeps its transcript: what was handed to an earlier one is proved there.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #followed: FollowedSession[] = [];
  readonly #starts: LineFollower | undefined;
  /** The session that the hook told last, and how often it has told of another one. */
  #told: string | undefined;
  #changes = 0;
  #watching = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    for (const { session, record } of options.known) this.#bringForward(session, record);
    // What was told of before this coordinator began; the file of the hook is read from its beginning anyhow.
    if (options.starts === undefined) this.#changes = options.known.length - 1;
    if (options.starts !== undefined) {
      const take = (line: string): void => {
        const start = parseStart(line);
        if (start) this.#takeStart(start);
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

  /**
   * The process works on this session now. The same one again, after a compaction or a resume of itself, changes nothing,
   * unless its transcript has moved.
   */
  moveTo(session: string, file: string): void {
    if (session === this.current.session) this.#bringForward(session, file);
    else {
      this.#bringForward(session, file);
      this.#options.moved(this.current, ++this.#changes);
    }
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
    const position = this.#positionOf(offer);
    for (const { record } of this.#followed) {
      const input = record.receipt(uuids, offer.delivery, position);
      if (input) return { file: record.file, offset: input.offset, uuid: input.uuids[0] };
    }
    return undefined;
  }

  wasQueued(offer: Offer): boolean {
    const position = this.#positionOf(offer);
    return this.#followed.some(({ record }) => record.wasQueued(offer.delivery, position));
  }

  /** How often the file of any transcript shrank, or another one took its place. */
  get replacements(): number {
    return this.#followed.reduce((sum, { record }) => sum + record.replacements, 0);
  }

  /**
   * Why the transcripts cannot show that an offer was not taken: a part of one is lost in which its line may have stood.
   * Undefined when they can. `before` is what `replacements` was when it was handed over, where that is known.
   */
  lostSince(offer: Offer, before: number | undefined): string | undefined {
    const gone = this.#followed.find(({ record }) => !record.has(0));
    if (gone) return `${gone.record.file}, which is not there any more`;
    const [only] = this.#followed;
    const replaced =
      before === undefined
        ? this.#followed.length === 1 && !only?.record.has(offer.position)
        : before !== this.replacements;
    return replaced ? `its line: ${this.current.record.file} was replaced meanwhile, and may have had it` : undefined;
  }

  missedCalls(since: number): readonly MissedCall[] {
    this.catchUp();
    // A byte position means nothing among several.
    const from = this.#followed.length === 1 ? since : 0;
    return this.#followed.flatMap(({ record }) => record.missedCalls(from));
  }

  openCalls(): readonly MissedCall[] {
    this.catchUp();
    return this.current.record.openCalls;
  }

  close(): void {
    this.#starts?.close();
    for (const { record } of this.#followed) record.close();
  }

  #positionOf({ position }: Offer): number {
    return this.#followed.length === 1 ? position : 0;
  }

  #takeStart({ session, transcript }: SessionStart): void {
    if (this.#told === session || this.#told === undefined) this.#bringForward(session, transcript);
    else {
      this.#bringForward(session, transcript);
      this.#options.moved(this.current, ++this.#changes);
    }
    this.#told = session;
  }

  #bringForward(session: string, file: string): void {
    const last = this.#followed.at(-1);
    if (last?.session === session && last.record.file === file) return;
    const known = this.#followed.findIndex(({ record }) => record.file === file);
    const [back] = known < 0 ? [] : this.#followed.splice(known, 1);
    if (back) this.#followed.push(back);
    else this.#follow(session, file);
  }

  #follow(session: string, file: string): void {
    const record = new RecordFollower(file, this.#options.changed, this.#options.heard, this.#options.began);
    this.#followed.push({ session, record });
    if (this.#watching) record.watch();
    record.catchUp();
  }
}
