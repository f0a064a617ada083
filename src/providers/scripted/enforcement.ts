import type { Enforcement } from '../shape.ts';

/** A script runs whatever it says: nothing keeps it to the tools of its role document. */
export function enforcement(): Enforcement {
  return 'prompt_only';
}
