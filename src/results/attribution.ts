/** A request that a session has consumed and not yet answered. Ids as the ledger holds them; `consumed_at` in UTC ms. */
export interface OpenRequest {
  readonly delivery_id: string;
  readonly message_id: string;
  readonly task_id: string | null;
  readonly sender: string;
  readonly expects: 'reply' | 'result';
  readonly consumed_at: number;
  /** The team's own order. */
  readonly seq: number;
  /** False: the agent's session has changed since it read this, and knows nothing of it. */
  readonly known?: boolean;
}

/** The part of a request that the decision rests on. */
type Known = Pick<OpenRequest, 'delivery_id' | 'message_id' | 'task_id' | 'seq' | 'known'>;

/** What a report answers. Candidates stand in the team's order. */
export type Attribution<Request extends Known = OpenRequest> =
  | { readonly kind: 'answers'; readonly request: Request }
  | { readonly kind: 'unattributed' }
  | { readonly kind: 'ambiguous'; readonly candidates: readonly Request[] }
  | { readonly kind: 'unknown_task'; readonly candidates: readonly Request[] };

/**
 * Which of an agent's open requests a report answers. None open: unattributed. One open: that one, unless the report
 * names another task. Several: the named one. A task is named by its id, or by the message or delivery id that the agent
 * saw; two open requests of one task can only be told apart by the latter. Nothing is ever guessed from time or order. A
 * request that the agent's session does not know any more (somebody has cleared it) stays open for a report that names it.
 */
export function attribute<Request extends Known>(
  open: readonly Request[],
  task: string | null | undefined,
): Attribution<Request> {
  const known = open.filter((request) => request.known !== false);
  const named = task === null || task === undefined ? known : requestsNamed(open, task);
  if (known.length === 0 && named.length === 0) return { kind: 'unattributed' };
  const [only, ...others] = named;
  if (only === undefined) return { kind: 'unknown_task', candidates: inTeamOrder(open) };
  return others.length === 0
    ? { kind: 'answers', request: only }
    : { kind: 'ambiguous', candidates: inTeamOrder(named) };
}

/** An id of one request goes before a task's name, which several may share. */
function requestsNamed<Request extends Known>(open: readonly Request[], task: string): readonly Request[] {
  const byId = open.filter((request) => request.message_id === task || request.delivery_id === task);
  return byId.length > 0 ? byId : open.filter((request) => request.task_id === task);
}

function inTeamOrder<Request extends Known>(requests: readonly Request[]): readonly Request[] {
  return [...requests].sort((one, other) => one.seq - other.seq);
}
