import { deriveTurn, mayOffer, type Turn } from '../agents/index.ts';
import type { IncarnationId, Liveness, ProcessIdentity } from '../kernel/index.ts';
import type { AgentHandle, Attachment, Channel, Incident, Offer, Settlement } from '../providers/index.ts';

/** One conversation that may lead: a Claude Code or Codex in a person's own terminal. It belongs to no team. */
export class Conversation {
  readonly incarnation: IncarnationId;
  readonly provider: string;
  readonly #attachment: Attachment;
  #handle: AgentHandle;

  constructor(incarnation: IncarnationId, provider: string, handle: AgentHandle, attachment: Attachment) {
    this.incarnation = incarnation;
    this.provider = provider;
    this.#handle = handle;
    this.#attachment = attachment;
  }

  get handle(): AgentHandle {
    return this.#handle;
  }

  /** It is the same process and leads as before, on another session: `/clear`, `/resume`, `/new`. False when it was on it. */
  workOn({ session, record }: NonNullable<Incident['session']>): boolean {
    const { former = [], ...before } = this.#handle;
    if (before.session === session && before.record === record) return false;
    const left = [...former, { session: before.session, record: before.record }];
    const others = left.filter(
      (one, at) => one.record !== record && left.findIndex((is) => is.record === one.record) === at,
    );
    this.#handle = { ...before, session, record, former: others };
    return true;
  }

  /** The processes by which its calls are known: what runs in the person's terminal, and a server behind it. */
  get processes(): readonly ProcessIdentity[] {
    return this.handle.terminal ? [this.handle.process, this.handle.terminal] : [this.handle.process];
  }

  /** A conversation whose terminal has ended is over, whatever still runs behind it. */
  liveness(terminal: Liveness): Liveness {
    return terminal === 'dead' ? 'dead' : this.#attachment.liveness();
  }

  /** The channel that takes something now, or why none does; `urgent` as in `Recipient.availability`. */
  async channel(urgent: boolean): Promise<Channel | Exclude<Awaited<ReturnType<Channel['state']>>, 'ready'>> {
    for (const channel of this.#attachment.channels()) {
      const state = await channel.state();
      if (state === 'ready' || mayOffer(channel, state, urgent)) return channel;
      if (state.hold !== 'channel_down') return state;
    }
    return { hold: 'channel_down', evidence: 'its way in does not answer' };
  }

  /** What it does, by the same facts as an agent's turn: an error of its provider is one of them. */
  turn(liveness: Liveness, now: number): Turn {
    return deriveTurn({ intent: 'running', liveness, ready: true, facts: this.#attachment.facts(), now });
  }

  position(): number {
    return this.#attachment.position();
  }

  async settle(offer: Offer): Promise<Settlement> {
    const channel = this.#attachment.channels().find((candidate) => candidate.name === offer.channel);
    return channel ? channel.settle(offer) : { outcome: 'unknown', awaited: 'its record could be read' };
  }

  hook(payload: unknown, gone: AbortSignal): Promise<object> {
    return this.#attachment.hook(payload, gone);
  }

  close(): void {
    this.#attachment.close();
  }
}
