import type { IncarnationId } from '../kernel/index.ts';
import type { PaneHandle, Terminals } from '../tmux/index.ts';
import { Alarm } from './alarm.ts';
import { hold, ofAnotherLife } from './holds.ts';
import type { Channel, Handed, Hold, Offer, Settlement } from './shape.ts';

/** What a screen says about the place where a paste would land. */
export type ComposerSeen =
  | { readonly seen: 'empty' }
  | { readonly seen: 'draft'; readonly text: string }
  | { readonly seen: 'dialog'; readonly text: string }
  /** No composer where it should be: the program is drawing, or this is not its screen. */
  | { readonly seen: 'nothing' };

/** An agent as somebody sees it who would type into its terminal. */
export interface Typist {
  readonly incarnation: IncarnationId;
  /** Where a person would type; asked each time, for a pane may come back as another. */
  readonly pane: () => PaneHandle | undefined;
  /** What the agent's own facts have against it, without its screen. */
  readonly hold: () => Hold | undefined | Promise<Hold | undefined>;
  /** Reads the bottom of its screen. */
  readonly readComposer: (screen: readonly string[]) => ComposerSeen;
  /** What its CLI changes in a paste, beside what no terminal takes as text. */
  readonly alters?: RegExp;
  /** The line of input that proves an offer; undefined while its record lacks it. */
  readonly receipt: (offer: Offer) => Settlement | undefined;
  /** Its record, for people. */
  readonly record: () => string;
  /** Will nothing tell when a hold has passed? Then it is looked at again. */
  readonly silent: () => boolean;
  readonly changed: () => void;
}

/**
 * What a terminal obeys instead of taking it as text (one such byte ends a paste, and what follows are keys), and carriage
 * returns, which every program reads as newlines.
 */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

/** When nothing will tell that a hold has passed, it is looked at again after so many ms. */
const LOOK_AGAIN = 2000;

/** Through the terminal, as a person would: into an empty composer, then Enter. The last resort, the same for every CLI. */
export class PasteChannel implements Channel {
  readonly name = 'paste';
  readonly alters: RegExp;
  readonly #typist: Typist;
  readonly #terminals: Terminals;
  readonly #alarm = new Alarm();
  /** The pastes that tmux is known to have begun, until their receipts come. */
  readonly #begun = new Set<string>();

  constructor(typist: Typist, terminals: Terminals) {
    const { alters } = typist;
    this.alters = alters ? new RegExp(`${CONTROL.source}|${alters.source}`, alters.flags) : CONTROL;
    this.#typist = typist;
    this.#terminals = terminals;
  }

  async state(): Promise<'ready' | Hold> {
    const held = await this.#hold();
    if (held && this.#typist.silent()) this.#alarm.set(LOOK_AGAIN, this.#typist.changed);
    return held ?? 'ready';
  }

  async hand(offer: Offer, rendered: string): Promise<Handed> {
    // Between the question and now a dialog may have come: Enter would answer it.
    const held = await this.#hold();
    if (held) return { handed: 'held', hold: held };
    const pane = this.#typist.pane();
    if (!pane) return { handed: 'held', hold: hold('channel_down', NO_PANE) };
    const outcome = await this.#terminals.paste(pane, rendered, pasteName(offer));
    switch (outcome.pasted) {
      case true:
        this.#begun.add(pasteName(offer));
        return { handed: 'written' };
      case false:
        if (outcome.why === 'pane_in_mode') return { handed: 'held', hold: hold('pane_in_mode', outcome.evidence) };
        return { handed: 'not_taken', evidence: `${outcome.why}: ${outcome.evidence}` };
      case 'unknown':
        return { handed: 'unknown', evidence: outcome.evidence };
      default:
        return outcome satisfies never;
    }
  }

  /**
   * Taken when the record has it, not taken when tmux never began to paste it; otherwise unknown for good: somebody may have
   * edited or removed the text.
   */
  async settle(offer: Offer): Promise<Settlement> {
    if (offer.incarnation !== this.#typist.incarnation) return ofAnotherLife(offer);
    const receipt = this.#typist.receipt(offer);
    if (receipt) {
      this.#begun.delete(pasteName(offer));
      return receipt;
    }
    if (await this.#ruledOut(offer)) return { outcome: 'not_taken', evidence: 'tmux had not begun to paste it' };
    return { outcome: 'unknown', awaited: `a line of input with its header in ${this.#typist.record()}` };
  }

  /** Asks tmux about an offer that was cut off: this coordinator, or the one before, did not hear what became of it. */
  async #ruledOut(offer: Offer): Promise<boolean> {
    const name = pasteName(offer);
    const pane = this.#typist.pane();
    if (!pane || this.#begun.has(name)) return false;
    const what = await this.#terminals.ruleOutPaste(pane, name);
    if (what === 'begun') this.#begun.add(name);
    return what === 'ruled_out';
  }

  close(): void {
    this.#alarm.close();
  }

  async #hold(): Promise<Hold | undefined> {
    return (await this.#typist.hold()) ?? (await this.#holdOfScreen());
  }

  async #holdOfScreen(): Promise<Hold | undefined> {
    const pane = this.#typist.pane();
    if (!pane) return hold('channel_down', NO_PANE);
    const facts = await this.#terminals.facts(pane);
    if (!facts || facts.dead) return hold('channel_down', 'its pane is gone or dead');
    if (facts.pid !== pane.process.pid) return hold('channel_down', `process ${facts.pid} has its pane`);
    if (facts.inMode) return hold('pane_in_mode', facts.mode);
    const seen = this.#typist.readComposer((await this.#terminals.screen(pane)) ?? []);
    switch (seen.seen) {
      case 'empty':
        return undefined;
      case 'draft':
        return hold('draft_in_composer', seen.text);
      case 'dialog':
        return hold('dialog_open', seen.text);
      case 'nothing':
        return hold('channel_down', 'the screen shows no composer');
      default:
        return seen satisfies never;
    }
  }
}

/** Each attempt has a name of its own. */
const pasteName = ({ delivery, number }: Offer): string => `${delivery}-${number}`;

const NO_PANE = 'no pane shows the agent';
