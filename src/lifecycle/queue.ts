import { type AgentId, isRefusal, type Refusal, type TeamId } from '../kernel/index.ts';

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
  #closed = false;
  readonly #settling = new Map<TeamId, Promise<void>>();
  readonly #settle: (touched: Touched) => Promise<void>;

  /** `settle` ends what an earlier verb left half done; it comes before each turn, and never throws. */
  constructor(settle: (touched: Touched) => Promise<void> = async () => undefined) {
    this.#settle = settle;
  }

  /** Runs a verb once every earlier one that touches the same agents is over. A later one may cut it short. */
  run<Answer>(touched: Touched, verb: (cut: AbortSignal) => Promise<Answer>): Promise<Answer> {
    if (this.#closed) return new Promise(() => undefined);
    const cut = new AbortController();
    const earlier = this.#touching(touched).map(({ over }) => over);
    const answer = Promise.all(earlier)
      .then(() => this.#settled(touched))
      .then(() => verb(cut.signal));
    const entry: Entry = { touched, cut, over: answer.then(forget, forget) };
    this.#entries.add(entry);
    void entry.over.then(() => this.#entries.delete(entry));
    return answer;
  }

  /**
   * The same for a verb that ends agents: whoever waits for one of them to get ready waits no longer. A verb for one agent
   * cuts nobody else short: a start of the whole team goes on, and is waited for.
   */
  runAtOnce<Answer>(touched: Touched, verb: (cut: AbortSignal) => Promise<Answer>): Promise<Answer> {
    for (const { touched: other, cut } of this.#touching(touched))
      if (touched.agent === undefined || other.agent === touched.agent) cut.abort(new Error('it is to be stopped'));
    return this.run(touched, verb);
  }

  /** The same for a verb that may be refused: one that is cuts nobody short, and waits for nobody. */
  async runAtOnceUnlessRefused<Answer>(
    touched: Touched,
    plan: () => Promise<object | Refusal>,
    verb: (cut: AbortSignal) => Promise<Answer>,
  ): Promise<Answer | Refusal> {
    const planned = this.#touching(touched).length > 0 ? await plan() : undefined;
    return isRefusal(planned) ? planned : this.runAtOnce(touched, verb);
  }

  /**
   * From now on no verb begins any more: what it starts would be left alone by a process that ends. Whoever asks waits until
   * it has ended, and is told so by that.
   */
  close(): void {
    this.#closed = true;
  }

  /** Does no verb run, and none wait? */
  isIdle(): boolean {
    return this.#entries.size === 0;
  }

  /** One after another in each team: what is half done may concern all of it. */
  #settled(touched: Touched): Promise<void> {
    const settled = (this.#settling.get(touched.team) ?? Promise.resolve()).then(() => this.#settle(touched));
    this.#settling.set(touched.team, settled);
    return settled;
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
