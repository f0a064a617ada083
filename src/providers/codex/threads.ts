import { readIfThere, type SessionId, sizeOf } from '../../kernel/index.ts';
import { beganAt } from '../continuing.ts';
import type { AgentHandle, MissedCall, Offer } from '../shape.ts';
import { settingsOf } from './launch.ts';
import { type InputFound, marksIn, RolloutFollower } from './record.ts';
import { type Call, isObject, type Word } from './server/connection.ts';
import { CodexThread } from './server/thread.ts';
import { saidByDeveloper } from './server/told.ts';

/** One conversation of the server, with its rollout. */
export interface FollowedThread {
  readonly session: SessionId;
  readonly file: string;
  readonly record: RolloutFollower;
  readonly thread: CodexThread;
  /** What it was forked from: its own rollout lacks what it knows from there. */
  readonly parent: string | undefined;
}

export interface ThreadsOptions {
  readonly handle: AgentHandle;
  readonly changed: () => void;
  /** Another conversation is followed from now on; `times` tells this change from every other one of the same life. */
  readonly moved: (to: FollowedThread, times: number) => void;
  /** One that cannot be followed was opened. */
  readonly beside: (session: string) => void;
}

/** A conversation of the server, as the server tells it. */
interface Told {
  readonly id: string;
  readonly path: string;
  readonly forkedFromId: string | undefined;
  readonly createdAt: number;
}

/**
 * The conversations that one server has had under a person's hands, oldest first: `/new`, `/clear`, `/fork` and `/resume` in
 * the terminal that shows the agent open another one beside it on the same server. The newest is the agent's own; what was
 * handed to an earlier one is proved there, or taken back from its queue.
 *
 * The server tells everybody of a conversation that begins. That its terminal has gone back to one that runs there already
 * is told to nobody: the first turn that a person begins in it shows it.
 */
export class Threads {
  readonly #options: ThreadsOptions;
  readonly #followed: FollowedThread[] = [];
  #changes: number;
  /** Conversations that are about to be followed. */
  readonly #coming = new Set<string>();
  /** What is no conversation of a person's. */
  readonly #others = new Set<string>();
  #work: Promise<void> = Promise.resolve();
  #call: Call = async () => ({ answered: 'none' });
  #watching = false;
  #closed = false;

  constructor(options: ThreadsOptions) {
    this.#options = options;
    const { former = [], session, record } = options.handle;
    for (const known of [...former, { session, record }]) this.#bringForward(known.session, known.record, undefined);
    this.#changes = former.length;
  }

  get current(): FollowedThread {
    const last = this.#followed.at(-1);
    if (!last) throw new Error('a server without a thread');
    return last;
  }

  /** The newest first. */
  all(): readonly FollowedThread[] {
    return this.#followed.toReversed();
  }

  /** Another conversation was opened, and is not followed yet. */
  get isMoving(): boolean {
    return this.#coming.size > 0;
  }

  /** Turns that were seen to begin or to end, in any of them. */
  get moves(): number {
    return this.#followed.reduce((sum, { thread }) => sum + thread.state.moves, 0);
  }

