import type { TurnState } from '../../shape.ts';
import type { Dialog, DialogKind } from '../dialogs.ts';
import { turnState } from '../facts.ts';
import { type Message, parseMessage } from './message.ts';
import type { NewLine } from './record-writer.ts';

/** Text that waits to be taken, or has been. */
export interface Input {
  readonly id: string | null;
  readonly source: 'protocol' | 'composer';
  readonly text: string;
}

interface OpenDialog extends Dialog {
  readonly close: (decision: 'approve' | 'deny') => void;
}

/** What is done in a turn; `message` is undefined for what is played at the start. */
export type Play = (message: Message | undefined, signal: AbortSignal) => Promise<void>;

/**
 * The turns of an agent. Modes: `starting` (until it has greeted), `idle`, `working`, `interrupted`. Input is queued in
 * the order of its arrival. An idle or interrupted agent takes the next input at once: the record gets its user line,
 * the turn is started, played, and ended; then the next one is taken. Escape moves `working` to `interrupted`. A dialog
 * may be open beside any mode; what opened it waits for the answer.
 */
export class Turns {
  readonly #record: (line: NewLine) => void;
  readonly #play: Play;
  readonly #changed: () => void;
  readonly #queue: Input[] = [];
  #mode: 'starting' | 'idle' | 'working' | 'interrupted' = 'starting';
  #since = Date.now();
  #dialog: OpenDialog | undefined;
  #interrupt: AbortController | undefined;

  constructor(record: (line: NewLine) => void, play: Play, changed: () => void) {
    this.#record = record;
    this.#play = play;
    this.#changed = changed;
  }

  get state(): TurnState {
    return turnState(this.#mode, this.#dialog);
  }

  /** UTC ms of the last change of `state`. */
  get since(): number {
    return this.#since;
  }

  get dialog(): Dialog | undefined {
    return this.#dialog && { kind: this.#dialog.kind, text: this.#dialog.text };
  }

  get queued(): number {
    return this.#queue.length;
  }

  isQueued(id: string): boolean {
    return this.#queue.some((input) => input.id === id);
  }

  submit(input: Input): void {
    this.#queue.push(input);
    this.#next();
    this.#changed();
  }

  /** Plays what comes before the greeting, greets, plays what comes after it, and then takes input. */
  async start(beforeGreeting: Play | undefined, onStart: Play | undefined): Promise<void> {
    await this.#playOut(beforeGreeting, undefined);
    this.#record({ type: 'greeting' });
    this.#move('idle');
    if (onStart) await this.#turn(onStart, undefined);
    else this.#next();
  }

  /** Answers the open dialog; false when there is none. */
  answer(decision: 'approve' | 'deny'): boolean {
    this.#dialog?.close(decision);
    return this.#dialog !== undefined;
  }

  interrupt(): void {
    this.#interrupt?.abort();
  }

  /** Opens a dialog and waits for its answer. Rejects when the turn is interrupted. */
  async ask(kind: DialogKind, text: string, signal: AbortSignal): Promise<'approve' | 'deny'> {
    signal.throwIfAborted();
    this.#record({ type: 'dialog', state: 'opened', kind, text });
    let abandon = (): void => undefined;
    try {
      return await new Promise((resolve, reject) => {
        abandon = () => reject(signal.reason);
        signal.addEventListener('abort', abandon, { once: true });
        this.#dialog = { kind, text, close: resolve };
        this.#moved();
      });
    } finally {
      signal.removeEventListener('abort', abandon);
      this.#dialog = undefined;
      this.#record({ type: 'dialog', state: 'closed', kind, text });
      this.#moved();
    }
  }

  #next(): void {
    if (this.#mode === 'starting' || this.#mode === 'working') return;
    const input = this.#queue.shift();
    if (!input) return;
    this.#record({ type: 'user', ...input });
    void this.#turn(this.#play, parseMessage(input.text));
  }

  async #turn(play: Play, message: Message | undefined): Promise<void> {
    this.#record({ type: 'turn', state: 'started' });
    this.#move('working');
    const whole = await this.#playOut(play, message);
    this.#record({ type: 'turn', state: whole ? 'ended' : 'interrupted' });
    this.#move(whole ? 'idle' : 'interrupted');
    this.#next();
  }

  /** True when it was played to its end, false when it was interrupted. A step that fails ends the play and says so. */
  async #playOut(play: Play | undefined, message: Message | undefined): Promise<boolean> {
    const interrupt = new AbortController();
    this.#interrupt = interrupt;
    try {
      await play?.(message, interrupt.signal);
      return true;
    } catch (error) {
      if (interrupt.signal.aborted) return false;
      const text = `The script failed: ${error instanceof Error ? error.message : String(error)}`;
      this.#record({ type: 'assistant', text });
      return true;
    } finally {
      this.#interrupt = undefined;
    }
  }

  #move(mode: 'idle' | 'working' | 'interrupted'): void {
    this.#mode = mode;
    this.#moved();
  }

  #moved(): void {
    this.#since = Date.now();
    this.#changed();
  }
}
