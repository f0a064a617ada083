import type { AgentId, Clock, DeliveryId, IncarnationId, Liveness } from '../kernel/index.ts';
import type { AgentRow, IncarnationRow } from '../ledger/index.ts';
import type {
  AgentHandle,
  Approval,
  Attachment,
  ChannelName,
  Decision,
  Incident,
  MissedCall,
  Offer,
  Settlement,
} from '../providers/index.ts';
import { type Available, mayOffer, type Recipient, type Unavailable } from './recipient.ts';
import { deriveTurn, type Turn } from './turn.ts';

/** Attaches to one process life, living or ended: an ended one can still be asked what its record says. */
export type Attach = (incarnation: IncarnationRow, handle: AgentHandle) => Attachment;

/** What is known of an agent's start. */
export interface Readiness {
  readonly process_started: boolean;
  readonly cli_prompt_ready: boolean;
  /** Its tool client has asked for the team's tools. */
  readonly mcp_ready: boolean;
}

/**
 * One agent of a team: what was asked of it (its row), its present life if it has one, and what was seen of it. Nothing
 * here is stored; a restarted coordinator builds it again from the ledger and the agent itself.
 */
export class Member implements Recipient {
  readonly id: AgentId;
  /** Each message is a turn of its own. */
  readonly together = 1;
  row: AgentRow;
  readonly #clock: Clock;
  readonly #attach: Attach;
  readonly #changed: (member: Member) => void;
  readonly #incident: (member: Member, incident: Incident) => void;
  #life: { readonly row: IncarnationRow; readonly handle: AgentHandle; readonly attachment: Attachment } | undefined;
  /** Lives that ended with an offer open: their records can still prove something. */
  readonly #former = new Map<string, Attachment>();
  /** What those lives wrote last. */
  readonly #records = new Map<string, string>();
  readonly #formerOf: (incarnation: IncarnationId) => Promise<IncarnationRow | undefined>;
  #toolsListed = false;
  #ready: boolean;

  constructor(
    row: AgentRow,
    effects: {
      clock: Clock;
      attach: Attach;
      changed: (member: Member) => void;
      incident: (member: Member, incident: Incident) => void;
      former: (incarnation: IncarnationId) => Promise<IncarnationRow | undefined>;
    },
  ) {
    this.row = row;
    this.id = row.agent_id as AgentId;
    this.#clock = effects.clock;
    this.#attach = effects.attach;
    this.#changed = effects.changed;
    this.#incident = effects.incident;
    this.#formerOf = effects.former;
    this.#ready = false;
  }

