import type { IncarnationId, Liveness } from '../../kernel/index.ts';
import type { PaneHandle, Terminals } from '../../tmux/index.ts';
import type { AgentHandle, Channel, ChannelHold, Handed, Offer, Settlement, TurnState } from '../shape.ts';
import type { Connection } from './connection.ts';
import { readComposer } from './dialogs.ts';
import type { RecordFollower } from './record-follower.ts';

/** What both channels see of the agent. */
export interface Seen {
  readonly handle: AgentHandle & { readonly pane: PaneHandle };
  readonly incarnation: IncarnationId;
  readonly record: RecordFollower;
  readonly connection: Connection | undefined;
  readonly liveness: () => Liveness;
  readonly greeted: () => boolean;
  /** Does another process write the session's record now? */
  readonly foreign: () => boolean;
  readonly changed: () => void;
}

type Hold = { readonly hold: ChannelHold; readonly evidence: string };

const hold = (why: ChannelHold, evidence: string): Hold => ({ hold: why, evidence });

/** Into the agent's own queue, over its socket. */
export class ProtocolChannel implements Channel {
  readonly name = 'protocol';
  readonly #seen: Seen;
  readonly #connection: Connection;

  constructor(seen: Seen, connection: Connection) {
    this.#seen = seen;
    this.#connection = connection;
  }

