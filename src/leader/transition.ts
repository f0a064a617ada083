/*
 * Who leads a team: a lease with an epoch that only grows. It is vacant, or a conversation holds it, and what is known of
 * that conversation is looked up at the moment of the decision:
 *
 *   vacant               nobody holds it: mail for the leader waits in the mailbox
 *   held, alive          its holder's process lives
 *   held, unknown        nobody can tell: an unknown holder is treated like a living one, for unknown never steals
 *   held, dead           its process is proved gone: mail waits, and whoever comes next need not ask
 *
 * One function decides every change: `acquire` (whoever starts a team, or is started for it), `rebind` (the same session in
 * a new process), `claim`, `takeover` and `attach` (the three names of one wish), and `release`. A conversation that holds
 * it already gets the same answer however often it asks. Only a confirmed wish takes it from a holder that lives.
 */
export type Intent = 'acquire' | 'rebind' | 'claim' | 'takeover' | 'attach' | 'release';

/** Why the lease changes, or why it does not. A closed list; each is audited. */
export type LeaseReason =
  | 'vacant_acquired'
  | 'previous_owner_dead'
  | 'takeover_confirmed'
  | 'same_session_rebound'
  | 'already_bound'
  | 'released'
  | 'previous_owner_alive_refused'
  | 'previous_owner_unknown_refused'
  | 'ambiguous_candidates'
  | 'owner_epoch_advanced'
  | 'caller_is_a_worker'
  | 'caller_not_leader_shaped'
  | 'caller_cwd_mismatch'
  | 'caller_elsewhere'
  | 'nobody_leads';

/** Who wants it, as a probe saw it just now. */
export type Candidate =
  /** An agent of a team: it never leads. */
  | { readonly kind: 'worker' }
  /** A shell, cron, CI: it may send and read; it has nothing that takes mail. */
  | { readonly kind: 'plain' }
  | {
      readonly kind: 'conversation';
      /** The process life that would take the mail. */
      readonly incarnation: string;
      /** Provider and session: what stays the same when a conversation goes on in another process. */
      readonly session: string;
      /** The same user on the same machine as the team. */
      readonly here: boolean;
      /** It works in the workspace, or below it, by real path; unknown is no. */
      readonly inside: boolean;
      /** Other conversations that live and work on the same session. */
      readonly twins: number;
    };

/** Who holds it, as a probe saw it just now. */
export type Holder =
  | { readonly state: 'vacant' }
  | {
      readonly state: 'alive' | 'dead' | 'unknown';
      readonly incarnation: string;
      readonly session: string;
    };

export interface Evidence {
  readonly candidate: Candidate;
  readonly holder: Holder;
  /** Somebody has said yes to taking it from one who lives; of a release, so has the holder that asks for it itself. */
  readonly confirmed: boolean;
  /** The epoch that the candidate has seen; undefined: it has seen none. */
  readonly seenEpoch: number | undefined;
}

export type Decision =
  /** It changes hands, in the next epoch. */
  | { readonly decision: 'bind'; readonly reason: LeaseReason }
  /** The same holder takes its mail elsewhere: the epoch stays. */
  | { readonly decision: 'rebind'; readonly reason: 'same_session_rebound' }
  | { readonly decision: 'release'; readonly reason: 'released' }
  | { readonly decision: 'keep'; readonly reason: 'already_bound' }
  | { readonly decision: 'refuse'; readonly reason: LeaseReason };

