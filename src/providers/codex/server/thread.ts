import { type Question, questionOf } from '../approvals.ts';
import { advanceThread, type ThreadState, turnEnd, turnId, UNKNOWN_THREAD, withStatus } from '../facts.ts';
import type { Answer, Call, Connection, Parameters, Word } from './connection.ts';
import { isObject } from './connection.ts';

/** Turns that are looked through for a delivery: it is offered at the end of all of them. */
const TURNS_LOOKED_AT = 20;

/** Where a delivery is, as the server itself tells it at one moment. */
export type Sighting =
  | { readonly seen: 'queue'; readonly entry: string }
  | { readonly seen: 'turns'; readonly item: string }
  | { readonly seen: 'nowhere' }
  | { readonly seen: 'unknown'; readonly why: string };

/** A user message that the server said it has begun to work on. */
interface TakenItem {
  readonly item: string;
  /** Bytes of the record at that moment. */
  readonly position: number;
  /** UTC ms. */
  readonly at: number;
}

/** What a thread was started with, to be said again when another server loads it. */
export interface ThreadSettings {
  readonly threadId: string;
  readonly cwd: string;
  readonly approvalPolicy: string | undefined;
  readonly sandbox: string | undefined;
  readonly approvalsReviewer: string | undefined;
  readonly model: string | undefined;
  readonly developerInstructions: string | undefined;
}

/**
 * The agent's thread, followed from the moment that this client subscribed to it. Each new subscription brings the thread's
 * state and every question that is open, so nothing of it has to be stored.
 */
export class CodexThread {
  readonly #settings: ThreadSettings;
  #state: ThreadState = UNKNOWN_THREAD;
  #questions = new Map<string | number, Question>();
  /** Deliveries that the server said it has begun to work on, with the size of the record at that moment. */
  readonly #taken = new Map<string, TakenItem>();
  readonly #position: () => number;

  constructor(settings: ThreadSettings, position: () => number) {
    this.#settings = settings;
    this.#position = position;
  }

  get state(): ThreadState {
    return this.#state;
  }

