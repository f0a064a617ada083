/*
 * What a message waits for by itself. As long as it does, its deliveries are `held(reason)` and stand in no line: what was
 * sent after it may go before it. A message can wait for several things; the reason is the first of them, and each event
 * that ends one (a person's yes, a task that is done, a time that has come, a leader that is woken anyway) asks again.
 */
export type MessageHold = 'human_confirmation' | 'dependencies' | 'scheduled' | 'batched';

/** What waits to go along with something goes alone after so long, ms: then a wake is worth its price. */
export const LONGEST_BATCH = 600_000;

export interface HoldFacts {
  /** UTC ms. */
  readonly now: number;
  /** Must a person say yes, and did one? */
  readonly confirmation: 'wanted' | 'given' | null;
  /** Tasks that its own task builds on and that are not done. */
  readonly unfinished: readonly string[];
  /** UTC ms; null: at once. */
  readonly due_at: number | null;
  /** It wakes nobody by itself. With `due_at` it waits no longer than that. */
  readonly batched: boolean;
}

/** The first thing that a message waits for; undefined when it may go into its line. */
export function holdOf({ now, confirmation, unfinished, due_at, batched }: HoldFacts): MessageHold | undefined {
  if (confirmation === 'wanted') return 'human_confirmation';
  if (unfinished.length > 0) return 'dependencies';
  const early = due_at !== null && due_at > now;
  if (batched) return early || due_at === null ? 'batched' : undefined;
  return early ? 'scheduled' : undefined;
}
