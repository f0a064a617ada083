import type { Terminals } from '../../tmux/index.ts';
import type { Channel, Handed, Offer, Settlement } from '../shape.ts';
import { type Hold, hold, holdOfActivity, ofAnotherLife, receiptOf, TRY_AGAIN, type View } from './channel.ts';
import { readComposer } from './dialogs.ts';

/** Through the terminal, as a person would: into an empty composer, then Enter. The last resort, when the inbox is down. */
export class PasteChannel implements Channel {
  readonly name = 'paste';
  readonly #view: View;
  readonly #terminals: Terminals;
  #again: NodeJS.Timeout | undefined;

  constructor(view: View, terminals: Terminals) {
    this.#view = view;
    this.#terminals = terminals;
  }

  async state(): Promise<'ready' | Hold> {
    const state = this.#holdOfSession() ?? (await this.#holdOfScreen()) ?? 'ready';
    if (state !== 'ready') this.#lookAgain();
    return state;
  }

  async hand(offer: Offer, rendered: string, _from: string): Promise<Handed> {
    const { pane } = this.#view.handle;
    if (!pane) return { handed: 'not_taken', evidence: 'it has no pane of ours' };
    // Between the question and now a dialog may have come: Enter would answer it.
    const held = this.#holdOfSession() ?? (await this.#holdOfScreen());
    if (held) return { handed: 'not_taken', evidence: `${held.hold}: ${held.evidence}` };
    const outcome = await this.#terminals.paste(pane, rendered, `team-agent-${offer.delivery}`);
    switch (outcome.pasted) {
      case true:
        return { handed: 'written' };
      case false:
        return { handed: 'not_taken', evidence: `${outcome.why}: ${outcome.evidence}` };
      case 'unknown':
        return { handed: 'unknown', evidence: outcome.evidence };
      default:
        return outcome satisfies never;
    }
  }

  /** Taken when the transcript has it; otherwise unknown for good: somebody may have edited or removed the text. */
  async settle(offer: Offer): Promise<Settlement> {
    if (offer.incarnation !== this.#view.incarnation) return ofAnotherLife(offer);
    const awaited = `a line of input with its header in ${this.#view.sessions.current.record.file}`;
    return receiptOf(this.#view, offer) ?? { outcome: 'unknown', awaited };
  }

  close(): void {
    clearTimeout(this.#again);
  }

  #holdOfSession(): Hold | undefined {
    const { liveness, activity, question, foreign } = this.#view;
    if (liveness() === 'dead') return hold('channel_down', 'the process is dead');
    const asked = question();
    if (asked !== undefined) return hold('dialog_open', asked);
    const stranger = foreign();
    if (stranger !== undefined) return hold('session_changed', stranger);
    return holdOfActivity(activity().value);
  }

  async #holdOfScreen(): Promise<Hold | undefined> {
    const { pane } = this.#view.handle;
    const facts = pane && (await this.#terminals.facts(pane));
    if (!pane || !facts || facts.dead) return hold('channel_down', 'the pane is gone or dead');
    if (facts.pid !== pane.process.pid) return hold('channel_down', `process ${facts.pid} has the pane`);
    if (facts.inMode) return hold('pane_in_mode', facts.mode);
    const seen = readComposer((await this.#terminals.screen(pane)) ?? []);
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

  #lookAgain(): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#view.changed(), TRY_AGAIN);
    this.#again.unref();
  }
}