/** The one decision about a lease. Pure: everything it rests on was looked up a moment ago. */
export function transition(intent: Intent, evidence: Evidence, lease: { readonly epoch: number }): Decision {
  const { candidate, holder, seenEpoch } = evidence;
  if (intent === 'release') return releasing(candidate, evidence);
  if (candidate.kind === 'worker') return { decision: 'refuse', reason: 'caller_is_a_worker' };
  if (candidate.kind === 'plain') return { decision: 'refuse', reason: 'caller_not_leader_shaped' };
  if (!candidate.here) return { decision: 'refuse', reason: 'caller_elsewhere' };
  if (isHeldBy(candidate, holder)) return { decision: 'keep', reason: 'already_bound' };
  if (!mayWorkThere(candidate, intent)) return { decision: 'refuse', reason: 'caller_cwd_mismatch' };
  if (seenEpoch !== undefined && seenEpoch !== lease.epoch)
    return { decision: 'refuse', reason: 'owner_epoch_advanced' };
  return intent === 'rebind' ? rebinding(candidate, holder) : taking(intent, evidence, candidate);
}

const isHeldBy = ({ incarnation }: Conversation, holder: Holder): boolean =>
  holder.state !== 'vacant' && holder.incarnation === incarnation;

/**
 * Given up is what somebody has; wherever it works by now, and whatever else is on its session. The holder itself says yes by
 * asking; a person who gives up what another one has says so.
 */
function releasing(candidate: Candidate, { holder, confirmed }: Evidence): Decision {
  if (candidate.kind === 'worker') return { decision: 'refuse', reason: 'caller_is_a_worker' };
  if (candidate.kind !== 'conversation' || !isHeldBy(candidate, holder))
    return { decision: 'refuse', reason: 'nobody_leads' };
  if (holder.state === 'alive' && !confirmed) return { decision: 'refuse', reason: 'previous_owner_alive_refused' };
  if (holder.state === 'unknown' && !confirmed) return { decision: 'refuse', reason: 'previous_owner_unknown_refused' };
  return { decision: 'release', reason: 'released' };
}

type Conversation = Extract<Candidate, { kind: 'conversation' }>;

/** Where it works does not matter of one that was pointed at, nor of the lawful holder: that one leads on where it is. */
const mayWorkThere = ({ inside }: Conversation, intent: Intent): boolean =>
  inside || intent === 'attach' || intent === 'rebind';

/** By itself, and only when nothing is left to be decided: the same session, its old process proved gone, no twin. */
function rebinding(candidate: Conversation, holder: Holder): Decision {
  if (holder.state === 'vacant') return { decision: 'refuse', reason: 'nobody_leads' };
  if (holder.session !== candidate.session) return { decision: 'refuse', reason: 'previous_owner_alive_refused' };
  if (holder.state === 'unknown') return { decision: 'refuse', reason: 'previous_owner_unknown_refused' };
  if (holder.state === 'alive') return { decision: 'refuse', reason: 'previous_owner_alive_refused' };
  if (candidate.twins > 0) return { decision: 'refuse', reason: 'ambiguous_candidates' };
  return { decision: 'rebind', reason: 'same_session_rebound' };
}

function taking(intent: Intent, { holder, confirmed }: Evidence, candidate: Conversation): Decision {
  // A yes counts only where somebody asked for the lead by name.
  const insists = confirmed && intent !== 'acquire';
  switch (holder.state) {
    case 'vacant':
    case 'dead':
      // Of several that go on with one session none leads before one of them says so.
      if (candidate.twins > 0 && !insists) return { decision: 'refuse', reason: 'ambiguous_candidates' };
      return { decision: 'bind', reason: holder.state === 'vacant' ? 'vacant_acquired' : 'previous_owner_dead' };
    case 'alive':
      // The first of them has won, and the others are told; a takeover is another wish than that.
      if (holder.session === candidate.session && (intent === 'claim' || intent === 'acquire'))
        return { decision: 'refuse', reason: 'owner_epoch_advanced' };
      return insists
        ? { decision: 'bind', reason: 'takeover_confirmed' }
        : { decision: 'refuse', reason: 'previous_owner_alive_refused' };
    case 'unknown':
      return insists
        ? { decision: 'bind', reason: 'takeover_confirmed' }
        : { decision: 'refuse', reason: 'previous_owner_unknown_refused' };
    default:
      return holder satisfies never;
  }
}
