import type { AgentId, TeamId } from '../kernel/index.ts';

/** What a verb touches: one agent, or its whole team. */
export interface Touched {
  readonly team: TeamId;
  readonly agent?: AgentId;
}

interface Entry {
  readonly touched: Touched;
  readonly cut: AbortController;
  readonly over: Promise<unknown>;
}

/**
 * Verbs that start and end agents run one after another where they touch the same agent, and side by side where they do not:
 * nobody lives twice because two asked at once.
 */
export class VerbQueue {
  readonly #entries = new Set<Entry>();

  /** Runs a verb once every earlier one that touches the same agents is over. A later one may cut it short. */
  run<Answer>(touched: Touched, verb: (cut: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const cut = new AbortController();
    const earlier = this.#touching(touched).map(({ over }) => over);
    const answer = Promise.all(earlier).then(() => verb(cut.signal));
    const entry: Entry = { touched, cut, over: answer.then(forget, forget) };
    this.#entries.add(entry);
    void entry.over.then(() => this.#entries.delete(entry));
    return answer;
  }

  /** The same for a verb that ends agents: whoever waits for one of them to get ready waits no longer. */
  runAtOnce<Answer>(touched: Touched, verb: (cut: AbortSignal) => Promise<Answer>): Promise<Answer> {
    for (const { cut } of this.#touching(touched)) cut.abort(new Error('it is to be stopped'));
    return this.run(touched, verb);
  }

  #touching({ team, agent }: Touched): Entry[] {
    return [...this.#entries].filter(
      ({ touched }) =>
        touched.team === team && (agent === undefined || touched.agent === undefined || touched.agent === agent),
    );
  }
}

/** Whoever comes next waits for its end, not for what came out. */
const forget = (): undefined => undefined;
