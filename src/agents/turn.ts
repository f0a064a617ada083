import type { Liveness } from '../kernel/index.ts';
import { FACT_SOURCES, type TurnFact, type TurnState } from '../providers/index.ts';

/** What is known of an agent when somebody asks for its state. */
export interface TurnFacts {
  readonly intent: 'running' | 'stopped' | 'paused' | 'removed';
  /** Of the process of its present life; undefined when it has none. */
  readonly liveness: Liveness | undefined;
  readonly ready: boolean;
  readonly facts: readonly TurnFact[];
  /** UTC ms. */
  readonly now: number;
}

export interface Turn {
  readonly state: TurnState;
  readonly source: string;
  /** UTC ms. */
  readonly since: number;
  readonly evidence: readonly string[];
  readonly rejected: readonly { readonly source: string; readonly state: TurnState; readonly why: string }[];
  readonly would_change: readonly string[];
}

/**
 * The state of an agent, derived afresh from what was seen. A dead process beats everything; then the strongest source that
 * says anything wins; a screen never makes a state.
 */
export function deriveTurn({ liveness, ready, facts, now, intent }: TurnFacts): Turn {
  const known = FACT_SOURCES.flatMap((source) =>
    facts.filter((fact) => fact.source === source && fact.value !== 'unknown'),
  );
  const usable = known.filter((fact) => fact.source !== 'screen');
  const rejected = (won: TurnFact | undefined, why: string) =>
    known
      .filter((fact) => fact !== won)
      .map((fact) => ({
        source: fact.source,
        state: fact.value,
        why: fact.source === 'screen' ? 'a screen never makes a state' : why,
      }));

  if (liveness === undefined || liveness === 'dead') {
    const evidence = liveness === undefined ? `no process runs for it (asked for: ${intent})` : 'its process has ended';
    return {
      state: 'exited',
      source: 'process',
      since: now,
      evidence: [evidence],
      rejected: rejected(undefined, 'the process is gone'),
      would_change: ['a start of the agent'],
    };
  }
  const [best] = usable;
  if (!best) {
    const state = ready ? 'unknown' : 'starting';
    const evidence = ready ? 'no source says anything' : 'its process lives; it has not said that its input is open';
    return {
      state,
      source: 'process',
      since: now,
      evidence: [evidence],
      rejected: rejected(undefined, ''),
      would_change: ['a word from the agent by any source'],
    };
  }
  if (!ready) {
    return {
      state: 'starting',
      source: best.source,
      since: best.at,
      evidence: [`${best.source} says ${best.value}, but the agent has not asked for its team tools yet`],
      rejected: rejected(undefined, 'not ready'),
      would_change: ['its tools/list request'],
    };
  }
  return {
    state: best.value,
    source: best.source,
    since: best.at,
    evidence: [best.evidence ?? `${best.source} says ${best.value}`],
    rejected: rejected(best, `${best.source} is the stronger source`),
    would_change: [`a newer word by ${best.source}`, 'the end of its process'],
  };
}
