import type { Available, Recipient, Turn, Unavailable } from '../agents/index.ts';
import {
  type Clock,
  type IncarnationId,
  LEADER,
  type Liveness,
  type ProcessIdentity,
  probeProcess,
  type SessionId,
  type TeamId,
} from '../kernel/index.ts';
import {
  findLeader,
  type LeaderRow,
  type Ledger,
  leases,
  liveLeaders,
  type Reading,
  updateLeader,
} from '../ledger/index.ts';
import type { AgentHandle, Attachment, Incident, Offer, Settlement } from '../providers/index.ts';
import { Conversation } from './conversation.ts';
import { moveIdentity } from './identity.ts';
import { handleIn, type Launch, Launches, storedOf } from './launch.ts';

/** How many messages a leader takes in one turn: each turn of it is paid for. */
const TOGETHER = 20;

interface Effects {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly attach: (row: LeaderRow, handle: AgentHandle) => Attachment;
  /** Something new was seen of whoever leads this team. */
  readonly changed: (team: TeamId) => void;
  /** A conversation's session is open in a second process: nothing is handed to it before one of the two has ended. */
  readonly shared: (incarnation: IncarnationId, incident: Incident) => void;
  /** Something could not be written down. */
  readonly failed: (error: unknown) => void;
}

/**
 * Conversations that may lead, and which of them leads which team. Leading is stored (the lease); a conversation is
 * observed. One that has ended is a fact: mail for it waits in the mailbox until somebody leads again.
 */
export class Leaders {
  readonly #effects: Effects;
  readonly #live = new Map<IncarnationId, Conversation>();
  /** Conversations that ended with an offer open: their records can still prove something. */
  readonly #former = new Map<IncarnationId, Conversation>();
  readonly #launches = new Launches();
  /** Processes that are just being followed. */
  readonly #coming = new Map<string, Promise<Conversation>>();
  readonly #tokens = new Map<string, IncarnationId>();
  readonly #receivers = new Map<TeamId, IncarnationId>();
  /** Conversations that hold a team's offer, which others may lead by now: what they do next may settle it. */
  readonly #holding = new Map<TeamId, IncarnationId>();

  constructor(effects: Effects) {
    this.#effects = effects;
  }

  /** What the ledger knows, taken up again at boot. */
  async takeUp(): Promise<void> {
    const { db } = this.#effects.ledger;
    for (const lease of await leases(db)) {
      if (lease.receiver) this.#receivers.set(lease.team as TeamId, lease.receiver as IncarnationId);
    }
    for (const row of await liveLeaders(db)) {
      this.honour(row);
      const stored = storedOf(row);
      if (stored.state === 'known') this.follow(row, stored.handle);
      if (stored.state === 'launching') this.#launches.set(row.incarnation as IncarnationId, stored.launch);
    }
  }

  /** Its token is good from the moment its row is written. */
  honour({ token_hash, incarnation }: Pick<LeaderRow, 'token_hash' | 'incarnation'>): void {
    if (token_hash) this.#tokens.set(token_hash, incarnation as IncarnationId);
  }

