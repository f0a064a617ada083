import { createHash } from 'node:crypto';
import type { IncarnationId } from '../kernel/index.ts';

/** The id of an open question, from the life that asks and the provider's own name of the question. */
export function approvalId(incarnation: IncarnationId, question: string): string {
  return `ap_${createHash('sha256').update(`${incarnation}\0${question}`).digest('hex').slice(0, 12)}`;
}
