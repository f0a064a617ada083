import type { Logger } from 'pino';
import type { Member, Recipient, Turn } from '../agents/index.ts';
import { type AgentId, type DeliveryId, type IncarnationId, LEADER, type TeamId } from '../kernel/index.ts';
import type { LedgerEvent } from '../ledger/index.ts';
import type { Effects } from '../lifecycle/index.ts';
import { type Desk, PostOffice, Traffic } from '../messages/index.ts';
import type { Incident } from '../providers/index.ts';
import type { AgentCaller } from './api/callers.ts';
import { IncidentDesk } from './incidents.ts';
import { LeaderWatch } from './leader-watch.ts';
import { Origins } from './origins.ts';
import type { Observer } from './views/index.ts';

/** How far an agent's record may run behind its own word, ms (measured 0.1 to 0.5 s for Claude Code). */
const RECORD_LAG = 2_000;

/**
 * The coordinator's rooms put together: it owns the post offices of all teams, passes committed events on to the lines they
 * concern, and answers what was seen of an agent. Nothing in it decides.
 */
export class Runtime implements Observer {
  readonly effects: Effects;
  readonly log: Logger;
  /** UTC ms. */
  readonly startedAt: number;
  /** This program's version. */
  readonly build: string;
  /** Loopback port of MCP. */
  readonly port: number;
  /** Asks this coordinator to end once what it is answering has been answered. Its agents live on. */
  readonly endSoon: (why: string) => void;
  /** What agents get from whoever starts them. */
  readonly origins = new Origins();
  readonly #offices = new Map<TeamId, PostOffice>();
  readonly #traffic = new Map<TeamId, Traffic>();
  readonly #incidents = new IncidentDesk(this);
  readonly #leaderWatch = new LeaderWatch(this);
  readonly #leaderWatchers: ((team: TeamId) => void)[] = [];
  readonly #watchers: ((member: Member) => void)[] = [];

  constructor(effects: Effects, log: Logger, process: { build: string; port: number; endSoon: (why: string) => void }) {
    this.effects = effects;
    this.log = log;
    this.build = process.build;
    this.port = process.port;
    this.endSoon = process.endSoon;
    this.startedAt = effects.clock.now();
    effects.ledger.onCommit((events) => this.#dispatch(events));
  }

  desk(team: TeamId): Desk {
    const { ledger, mint, clock, reach } = this.effects;
    return { ledger, team, mint, clock, reach };
  }

  office(team: TeamId): PostOffice {
    const known = this.#offices.get(team);
    if (known) return known;
    const office = new PostOffice(
      this.desk(team),
      (id) => this.#recipient(team, id),
      (error) => this.log.error({ err: error, team }, 'a line failed'),
    );
    this.#offices.set(team, office);
    return office;
  }

  /** What the agents of a team wrote lately. */
  traffic(team: TeamId): Traffic {
    const traffic = this.#traffic.get(team) ?? new Traffic(() => performance.now());
    this.#traffic.set(team, traffic);
    return traffic;
  }

  /** Called with an agent whenever something new was seen of it. */
  onSeen(listener: (member: Member) => void): void {
    this.#watchers.push(listener);
  }

  /** Called with a team whenever something new was seen of whoever leads it. */
  onLeaderSeen(listener: (team: TeamId) => void): void {
    this.#leaderWatchers.push(listener);
  }

  /** Something new was seen of an agent: its line looks again, and whoever waits. */
  saw(member: Member): void {
    for (const listener of this.#watchers) listener(member);
    this.office(member.row.team as TeamId).wake(member.id);
    this.effects.changes.notify();
  }

  /** Something new was seen of whoever leads a team. */
  sawLeader(team: TeamId): void {
    this.#leaderWatch.look(team);
    for (const listener of this.#leaderWatchers) listener(team);
    this.office(team).wake(LEADER);
    this.effects.changes.notify();
  }

  /** Something happened to an agent that its leader should hear of, once. */
  happened(member: Member, incident: Incident): void {
    this.#incidents.take(member, incident);
  }

  /** The same for a conversation, which may lead several teams. */
  happenedToLeader(incarnation: IncarnationId, incident: Incident): void {
    for (const team of this.effects.leaders.teamsOf(incarnation))
      this.#incidents.takeOfLeader(team, incarnation, incident);
  }

  /**
   * Resolves once an agent's line has looked at all that its record holds by now: what an agent answers it has read, and
   * its call may be quicker than the word about that.
   */
  async caughtUp({ team, agent }: Pick<AgentCaller, 'team' | 'agent'>): Promise<void> {
    const office = this.office(team);
    const looked = async (): Promise<true | undefined> => {
      office.wake(agent);
      await office.settled(agent);
      return office.resting(agent)?.imminent ? undefined : true;
    };
    await this.effects.changes.until(looked, RECORD_LAG);
  }

  /** Offers nothing more; resolves once what is being handed over is. */
  async stopOffers(): Promise<void> {
    const offices = [...this.#offices.values()];
    for (const office of offices) office.stop();
    await Promise.all(offices.map((office) => office.settled()));
  }

  member(team: TeamId, agent: AgentId): Member | undefined {
    return this.effects.roster.member(team, agent);
  }

  /** Does the session in which an agent calls know this delivery? True of a life that nobody can ask any more. */
  knows({ team, agent, incarnation }: AgentCaller, delivery: DeliveryId): boolean {
    const member = this.member(team, agent);
    return member?.incarnation !== incarnation || member.knows(delivery);
  }

  hasLeader(team: TeamId): boolean {
    const { leaders } = this.effects;
    const receiver = leaders.receiver(team);
    return receiver !== undefined && leaders.isAlive(receiver);
  }

  leading(incarnation: IncarnationId): string | undefined {
    const { leaders } = this.effects;
    return leaders.isAlive(incarnation) ? leaders.conversation(incarnation)?.provider : undefined;
  }

  leaderTurn(incarnation: IncarnationId): Turn | undefined {
    return this.effects.leaders.turn(incarnation);
  }

  resting(team: TeamId, agent: AgentId) {
    return this.#offices.get(team)?.resting(agent);
  }

  /** Committed events, to the lines they concern. */
  #dispatch(events: readonly LedgerEvent[]): void {
    for (const event of events) {
      const office = this.office(event.team);
      office.heard(event);
      switch (event.type) {
        case 'agent.exited':
        case 'agent.removed':
          office.wake(event.data.agent_id as AgentId);
          break;
        case 'saga.ended':
          for (const member of this.effects.roster.members(event.team)) office.wake(member.id);
          break;
      }
      this.log.debug({ team: event.team, seq: event.seq, actor: event.actor }, event.type);
    }
    this.effects.changes.notify();
  }

  #recipient(team: TeamId, id: AgentId): Recipient | undefined {
    return id === LEADER ? this.effects.leaders.recipient(team) : this.member(team, id);
  }
}