  /** A launch as it is now, also for a coordinator that comes later. Its row is there. */
  async launches(incarnation: IncarnationId, launch: Launch): Promise<void> {
    this.#launches.set(incarnation, launch);
    await updateLeader(this.#effects.ledger.db, incarnation, { handle: JSON.stringify(launch) });
  }

  /** A launch whose conversation has no session yet. */
  launch(incarnation: IncarnationId): Launch | undefined {
    return this.#launches.get(incarnation);
  }

  /** Of conversations that our launcher started: those that have no session yet. */
  launching(): readonly IncarnationId[] {
    return this.#launches.all();
  }

  /** Is this the way in of a launch? Whoever is found there is followed as that one, once it has a session. */
  isLaunching(socket: string | undefined): boolean {
    return this.#launches.at(socket);
  }

  /** The conversation of a process: one, however many come upon it in the same moment. */
  async ofProcess(process: ProcessIdentity, begin: () => Promise<Conversation>): Promise<Conversation> {
    const known = this.byProcess([process]);
    if (known) return known;
    const key = `${process.pid}:${process.start}`;
    const coming = this.#coming.get(key) ?? begin().finally(() => this.#coming.delete(key));
    this.#coming.set(key, coming);
    return coming;
  }

  follow(row: LeaderRow, handle: AgentHandle): Conversation {
    const attachment = this.#effects.attach(row, handle);
    const incarnation = row.incarnation as IncarnationId;
    this.#launches.delete(incarnation);
    const conversation = new Conversation(incarnation, row.provider, handle, attachment);
    this.#live.set(incarnation, conversation);
    attachment.onChange(() => this.#changed(incarnation));
    attachment.onIncident((incident) => {
      const { session, kind } = incident;
      if (session && conversation.workOn(session)) this.#keep(conversation);
      if (kind === 'session_shared') this.#effects.shared(incarnation, incident);
    });
    return conversation;
  }

  conversation(incarnation: IncarnationId): Conversation | undefined {
    return this.#live.get(incarnation);
  }

  all(): readonly Conversation[] {
    return [...this.#live.values()];
  }

  /** Those that our launcher started. */
  launched(): readonly Conversation[] {
    const holders = new Set(this.#tokens.values());
    return this.all().filter(({ incarnation }) => holders.has(incarnation) && this.isAlive(incarnation));
  }

  /** Does one live that our launcher started, with a session or without? It needs this coordinator for as long as it does. */
  someLaunched(): boolean {
    return this.launched().length > 0 || this.#launches.all().some((incarnation) => this.isAlive(incarnation));
  }

  /** The conversation whose token this is the hash of. */
  byToken(hash: string): IncarnationId | undefined {
    return this.#tokens.get(hash);
  }

  /** The conversation that one of these processes belongs to. */
  byProcess(chain: readonly ProcessIdentity[]): Conversation | undefined {
    return this.all().find(({ processes }) =>
      processes.some((own) => chain.some(({ pid, start }) => pid === own.pid && start === own.start)),
    );
  }

  /** The teams that a conversation leads. */
  teamsOf(incarnation: IncarnationId): TeamId[] {
    return [...this.#receivers].flatMap(([team, receiver]) => (receiver === incarnation ? [team] : []));
  }

  /** Who leads a team now, alive or not. */
  receiver(team: TeamId): IncarnationId | undefined {
    return this.#receivers.get(team);
  }

  /** A committed lease, as of now. */
  leads(team: TeamId, receiver: IncarnationId | undefined): void {
    if (receiver) this.#receivers.set(team, receiver);
    else this.#receivers.delete(team);
    this.#effects.changed(team);
  }

  /** Of a conversation or a launch, now. One that is neither followed nor under way has ended. */
  liveness(incarnation: IncarnationId): Liveness {
    const conversation = this.#live.get(incarnation);
    return conversation ? livenessOf(conversation) : this.#launches.liveness(incarnation);
  }

  /** What a conversation does now; undefined when it has ended. */
  turn(incarnation: IncarnationId): Turn | undefined {
    const conversation = this.#live.get(incarnation);
    const liveness = this.liveness(incarnation);
    return liveness === 'dead' ? undefined : conversation?.turn(liveness, this.#effects.clock.now());
  }

  isAlive(incarnation: IncarnationId): boolean {
    return this.liveness(incarnation) !== 'dead';
  }

  /** The session that a conversation works on, or worked on last. Inside a change, `db` is its transaction. */
  async sessionOf(
    incarnation: IncarnationId,
    db: Reading = this.#effects.ledger.db,
  ): Promise<{ readonly provider: string; readonly session: SessionId; readonly handle: AgentHandle } | undefined> {
    const live = this.#live.get(incarnation);
    if (live) return { provider: live.provider, session: live.handle.session, handle: live.handle };
    const row = await findLeader(db, incarnation);
    const handle = handleIn(row);
    if (!row || !handle) return undefined;
    return { provider: row.provider, session: handle.session, handle };
  }

  /** A conversation is over. It is written down once; what it led has only a mailbox from now on. */
  async end(incarnation: IncarnationId): Promise<void> {
    const conversation = this.#live.get(incarnation);
    this.#live.delete(incarnation);
    this.#launches.delete(incarnation);
    for (const [hash, holder] of this.#tokens) if (holder === incarnation) this.#tokens.delete(hash);
    conversation?.close();
    await updateLeader(this.#effects.ledger.db, incarnation, { ended_at: this.#effects.clock.now() });
    this.#changed(incarnation);
  }

  /** Whoever takes this team's mail for the leader: the conversation that leads, else a mailbox. */
  recipient(team: TeamId): Recipient {
    return {
      id: LEADER,
      generation: 1,
      together: TOGETHER,
      availability: (urgent) => this.#availability(team, urgent),
      settle: (offer) => this.#settle(team, offer),
      liveness: (incarnation) => this.liveness(incarnation),
    };
  }

  letGo(): void {
    for (const conversation of [...this.#live.values(), ...this.#former.values()]) conversation.close();
    this.#live.clear();
    this.#former.clear();
  }

  /** What a restarted coordinator has to know: records of sessions that were left still prove what was handed to them. */
  #keep(conversation: Conversation): void {
    const { ledger, failed } = this.#effects;
    const { incarnation, handle } = conversation;
    updateLeader(ledger.db, incarnation, { handle: JSON.stringify(handle) }).catch(failed);
    for (const team of this.teamsOf(incarnation)) moveIdentity(ledger, team, conversation).catch(failed);
  }

  async #availability(team: TeamId, urgent: boolean): Promise<Available | Unavailable> {
    const receiver = this.#receivers.get(team);
    const conversation = receiver && this.#live.get(receiver);
    if (!conversation) return { hold: 'leader_unbound', evidence: 'nobody leads this team now' };
    if (livenessOf(conversation) === 'dead') {
      return { hold: 'leader_unbound', evidence: `the ${conversation.provider} conversation that led has ended` };
    }
    const channel = await conversation.channel(urgent);
    if ('hold' in channel) return channel;
    return { channel, incarnation: conversation.incarnation, position: () => conversation.position() };
  }

  async #settle(team: TeamId, offer: Offer): Promise<Settlement> {
    const conversation = this.#live.get(offer.incarnation) ?? (await this.#formerOf(offer.incarnation));
    if (!conversation) return { outcome: 'unknown', awaited: 'its record could be read' };
    const settled = await conversation.settle(offer);
    if (settled.outcome === 'unknown') this.#holding.set(team, offer.incarnation);
    else this.#holding.delete(team);
    return settled;
  }

  async #formerOf(incarnation: IncarnationId): Promise<Conversation | undefined> {
    const known = this.#former.get(incarnation);
    if (known) return known;
    const row = await findLeader(this.#effects.ledger.db, incarnation);
    const handle = handleIn(row);
    if (!row || !handle) return undefined;
    const conversation = new Conversation(incarnation, row.provider, handle, this.#effects.attach(row, handle));
    this.#former.set(incarnation, conversation);
    return conversation;
  }

  #changed(incarnation: IncarnationId): void {
    const held = [...this.#holding].flatMap(([team, holder]) => (holder === incarnation ? [team] : []));
    for (const team of new Set([...this.teamsOf(incarnation), ...held])) this.#effects.changed(team);
  }
}

function livenessOf(conversation: Conversation): Liveness {
  const { terminal } = conversation.handle;
  return conversation.liveness(terminal ? probeProcess(terminal) : 'alive');
}
