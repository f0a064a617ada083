import { createHash } from 'node:crypto';
import type { AgentId, IncarnationId, ProcessIdentity, TeamId } from '../kernel/index.ts';
import type { AgentRow, IncarnationRow } from '../ledger/index.ts';
import type { AgentHandle } from '../providers/index.ts';
import type { Member } from './member.ts';

/** Who a token speaks for. */
export interface Holder {
  readonly team: TeamId;
  readonly agent: AgentId;
  readonly incarnation: IncarnationId;
}

/** What the ledger keeps of a token. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Everybody who is in a team now, with what was seen of them. */
export class Roster {
  readonly #members = new Map<TeamId, Map<AgentId, Member>>();
  readonly #holders = new Map<string, Holder>();
  /** Lives whose tool client asked before anybody followed them: some ask while their session is being opened. */
  readonly #askedEarly = new Set<string>();
  readonly #make: (row: AgentRow) => Member;

  constructor(make: (row: AgentRow) => Member) {
    this.#make = make;
  }

  /** Puts an agent in, or updates what was asked of one that is in already. */
  enrol(row: AgentRow): Member {
    const team = this.#members.get(row.team as TeamId) ?? new Map<AgentId, Member>();
    this.#members.set(row.team as TeamId, team);
    const known = team.get(row.agent_id as AgentId);
    if (known) {
      known.row = row;
      return known;
    }
    const member = this.#make(row);
    team.set(member.id, member);
    return member;
  }

  /** Follows a life and honours its token from now on. */
  follow(row: IncarnationRow, handle: AgentHandle): Member | undefined {
    const member = this.member(row.team as TeamId, row.agent_id as AgentId);
    member?.follow(row, handle);
    this.honour(row);
    if (this.#askedEarly.delete(row.incarnation)) member?.sawToolsListed();
    return member;
  }

  /** A token is good from the moment its life is in the ledger: the agent may call before anybody has attached to it. */
  honour(row: Pick<IncarnationRow, 'team' | 'agent_id' | 'incarnation' | 'token_hash'>): void {
    this.#holders.set(row.token_hash, {
      team: row.team as TeamId,
      agent: row.agent_id as AgentId,
      incarnation: row.incarnation as IncarnationId,
    });
  }

  /** A life's tool client asked what tools there are. */
  sawToolsListed(incarnation: IncarnationId): void {
    const member = this.byIncarnation(incarnation);
    if (member) member.sawToolsListed();
    else this.#askedEarly.add(incarnation);
  }

  /** A life is over: its token dies with it. */
  end(incarnation: IncarnationId): Member | undefined {
    for (const [hash, holder] of this.#holders) if (holder.incarnation === incarnation) this.#holders.delete(hash);
    this.#askedEarly.delete(incarnation);
    const member = this.byIncarnation(incarnation);
    member?.letGo();
    return member;
  }

  member(team: TeamId, agent: AgentId): Member | undefined {
    return this.#members.get(team)?.get(agent);
  }

  /** Those who are in a team now; who was removed is not. */
  members(team: TeamId): Member[] {
    return [...(this.#members.get(team)?.values() ?? [])].filter(({ row }) => row.intent !== 'removed');
  }

  all(): Member[] {
    return [...this.#members.values()].flatMap((team) => [...team.values()]);
  }

  /** The agent whose life one of these processes is. */
  around(chain: readonly ProcessIdentity[]): Member | undefined {
    return this.all().find(({ handle }) =>
      chain.some(({ pid, start }) => pid === handle?.process.pid && start === handle.process.start),
    );
  }

  byIncarnation(incarnation: IncarnationId): Member | undefined {
    return this.all().find((member) => member.incarnation === incarnation);
  }

  holder(token: string): Holder | undefined {
    return this.#holders.get(tokenHash(token));
  }
}
