import type { Terminals } from '../../tmux/index.ts';
import type { Channel, Handed, Offer, Settlement } from '../shape.ts';
import { Alarm, type Hold, hold, holdOfTurn, ofAnotherLife, receiptOf, type Seen } from './channel.ts';
import { readComposer } from './dialogs.ts';
import { turnOfThread } from './facts.ts';

/** When nothing will tell that a hold has passed, it is looked at again after so many ms. */
const LOOK_AGAIN = 2000;

/** Through the terminal, as a person would: into an empty composer, then Enter. Into the pane that shows the thread. */
export class PasteChannel implements Channel {
  readonly name = 'paste';
  readonly #seen: Seen;
  readonly #terminals: Terminals;
  readonly #alarm = new Alarm();

  constructor(seen: Seen, terminals: Terminals) {
    this.#seen = seen;
    this.#terminals = terminals;
  }

  async state(): Promise<'ready' | Hold> {
    const state = this.#holdOfAgent() ?? (await this.#holdOfScreen()) ?? 'ready';
    if (state !== 'ready' && !this.#seen.connection.up) this.#alarm.set(LOOK_AGAIN, this.#seen.changed);
    return state;
  }

  async hand(offer: Offer, rendered: string): Promise<Handed> {
    const { view } = this.#seen.handle;
    if (!view) return { handed: 'not_taken', evidence: 'no pane shows the agent' };
    const outcome = await this.#terminals.paste(view, rendered, `team-agent-${offer.delivery}`);
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

  /** Taken when the rollout has it; otherwise unknown for good: somebody may have edited or removed the text. */
  async settle(offer: Offer): Promise<Settlement> {
    if (offer.incarnation !== this.#seen.incarnation) return ofAnotherLife(offer);
    const awaited = `a user message with its header in ${this.#seen.handle.record}`;
    return receiptOf(this.#seen, offer) ?? { outcome: 'unknown', awaited };
  }

  close(): void {
    this.#alarm.close();
  }

  #holdOfAgent(): Hold | undefined {
    const { connection, thread, record } = this.#seen;
    if (this.#seen.liveness() === 'dead') return hold('channel_down', 'its process is dead');
    if (connection.up) {
      if (thread.questions.length > 0) return hold('dialog_open', 'Codex asks something');
      const { value, evidence } = turnOfThread(thread.state);
      if (thread.state.status === 'active' && !thread.state.waiting) return hold('working', evidence);
      return holdOfTurn(value, evidence);
    }
    if (connection.coming) return hold('starting', 'the first connection is about to come');
    record.catchUp();
    const { turn, evidence } = record.state;
    return turn === 'unknown' ? undefined : holdOfTurn(turn, evidence);
  }

  async #holdOfScreen(): Promise<Hold | undefined> {
    const { view } = this.#seen.handle;
    if (!view) return hold('channel_down', 'no pane shows the agent');
    const facts = await this.#terminals.facts(view);
    if (!facts || facts.dead) return hold('channel_down', 'its pane is gone or dead');
    if (facts.pid !== view.process.pid) return hold('channel_down', `process ${facts.pid} has its pane`);
    if (facts.inMode) return hold('pane_in_mode', facts.mode);
    const seen = readComposer((await this.#terminals.screen(view)) ?? []);
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