  get questions(): readonly Question[] {
    return [...this.#questions.values()];
  }

  /** What the server said it took, at or after `position` bytes of the record. */
  taken(delivery: string, position: number): TakenItem | undefined {
    const found = this.#taken.get(delivery);
    return found && found.position >= position ? found : undefined;
  }

  /** Takes one word of the server; false when it says nothing new about this thread. */
  hear(word: Word): boolean {
    const { method, params } = word;
    if (params.threadId !== this.#settings.threadId) return false;
    if (word.id !== undefined) return this.#ask(word);
    if (method === 'serverRequest/resolved') return this.#questions.delete(requestId(params.requestId));
    if (method === 'item/started' || method === 'item/completed') return this.#noteInput(params.item);
    const before = this.#state;
    this.#state = advanceThread(before, word, Date.now());
    // A turn that has ended asks nothing any more, whether or not each question was taken back by name.
    if (method === 'turn/completed') this.#questions.clear();
    return this.#state !== before;
  }

  /**
   * Subscribes. `loaded` tells whether the server had the thread already: a server that was started again has not, and gets
   * the thread's settings once more, since it keeps them only from the first turn on. Undefined when it failed.
   */
  async subscribe(call: Call): Promise<{ readonly loaded: boolean } | undefined> {
    const { threadId, ...settings } = this.#settings;
    this.#questions.clear();
    const list = await call('thread/loaded/list', {});
    if (list.answered !== 'result') return undefined;
    const loaded = dataOf(list).some((id) => id === threadId);
    const resumed = await call('thread/resume', { threadId, excludeTurns: true, ...(loaded ? {} : known(settings)) });
    if (resumed.answered !== 'result' || !isObject(resumed.result) || !isObject(resumed.result.thread))
      return undefined;
    // What is heard from here on is newer than this answer.
    this.#state = withStatus(this.#state, resumed.result.thread.status, Date.now());
    const { moves } = this.#state;
    const turns = await call('thread/turns/list', { threadId, limit: 1, itemsView: 'notLoaded' });
    const [last] = dataOf(turns);
    const ended = turnEnd(last);
    const turn = turnId(last);
    if (this.#state.moves === moves && ended) this.#state = { ...this.#state, ended };
    else if (this.#state.moves === moves && turn !== undefined) this.#state = { ...this.#state, turn };
    return { loaded };
  }

  /**
   * The connection is gone: what was known of the thread is not known any more. A server that is killed may have begun on a
   * message without a line of it in the record (measured): its word counts only as long as it lives.
   */
  lose(): void {
    this.#taken.clear();
    this.#state = { ...UNKNOWN_THREAD, moves: this.#state.moves + 1 };
    this.#questions.clear();
  }

  /** Puts a text into the thread's own queue. */
  add(connection: Connection, delivery: string, text: string): Promise<Answer> {
    return connection.call('thread/queue/add', this.#message(delivery, text));
  }

  /** Puts a text into the turn that runs; the server refuses it when that is not `expectedTurnId` any more. */
  steer(connection: Connection, expectedTurnId: string, delivery: string, text: string): Promise<Answer> {
    return connection.call('turn/steer', { ...this.#message(delivery, text), expectedTurnId });
  }

  /** Starts one entry of the queue: an interrupt shuts the queue until somebody does. Harmless when it runs already. */
  start(connection: Connection, entry: string): Promise<Answer> {
    return connection.call('thread/queue/start', { threadId: this.#settings.threadId, queuedSubmissionId: entry });
  }

  /** Takes an entry out of the queue; only an answer without an error proves that it will not run. */
  delete(connection: Connection, entry: string): Promise<Answer> {
    return connection.call('thread/queue/delete', { threadId: this.#settings.threadId, queuedSubmissionId: entry });
  }

  /** Asks the server where a delivery is. A thread that never had a turn has no list of them: then only the queue is asked. */
  async look(
    connection: Connection,
    delivery: string,
    where: 'everywhere' | 'queue' = 'everywhere',
  ): Promise<Sighting> {
    const { threadId } = this.#settings;
    for (let cursor: unknown = null; ; ) {
      const queue = await connection.call('thread/queue/list', { threadId, cursor });
      if (queue.answered !== 'result') return { seen: 'unknown', why: 'thread/queue/list' };
      const entry = dataOf(queue).find((waiting) => isObject(waiting) && waiting.clientUserMessageId === delivery);
      if (isObject(entry)) return { seen: 'queue', entry: String(entry.id) };
      cursor = isObject(queue.result) ? queue.result.nextCursor : null;
      if (typeof cursor !== 'string') break;
    }
    if (where === 'queue') return { seen: 'nowhere' };
    const turns = await connection.call('thread/turns/list', { threadId, limit: TURNS_LOOKED_AT, itemsView: 'full' });
    // A thread without any turn may have no list of them yet.
    if (turns.answered !== 'result') return { seen: 'unknown', why: 'thread/turns/list' };
    const item = dataOf(turns)
      .flatMap((turn) => (isObject(turn) && Array.isArray(turn.items) ? turn.items : []))
      .find((candidate: unknown) => isObject(candidate) && candidate.clientId === delivery);
    return isObject(item) ? { seen: 'turns', item: String(item.id) } : { seen: 'nowhere' };
  }

  /** Takes a question off the list: it was answered. */
  answered(question: Question): void {
    this.#questions.delete(question.request);
  }

  #message(delivery: string, text: string): Parameters {
    return {
      threadId: this.#settings.threadId,
      clientUserMessageId: delivery,
      input: [{ type: 'text', text, text_elements: [] }],
    };
  }

  #ask(word: Word): boolean {
    const question = questionOf(word, Date.now());
    if (!question) return false;
    this.#questions.set(question.request, question);
    return true;
  }

  #noteInput(item: unknown): boolean {
    if (!isObject(item) || item.type !== 'userMessage' || typeof item.clientId !== 'string') return false;
    if (this.#taken.has(item.clientId)) return false;
    this.#taken.set(item.clientId, { item: String(item.id), position: this.#position(), at: Date.now() });
    return true;
  }
}

function requestId(value: unknown): string | number {
  return typeof value === 'number' ? value : String(value);
}

/** The `data` of a list; empty when there is none. */
function dataOf(answer: Answer): readonly unknown[] {
  const result = answer.answered === 'result' ? answer.result : undefined;
  return isObject(result) && Array.isArray(result.data) ? result.data : [];
}

function known(settings: Parameters): Parameters {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
