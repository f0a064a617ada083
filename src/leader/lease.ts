import os from 'node:os';
import path from 'node:path';
import { type DeliveryId, type IncarnationId, LEADER, placeOf, type TeamId } from '../kernel/index.ts';
import {
  type Change,
  type LeaseRow,
  type Ledger,
  leaseOf,
  moveLease,
  putLease,
  waitingNotices,
} from '../ledger/index.ts';
import { cancel } from '../messages/index.ts';
import type { Conversation } from './conversation.ts';
import { identityOf, type LeaderIdentity } from './identity.ts';
import type { Leaders } from './leaders.ts';
import { type Candidate, type Decision, type Evidence, type Holder, type Intent, transition } from './transition.ts';

/** Somebody's wish to change who leads. */
export interface Wish {
  readonly intent: Intent;
  readonly confirmed: boolean;
  /** For the record: `leader`, `person`, an agent, or the coordinator itself. */
  readonly actor: string;
  readonly candidate: Candidate;
  /** The conversation that would take the mail, when the candidate is one. */
  readonly conversation?: Conversation | undefined;
}

/** What became of a wish. */
export interface Outcome {
  readonly decision: Decision;
  /** As of now. */
  readonly epoch: number;
  /** Who led before, when that changed. */
  readonly previous: LeaderIdentity | null;
}

/** A conversation as it is now: whose process, where it works, who else is on its session. */
export function candidateOf(conversation: Conversation, workspace: string, twins: number): Candidate {
  const { incarnation, provider, handle } = conversation;
  const { folder, uid } = placeOf((handle.terminal ?? handle.process).pid);
  return {
    kind: 'conversation',
    incarnation,
    session: sessionKey(provider, handle.session),
    here: uid !== undefined && uid === process.getuid?.(),
    inside: folder !== undefined && isInside(folder, workspace),
    twins,
  };
}

function isInside(folder: string, workspace: string): boolean {
  const below = path.relative(workspace, folder);
  return below === '' || !(below === '..' || below.startsWith(`..${path.sep}`) || path.isAbsolute(below));
}

const sessionKey = (provider: string, session: string): string => `${provider}:${session}`;

/**
 * Decides and commits in one transaction: who holds the lease is looked up inside it, so that nobody can come between. Every
 * change and every refusal is one event; asking for what one has already is none.
 */
export async function changeLead(
  { ledger, leaders }: { readonly ledger: Ledger; readonly leaders: Leaders },
  team: TeamId,
  wish: Wish,
): Promise<Outcome> {
  const seenEpoch = (await leaseOf(ledger.db, team))?.epoch;
  const outcome = await ledger.change(team, wish.actor, async (change): Promise<Outcome> => {
    const lease = await leaseOf(change.tx, team);
    const epoch = lease?.epoch ?? 0;
    const { candidate, confirmed } = wish;
    const evidence: Evidence = { candidate, holder: await holderOf(change, leaders, lease), confirmed, seenEpoch };
    const decision = transition(wish.intent, evidence, { epoch });
    const previous = lease?.identity ? (JSON.parse(lease.identity) as LeaderIdentity) : null;
    return { decision, previous, epoch: await commit(change, wish, decision, epoch, previous) };
  });
  const { decision } = outcome.decision;
  if (decision === 'bind' || decision === 'rebind') leaders.leads(team, wish.conversation?.incarnation);
  if (decision === 'release') leaders.leads(team, undefined);
  return outcome;
}

async function holderOf(change: Change, leaders: Leaders, lease: LeaseRow | undefined): Promise<Holder> {
  const incarnation = lease?.receiver as IncarnationId | null | undefined;
  if (!incarnation) return { state: 'vacant' };
  const session = await leaders.sessionOf(incarnation, change.tx);
  return {
    state: leaders.liveness(incarnation),
    incarnation,
    session: session ? sessionKey(session.provider, session.session) : '',
  };
}

/** Writes a decision down; returns the epoch after it. */
async function commit(
  change: Change,
  { intent, candidate, conversation }: Wish,
  decision: Decision,
  epoch: number,
  previous: LeaderIdentity | null,
): Promise<number> {
  const { reason } = decision;
  const told = { intent, reason, host: os.hostname() };
  const identity = conversation ? identityOf(conversation.provider, conversation.handle.session) : null;
  const facts = { identity: identity && JSON.stringify(identity), receiver: conversation?.incarnation ?? null };
  switch (decision.decision) {
    case 'keep':
      return epoch;
    case 'refuse':
      await change.event('leader.refused', { ...told, epoch, candidate: candidate.kind, identity });
      return epoch;
    case 'rebind':
      await moveLease(change, facts);
      await cancelOutdated(change);
      await change.event('leader.rebound', { ...told, epoch, identity, incarnation: conversation?.incarnation });
      return epoch;
    case 'release': {
      const next = await putLease(change, { identity: null, receiver: null });
      await change.event('leader.released', { ...told, epoch: next, previous });
      return next;
    }
    case 'bind': {
      const next = await putLease(change, facts);
      await cancelOutdated(change);
      const incarnation = conversation?.incarnation;
      await change.event('leader.bound', { ...told, epoch: next, identity, incarnation, previous });
      return next;
    }
    default:
      return decision satisfies never;
  }
}

/** The kind of notice that nobody leads because several could. */
export const AMBIGUOUS = 'ambiguous';
/** The kind of notice of what happened to the process that leads. */
export const ABOUT_LEADER = 'leader';

/** Another process leads now: what says that none does, or tells of the one before, is not worth a turn any more. */
async function cancelOutdated(change: Change): Promise<void> {
  for (const kind of [AMBIGUOUS, ABOUT_LEADER]) {
    for (const notice of await waitingNotices(change.tx, change.team, LEADER, kind))
      await cancel(change, notice.delivery_id as DeliveryId, change.actor);
  }
}
