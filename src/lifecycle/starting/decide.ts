/*
 * Does an agent that is started go on with its conversation, or begin a new one? What a conversation holds is lost with it,
 * so one that the leader (or a person) got through to is given up only by somebody who says so.
 *
 *   interacted   its session       without --allow-fresh   with it
 *   yes          can be resumed    resume                  resume
 *   yes          cannot            refuse                  fresh
 *   no           can be resumed    resume                  resume
 *   no           cannot            fresh                   fresh
 *
 * A session of which nobody can tell is tried: a resume that fails is undone, and nothing is lost by it.
 */
export type Remembered = 'resumable' | 'unknown' | 'gone' | 'none';

export type StartDecision = 'resume' | 'fresh' | 'refuse';

export function decideStart(facts: {
  readonly interacted: boolean;
  readonly session: Remembered;
  readonly allowFresh: boolean;
}): StartDecision {
  const { interacted, session, allowFresh } = facts;
  if (session === 'resumable' || session === 'unknown') return 'resume';
  return interacted && !allowFresh ? 'refuse' : 'fresh';
}