  async state(): Promise<'ready' | Hold> {
    if (!this.#connection.greeting) {
      const socket = this.#seen.handle.socket ?? '';
      return hold(this.#seen.greeted() ? 'channel_down' : 'starting', `not connected to ${socket}`);
    }
    const state = await this.#connection.look();
    if (!state) return hold('channel_down', 'the agent did not answer on its socket');
    if (this.#seen.foreign()) return hold('session_changed', `another process writes ${this.#seen.handle.record}`);
    if (state.dialog) return hold('dialog_open', `${state.dialog.kind}: ${state.dialog.text}`);
    return holdOfTurn(state.turn.state) ?? 'ready';
  }

  async hand(offer: Offer, rendered: string, from: string): Promise<Handed> {
    const sent = await this.#connection.send({ type: 'submit', id: offer.delivery, from, text: rendered });
    switch (sent) {
      case 'none':
        return { handed: 'not_taken', evidence: 'there was no connection: no byte left' };
      case 'written':
        return { handed: 'written' };
      case 'broken':
        return { handed: 'unknown', evidence: 'the connection broke while the message was written' };
      default:
        return sent satisfies never;
    }
  }

  /**
   * Taken: the record has it. Not taken: its process is dead and the record to its end lacks it (its queue died with
   * it), or the agent itself says that it is nowhere and the record lacks it still.
   */
  async settle(offer: Offer): Promise<Settlement> {
    if (offer.incarnation !== this.#seen.incarnation) return ofAnotherLife(offer);
    const dead = this.#seen.liveness() === 'dead';
    const taken = receiptOf(this.#seen, offer);
    if (taken) return taken;
    if (dead) {
      return { outcome: 'not_taken', evidence: `the process is dead and ${this.#seen.handle.record} lacks it` };
    }
    const found = await this.#connection.find(offer.delivery);
    const late = receiptOf(this.#seen, offer);
    if (late) return late;
    if (!found) return { outcome: 'unknown', awaited: 'an answer on the socket of the agent, or its end' };
    switch (found.where) {
      case 'absent':
        return { outcome: 'not_taken', evidence: "it is neither in the agent's queue nor in its record" };
      case 'queue':
        return { outcome: 'unknown', awaited: "it waits in the agent's own queue" };
      case 'record':
        return { outcome: 'unknown', awaited: 'the agent says that its record has it: the line is awaited' };
      default:
        return found.where satisfies never;
    }
  }
}

/** When nothing will tell that a hold has passed, it is looked at again after so many ms. */
const LOOK_AGAIN = 2000;

/** Through the terminal, as a person would: into an empty composer, then Enter. */
export class PasteChannel implements Channel {
  readonly name = 'paste';
  readonly #seen: Seen;
  readonly #terminals: Terminals;
  #again: NodeJS.Timeout | undefined;

  constructor(seen: Seen, terminals: Terminals) {
    this.#seen = seen;
    this.#terminals = terminals;
  }

  async state(): Promise<'ready' | Hold> {
    const state = (await this.#holdOfAgent()) ?? (await this.#holdOfScreen()) ?? 'ready';
    if (state !== 'ready' && !this.#seen.connection?.greeting) this.#lookAgain();
    return state;
  }

  async hand(offer: Offer, rendered: string, _from: string): Promise<Handed> {
    const outcome = await this.#terminals.paste(this.#seen.handle.pane, rendered, `team-agent-${offer.delivery}`);
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

  /** Taken when the record has it; otherwise unknown for good: somebody may have edited or removed the text. */
  async settle(offer: Offer): Promise<Settlement> {
    if (offer.incarnation !== this.#seen.incarnation) return ofAnotherLife(offer);
    const awaited = `a line of input with its header in ${this.#seen.handle.record}`;
    return receiptOf(this.#seen, offer) ?? { outcome: 'unknown', awaited };
  }

  close(): void {
    clearTimeout(this.#again);
  }

  async #holdOfAgent(): Promise<Hold | undefined> {
    if (this.#seen.liveness() === 'dead') return hold('channel_down', 'the process is dead');
    if (!this.#seen.greeted()) return hold('starting', 'the agent has not greeted yet');
    if (this.#seen.foreign()) return hold('session_changed', `another process writes ${this.#seen.handle.record}`);
    const written = holdOfTurn(this.#seen.record.state.turn);
    if (written) return written;
    if (!this.#seen.connection?.greeting) return undefined;
    const state = await this.#seen.connection.look();
    if (state?.dialog) return hold('dialog_open', `${state.dialog.kind}: ${state.dialog.text}`);
    if (state?.draft) return hold('draft_in_composer', 'the agent says that its composer holds text');
    return state ? holdOfTurn(state.turn.state) : undefined;
  }

  async #holdOfScreen(): Promise<Hold | undefined> {
    const { pane } = this.#seen.handle;
    const facts = await this.#terminals.facts(pane);
    if (!facts || facts.dead) return hold('channel_down', 'the pane is gone or dead');
    if (facts.pid !== pane.process.pid) return hold('channel_down', `process ${facts.pid} has the pane`);
    if (facts.inMode) return hold('pane_in_mode', facts.mode);
    const screen = await this.#terminals.screen(pane);
    const seen = readComposer(screen ?? []);
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
    this.#again = setTimeout(() => this.#seen.changed(), LOOK_AGAIN);
    this.#again.unref();
  }
}

/** The hold that a turn puts on its agent; undefined when something may be offered. */
export function holdOfTurn(turn: TurnState): Hold | undefined {
  switch (turn) {
    case 'idle':
    case 'interrupted':
    case 'provider_error':
      return undefined;
    case 'working':
      return hold('working', 'a turn is running');
    case 'waiting_approval':
    case 'waiting_input':
      return hold('dialog_open', turn);
    case 'starting':
      return hold('starting', 'the agent has not greeted yet');
    case 'exited':
    case 'unknown':
      return hold('channel_down', `the agent's turn is ${turn}`);
    default:
      return turn satisfies never;
  }
}

function receiptOf(seen: Seen, offer: Offer): Settlement | undefined {
  seen.record.catchUp();
  const offset = seen.record.receipt(offer.channel, offer.delivery, offer.position);
  if (offset === undefined) return undefined;
  const receipt = { source: 'record', file: seen.handle.record, offset, record_id: offer.delivery };
  return { outcome: 'taken', receipt };
}

function ofAnotherLife(offer: Offer): Settlement {
  return { outcome: 'unknown', awaited: `evidence from incarnation ${offer.incarnation}` };
}