  /** Begins to follow a process life; its attachment tells every change from here on. */
  follow(row: IncarnationRow, handle: AgentHandle): void {
    this.#life?.attachment.close();
    const attachment = this.#attach(row, handle);
    this.#life = { row, handle, attachment };
    this.#toolsListed = row.ready_at !== null;
    this.#ready = row.ready_at !== null;
    attachment.onChange(() => this.#changed(this));
    attachment.onIncident((incident) => this.#incident(this, incident));
  }

  /** Lets go of the present life: it has ended, or this coordinator ends. */
  letGo(): void {
    this.#life?.attachment.close();
    for (const attachment of this.#former.values()) attachment.close();
    this.#former.clear();
    this.#records.clear();
    this.#life = undefined;
    this.#ready = false;
    this.#toolsListed = false;
  }

  get generation(): number | undefined {
    return this.row.intent === 'removed' ? undefined : this.row.generation;
  }

  get incarnation(): IncarnationId | undefined {
    return this.#life?.row.incarnation as IncarnationId | undefined;
  }

  get handle(): AgentHandle | undefined {
    return this.#life?.handle;
  }

  /** Its life works on another session from now on; what was stored of it is brought up to that. */
  workOn(handle: AgentHandle): void {
    if (this.#life) this.#life = { ...this.#life, handle };
  }

  /** Does the session that its present life works on know this delivery? True where nobody can tell. */
  knows(delivery: DeliveryId): boolean {
    return this.#life?.attachment.knows(delivery) ?? true;
  }

  get channelNames(): readonly ChannelName[] {
    return this.#life?.attachment.channels().map((channel) => channel.name) ?? [];
  }

  /** The agent's own tool client asked what tools there are: the second half of ready. */
  sawToolsListed(): void {
    if (this.#toolsListed) return;
    this.#toolsListed = true;
    this.#changed(this);
  }

  /** Alive, its input open, its team tools seen. */
  canBeReady(): boolean {
    const { process_started, cli_prompt_ready, mcp_ready } = this.readiness();
    return process_started && cli_prompt_ready && mcp_ready;
  }

  /** The facts that make it ready, as they are seen now. */
  readiness(): Readiness {
    const life = this.#life;
    return {
      process_started: life?.attachment.liveness() === 'alive',
      cli_prompt_ready: life?.attachment.greeted() ?? false,
      mcp_ready: life !== undefined && this.#toolsListed,
    };
  }

  /** What keeps it from being ready, in words. */
  missingForReady(): string {
    const life = this.#life;
    if (!life) return 'no process runs for it';
    if (!life.attachment.greeted()) return 'it has not said that its input is open';
    return this.#toolsListed ? 'nothing' : 'it has not asked for its team tools (the MCP server "team")';
  }

  get ready(): boolean {
    return this.#ready;
  }

  markReady(): void {
    this.#ready = true;
  }

  /** Of its present life. */
  processLiveness(): Liveness | undefined {
    return this.#life?.attachment.liveness();
  }

  turn(): Turn {
    return deriveTurn({
      intent: this.row.intent,
      liveness: this.processLiveness(),
      ready: this.#ready,
      facts: this.#life?.attachment.facts() ?? [],
      now: this.#clock.now(),
    });
  }

  /** Tool calls of one of its lives, living or ended, that reached no coordinator, from `since` bytes of its record on. */
  async missedCalls(
    incarnation: IncarnationId,
    since: number,
  ): Promise<{ calls: readonly MissedCall[]; position: number }> {
    const attachment = await this.#attachmentOf(incarnation);
    return attachment
      ? { position: attachment.position(), calls: attachment.missedCalls(since) }
      : { position: since, calls: [] };
  }

  /** Those that its present life has made in the turn that runs, and that were not answered since. */
  openCalls(): readonly MissedCall[] {
    return this.#life?.attachment.openCalls() ?? [];
  }

  /** Questions of its CLI that are open now. */
  approvals(): readonly Approval[] {
    return this.#life?.attachment.approvals() ?? [];
  }

  /** Answers one of them through its provider's protocol. */
  async decide(approval: string, decision: Decision): Promise<'taken' | { readonly not_taken: string }> {
    return this.#life ? this.#life.attachment.decide(approval, decision) : { not_taken: 'no process runs for it' };
  }

  /** A word of its own hooks. */
  async hook(payload: unknown, gone: AbortSignal): Promise<object> {
    return this.#life ? this.#life.attachment.hook(payload, gone) : {};
  }

  async availability(urgent: boolean): Promise<Available | Unavailable> {
    if (this.row.intent === 'paused') return { hold: 'agent_paused', evidence: 'its document says paused' };
    const life = this.#life;
    if (!life) {
      return this.row.intent === 'running'
        ? { hold: 'agent_not_running', evidence: 'no process runs for it' }
        : { hold: 'agent_stopped', evidence: 'it was stopped' };
    }
    if (!this.#ready) return { hold: 'starting', evidence: 'it is not ready yet' };
    let held: Unavailable | undefined;
    for (const channel of life.attachment.channels()) {
      const state = await channel.state();
      if (state === 'ready' || mayOffer(channel, state, urgent)) {
        return {
          channel,
          incarnation: life.row.incarnation as IncarnationId,
          position: () => life.attachment.position(),
        };
      }
      held ??= state;
      // Only a channel that is down lets the next one try: any other hold is the agent's own.
      if (state.hold !== 'channel_down') return state;
    }
    return held ?? { hold: 'channel_down', evidence: 'it has no channel' };
  }

  async settle(offer: Offer): Promise<Settlement> {
    const attachment = await this.#attachmentOf(offer.incarnation);
    const settlement = await settleBy(attachment, offer);
    if (settlement.outcome !== 'unknown' || !this.#goesOnWith(offer.incarnation)) return settlement;
    // A life that goes on with the same session can tell what the one before it has left there.
    const later = await settleBy(this.#life?.attachment, offer);
    return later.outcome === 'unknown' ? settlement : later;
  }

  /** Has the present life the record of a former one? */
  #goesOnWith(incarnation: IncarnationId): boolean {
    const record = this.#records.get(incarnation);
    return record !== undefined && incarnation !== this.incarnation && record === this.#life?.handle.record;
  }

  liveness(incarnation: IncarnationId): Liveness {
    if (this.incarnation === incarnation) return this.processLiveness() ?? 'unknown';
    // Only one life at a time is ever open: the ledger ended every other before this one began.
    return 'dead';
  }

  async #attachmentOf(incarnation: IncarnationId): Promise<Attachment | undefined> {
    if (this.incarnation === incarnation) return this.#life?.attachment;
    const known = this.#former.get(incarnation);
    if (known) return known;
    const row = await this.#formerOf(incarnation);
    if (!row?.handle) return undefined;
    const handle = JSON.parse(row.handle) as AgentHandle;
    const attachment = this.#attach(row, handle);
    this.#former.set(incarnation, attachment);
    this.#records.set(incarnation, handle.record);
    return attachment;
  }
}

async function settleBy(attachment: Attachment | undefined, offer: Offer): Promise<Settlement> {
  const channel = attachment?.channels().find((candidate) => candidate.name === offer.channel);
  return channel ? channel.settle(offer) : { outcome: 'unknown', awaited: 'its record could be read' };
}
