import type { IncarnationId, Liveness } from '../../kernel/index.ts';
import { hold, holdOfTurn, ofAnotherLife } from '../holds.ts';
import type { AgentHandle, Channel, Handed, Hold, Offer, Settlement } from '../shape.ts';
import type { Connection } from './connection.ts';
import type { RecordFollower } from './record-follower.ts';

/** What both channels see of the agent. */
export interface Seen {
  readonly handle: AgentHandle;
  readonly incarnation: IncarnationId;
  readonly record: RecordFollower;
  readonly connection: Connection | undefined;
  readonly liveness: () => Liveness;
  readonly greeted: () => boolean;
  /** Does another process write the session's record now? */
  readonly foreign: () => boolean;
  readonly changed: () => void;
}

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

/** What the agent's record and its own words have against a paste, without its screen. */
export async function holdOfAgent({ connection, record, ...seen }: Seen): Promise<Hold | undefined> {
  if (seen.liveness() === 'dead') return hold('channel_down', 'the process is dead');
  if (!seen.greeted()) return hold('starting', 'the agent has not greeted yet');
  if (seen.foreign()) return hold('session_changed', `another process writes ${seen.handle.record}`);
  const written = holdOfTurn(record.state.turn);
  if (written) return written;
  if (!connection?.greeting) return undefined;
  const state = await connection.look();
  if (state?.dialog) return hold('dialog_open', `${state.dialog.kind}: ${state.dialog.text}`);
  if (state?.draft) return hold('draft_in_composer', 'the agent says that its composer holds text');
  return state ? holdOfTurn(state.turn.state) : undefined;
}

/** The line of input that proves an offer; undefined while the record lacks it. */
export function receiptOf(seen: Seen, offer: Offer): Settlement | undefined {
  seen.record.catchUp();
  const offset = seen.record.receipt(offer.channel, offer.delivery, offer.position);
  if (offset === undefined) return undefined;
  const receipt = { source: 'record', file: seen.handle.record, offset, record_id: offer.delivery };
  return { outcome: 'taken', receipt };
}
