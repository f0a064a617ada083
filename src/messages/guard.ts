/*
 * Agents that answer each other can go on for ever, and each round is paid for. Three limits stop that: how often the ball
 * goes from agent to agent after a person or the leader last spoke, how much one agent writes to another in a while, and
 * how much all of them write. What is over a limit is refused before it is stored: its sender knows, and the leader is told
 * once. Nobody but agents is ever limited.
 */

/** How much agents may write. Counted messages are those of one window. */
export interface PeerLimits {
  /** Messages from agent to agent in a row, without a word of the leader or a person between. */
  readonly hops: number;
  /** Messages of one agent to one other member. */
  readonly pair: number;
  /** Messages of all agents of the team. */
  readonly team: number;
}

/** Twelve rounds between two who review each other's work; a message every ten seconds for a whole window. */
export const PEER_LIMITS: PeerLimits = { hops: 24, pair: 30, team: 300 };

/** The time that counts, ms. */
export const WINDOW = 300_000;

export type Limit = keyof PeerLimits;

/** The limit that one more message would break; undefined when it may go. */
export function limitReached(traffic: PeerLimits, limits: PeerLimits): Limit | undefined {
  if (traffic.hops > limits.hops) return 'hops';
  if (traffic.pair >= limits.pair) return 'pair';
  return traffic.team >= limits.team ? 'team' : undefined;
}

interface Sent {
  readonly from: string;
  readonly to: string;
  /** ms of the clock that counts. */
  readonly at: number;
}

/** What the agents of one team wrote in the last window. Kept in memory: after a restart the count begins anew. */
export class Traffic {
  readonly #now: () => number;
  #sent: Sent[] = [];
  readonly #episodes = new Map<string, { readonly began: number; last: number }>();

  /** `now` in ms, of a clock that nobody sets. */
  constructor(now: () => number) {
    this.#now = now;
  }

  note(from: string, to: readonly string[]): void {
    const at = this.#now();
    for (const recipient of to) this.#sent.push({ from, to: recipient, at });
  }

  /** What was written from one to any of the others, at most, and by all agents. */
  counts(from: string, to: readonly string[]): Pick<PeerLimits, 'pair' | 'team'> {
    const since = this.#now() - WINDOW;
    this.#sent = this.#sent.filter(({ at }) => at > since);
    const pairs = to.map((recipient) => this.#sent.filter((one) => one.from === from && one.to === recipient).length);
    return { pair: Math.max(0, ...pairs), team: this.#sent.length };
  }

  /**
   * When the spell began in which `about` is stopped again and again, by the clock on the wall, which shows `wall` now (UTC
   * ms). It is over when a whole window passed without.
   */
  episode(about: string, wall: number): number {
    const now = this.#now();
    const known = this.#episodes.get(about);
    const episode = known && now - known.last < WINDOW ? known : { began: wall, last: now };
    episode.last = now;
    this.#episodes.set(about, episode);
    return episode.began;
  }
}