  watch(): void {
    this.#watching = true;
    for (const { record } of this.#followed) record.watch();
  }

  catchUp(): void {
    for (const { record } of this.#followed) record.catchUp();
  }

  /** A position counts in a single rollout; among several the delivery's own id is proof enough. */
  positionOf({ position }: Offer): number {
    return this.#followed.length === 1 ? position : 0;
  }

  receipt(offer: Offer): (InputFound & { readonly file: string }) | undefined {
    this.catchUp();
    for (const { record, file } of this.#followed) {
      const found = record.receipt(offer.delivery, this.positionOf(offer));
      if (found) return { ...found, file };
    }
    return undefined;
  }

  /** Does the conversation that it is in now know this delivery, by itself or from what it was forked from? */
  knows(delivery: string): boolean {
    this.catchUp();
    const seen = new Set<string>();
    for (let at: FollowedThread | undefined = this.current; at && !seen.has(at.session); at = this.#parentOf(at)) {
      if (at.record.knows(delivery)) return true;
      seen.add(at.session);
    }
    return false;
  }

  missedCalls(since: number): readonly MissedCall[] {
    this.catchUp();
    const from = this.#followed.length === 1 ? since : 0;
    return this.#followed.flatMap(({ record }) => record.missedCalls(from));
  }

  openCalls(): readonly MissedCall[] {
    this.catchUp();
    return this.current.record.openCalls;
  }

  /** Takes one word of the server; true when it says something new about one of them. */
  hear(word: Word): boolean {
    const news = this.#followed.map(({ thread }) => thread.hear(word)).includes(true);
    const { method, params } = word;
    if (method === 'thread/started') this.#consider(params.thread);
    else if (method === 'thread/status/changed' && isActive(params.status)) this.#askAbout(String(params.threadId));
    else if (method === 'item/started' && isTyped(params.item)) this.#backTo(String(params.threadId));
    return news;
  }

  /**
   * Subscribes to the present conversation, and to what else the server has loaded. What was opened there while nobody
   * listened is followed too. Undefined when it failed.
   */
  async subscribe(call: Call): Promise<{ readonly loaded: boolean } | undefined> {
    this.#call = call;
    const { current } = this;
    const subscribed = await current.thread.subscribe(call);
    if (!subscribed) return undefined;
    const list = await call('thread/loaded/list', {});
    const ids = list.answered === 'result' && isObject(list.result) ? list.result.data : [];
    const loaded = Array.isArray(ids) ? ids.map(String) : [];
    for (const { session, thread } of this.#followed) {
      if (session !== current.session && loaded.includes(session)) await thread.subscribe(call);
    }
    const others = await Promise.all(loaded.filter((id) => !this.#find(id)).map((id) => this.#read(id)));
    const found = others.filter((told) => told !== undefined).sort((one, other) => one.createdAt - other.createdAt);
    for (const told of found) await this.#follow(told);
    return subscribed;
  }

  lose(): void {
    for (const { thread } of this.#followed) thread.lose();
  }

  close(): void {
    this.#closed = true;
    for (const { record } of this.#followed) record.close();
  }

  #find(id: string): FollowedThread | undefined {
    return this.#followed.find(({ session }) => session === id);
  }

  #parentOf({ parent, record }: FollowedThread): FollowedThread | undefined {
    const id = parent ?? record.parent;
    return id === undefined ? undefined : this.#find(id);
  }

  #consider(thread: unknown): void {
    const told = conversationIn(thread);
    if (told && !this.#find(told.id)) this.#followSoon(told.id, async () => told);
  }

  #askAbout(id: string): void {
    if (!this.#find(id)) this.#followSoon(id, () => this.#read(id));
  }

  /** One after the other, in the order in which they were opened. Nothing is offered meanwhile. */
  #followSoon(id: string, look: () => Promise<Told | undefined>): void {
    if (this.#coming.has(id) || this.#others.has(id) || this.#closed) return;
    this.#coming.add(id);
    this.#work = this.#work
      .then(async () => {
        const told = await look();
        if (told && !this.#find(id)) await this.#follow(told);
      })
      // Its rollout cannot be read, for one.
      .catch(() => this.#options.beside(id))
      .finally(() => {
        this.#coming.delete(id);
        this.#options.changed();
      });
  }

  async #read(threadId: string): Promise<Told | undefined> {
    const read = await this.#call('thread/read', { threadId });
    if (read.answered !== 'result' || !isObject(read.result)) return undefined;
    const told = conversationIn(read.result.thread);
    if (!told) this.#others.add(threadId);
    return told;
  }

  /**
   * A conversation that a person has opened knows nothing of the team, and nobody else can subscribe to it before its rollout
   * is written: what the agent is told in its own one does both.
   */
  async #follow({ id, path, forkedFromId }: Told): Promise<void> {
    const inherits = forkedFromId !== undefined && this.#find(forkedFromId) !== undefined;
    if (sizeOf(path) === 0 || !inherits) await this.#introduceTeam(id, path);
    const thread = this.#threadOf(id, path);
    const subscribed = (await this.#limit(id)) && (await thread.subscribe(this.#call));
    if (this.#closed) return;
    if (!subscribed) return this.#options.beside(id);
    this.#bringForward(id as SessionId, path, forkedFromId, thread);
    this.#options.moved(this.current, ++this.#changes);
  }

  async #introduceTeam(threadId: string, path: string): Promise<void> {
    const { developerInstructions: text } = settingsOf(this.#options.handle);
    if (text === undefined) return;
    // As it would stand in the rollout.
    if (readIfThere(path)?.includes(JSON.stringify(text).slice(1, -1))) return;
    await this.#call('thread/inject_items', saidByDeveloper(threadId, text));
  }

  /**
   * A terminal opens conversations with the permission of the user's own configuration. The agent may go as far in them as in
   * its first one; what needs a sandbox to write in is the default of both.
   */
  async #limit(threadId: string): Promise<boolean> {
    const { approvalPolicy, sandbox } = settingsOf(this.#options.handle);
    const sandboxPolicy = sandbox === undefined ? undefined : SANDBOXES[sandbox];
    if (!sandboxPolicy) return true;
    const updated = await this.#call('thread/settings/update', { threadId, approvalPolicy, sandboxPolicy });
    return updated.answered === 'result';
  }

  /** A person has begun a turn in an earlier one: its terminal is there again. */
  #backTo(id: string): void {
    const found = this.#find(id);
    if (!found || id === this.current.session) return;
    this.#bringForward(found.session, found.file, found.parent);
    this.#options.moved(this.current, ++this.#changes);
    this.#options.changed();
  }

  #bringForward(session: SessionId, file: string, parent: string | undefined, thread?: CodexThread): void {
    const known = this.#followed.findIndex((followed) => followed.session === session);
    const [back] = known < 0 ? [] : this.#followed.splice(known, 1);
    if (back) {
      this.#followed.push(back);
      return;
    }
    const record = new RolloutFollower(file, this.#options.changed, beganAt(this.#options.handle));
    record.catchUp();
    if (this.#watching) record.watch();
    this.#followed.push({ session, file, record, parent, thread: thread ?? this.#threadOf(session, file) });
  }

  #threadOf(session: string, file: string): CodexThread {
    const settings = settingsOf({ ...this.#options.handle, session: session as SessionId });
    return new CodexThread(settings, () => sizeOf(file));
  }
}

/** Sandboxes that a terminal does not give by itself, as the server wants them named. */
const SANDBOXES: Readonly<Record<string, object>> = {
  'read-only': { type: 'readOnly', networkAccess: false },
  'danger-full-access': { type: 'dangerFullAccess' },
};

/** A conversation that a person talks in; undefined for what Codex opens for itself: sub-agents, reviews, titles. */
function conversationIn(thread: unknown): Told | undefined {
  if (!isObject(thread)) return undefined;
  const { id, path, ephemeral, parentThreadId, attachedToThreadId, canAcceptDirectInput, forkedFromId, createdAt } =
    thread;
  if (typeof id !== 'string' || typeof path !== 'string' || ephemeral !== false) return undefined;
  if (typeof parentThreadId === 'string' || typeof attachedToThreadId === 'string') return undefined;
  if (canAcceptDirectInput === false) return undefined;
  const forked = typeof forkedFromId === 'string' ? forkedFromId : undefined;
  return { id, path, forkedFromId: forked, createdAt: Number(createdAt) || 0 };
}

const isActive = (status: unknown): boolean => isObject(status) && status.type === 'active';

/** An input without a header of ours. */
function isTyped(item: unknown): boolean {
  if (!isObject(item) || item.type !== 'userMessage' || !Array.isArray(item.content)) return false;
  return !item.content.some((part: unknown) => isObject(part) && marksIn(String(part.text ?? '')).length > 0);
}
