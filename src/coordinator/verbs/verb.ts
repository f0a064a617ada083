import type { z } from 'zod';
import type { Refusal } from '../../kernel/index.ts';
import type { Caller } from '../api/callers.ts';
import type { Runtime } from '../runtime.ts';

/** What a verb gets beside its arguments. */
export interface Asked {
  readonly runtime: Runtime;
  readonly caller: Caller;
  /** Aborts when the caller has gone: waiting for somebody who does not listen any more ends. */
  readonly gone: AbortSignal;
}

/** One verb of the local API: its arguments, who may use it, what it does. */
export interface Verb {
  readonly input: z.ZodType;
  /** May an agent of the team use it? */
  readonly agents: boolean;
  readonly run: (asked: Asked, input: unknown) => Promise<object | Refusal>;
}

/** Makes a verb whose `run` gets its arguments parsed. */
export function verb<Input>(definition: {
  input: z.ZodType<Input>;
  agents: boolean;
  run: (asked: Asked, input: Input) => Promise<object | Refusal>;
}): Verb {
  return { ...definition, run: (asked, input) => definition.run(asked, definition.input.parse(input)) };
}
