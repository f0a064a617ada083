import type { Logger } from 'pino';
import type { TeamId } from '../kernel/index.ts';
import type { Effects } from '../lifecycle/index.ts';

interface House {
  readonly effects: Pick<Effects, 'ledger' | 'leaders'>;
  readonly log: Logger;
}

/** Writes down when a leader's provider fails (a rate limit, a login that is over, an overload), once per spell. */
export class LeaderWatch {
  readonly #house: House;
  /** Since when, UTC ms, the leader of a team is in the error that was written down last. */
  readonly #told = new Map<TeamId, number>();

  constructor(house: House) {
    this.#house = house;
  }

  look(team: TeamId): void {
    const { leaders, ledger } = this.#house.effects;
    const receiver = leaders.receiver(team);
    const turn = receiver && leaders.turn(receiver);
    if (turn?.state !== 'provider_error' || this.#told.get(team) === turn.since) return;
    this.#told.set(team, turn.since);
    const [evidence] = turn.evidence;
    ledger
      .change(team, 'coordinator', (change) =>
        change.event('leader.provider_error', {
          incarnation: receiver,
          source: turn.source,
          since: turn.since,
          evidence,
        }),
      )
      .catch((error: unknown) => this.#house.log.error({ err: error, team }, "a leader's error was not stored"));
  }
}
