import { type Refusal, refuse, type TeamId } from '../kernel/index.ts';

/** What agents get from whoever starts them. */
export interface Origin {
  readonly environment: Readonly<Record<string, string>>;
  readonly umask?: number | undefined;
}

/**
 * What those passed on who last started somebody of each team. A tool of the leader has no environment of its own, so an
 * agent that it starts gets what its team got. Values may be secret: they are nowhere but here, and a coordinator that is
 * started anew does not know them.
 */
export class Origins {
  readonly #known = new Map<TeamId, Origin>();

  keep(team: TeamId, origin: Origin): Origin {
    this.#known.set(team, origin);
    return origin;
  }

  /**
   * What goes along with a start that `given` was passed for, or with one that nothing was passed for. `command`: the line
   * that asks for it in a shell.
   */
  of(
    team: TeamId,
    given: { readonly [Key in keyof Origin]?: Origin[Key] | undefined },
    command: string,
  ): Origin | Refusal {
    if (given.environment !== undefined) return this.keep(team, { environment: given.environment, umask: given.umask });
    return (
      this.#known.get(team) ??
      refuse(
        'environment_unknown',
        `The coordinator was started anew and does not know the environment of the agents of ${team}: use the command in a shell.`,
        { evidence: { team }, next: [command] },
      )
    );
  }
}
