import type { Logger } from 'pino';
import type { IncarnationId, TeamId } from '../kernel/index.ts';
import type { Effects } from '../lifecycle/index.ts';

interface House {
  readonly effects: Pick<Effects, 'ledger' | 'leaders' | 'clock'>;
  readonly log: Logger;
}

/** The last error of a leader that is written down. */
interface Spell {
  readonly incarnation: IncarnationId;
  lasts: boolean;
  /** Until when, UTC ms, it was seen. */
  until: number;
}

/**
 * Writes down when a leader's provider fails (a rate limit, a login that is over, an overload), once per spell. Hooks and
 * record tell of one error at times of their own, and a record that lags shows an old one again: neither is another spell.
 */
export class LeaderWatch {
  readonly #house: House;
  readonly #spells = new Map<TeamId, Spell>();

  constructor(house: House) {
    this.#house = house;
  }

  look(team: TeamId): void {
    const { leaders, ledger, clock } = this.#house.effects;
    const incarnation = leaders.receiver(team);
    if (incarnation === undefined) return;
    const turn = leaders.turn(incarnation);
    const known = this.#spells.get(team);
    const spell = known?.incarnation === incarnation ? known : undefined;
    if (turn?.state !== 'provider_error') {
      if (spell) spell.lasts = false;
      return;
    }
    const now = clock.now();
    if (spell?.lasts) spell.until = now;
    if (spell && (spell.lasts || turn.since <= spell.until)) return;
    this.#spells.set(team, { incarnation, lasts: true, until: now });
    const { source, since } = turn;
    const [evidence] = turn.evidence;
    ledger
      .change(team, 'coordinator', (change) =>
        change.event('leader.provider_error', { incarnation, source, since, evidence }),
      )
      .catch((error: unknown) => this.#house.log.error({ err: error, team }, "a leader's error was not stored"));
  }
}
