import { type AgentId, LEADER, type MessageId, type Mint, type Refusal, refuse } from '../../../kernel/index.ts';
import { type Change, findMessage, lastHeard, type TeamRow } from '../../../ledger/index.ts';
import {
  type Limit,
  LONGEST_BATCH,
  limitReached,
  PEER_LIMITS,
  type PeerLimits,
  store,
  storeNotice,
  WINDOW,
} from '../../../messages/index.ts';
import type { AgentCaller } from '../../api/callers.ts';
import type { Runtime } from '../../runtime.ts';

/** May agents of this team write to each other at all? */
export function mayWriteToPeers(team: TeamRow, caller: AgentCaller, to: readonly AgentId[]): Refusal | undefined {
  if (team.worker_to_worker !== 0 || to.every((recipient) => recipient === LEADER)) return undefined;
  return refuse('peers_may_not', `In this team agents write to the leader alone (TEAM.md: worker_to_worker: false).`, {
    evidence: { agent: caller.agent, to },
    next: ['team-agent send leader "please ..."'],
  });
}

/** An agent's message that may go, with how often the ball was passed before it. */
export interface Passed {
  readonly hops: number;
}

/**
 * Stops agents that talk to each other without end: over a limit nothing is stored, and the leader is told once for as long
 * as it goes on. What was stored before under the same id is not counted again.
 */
export async function pass(
  runtime: Runtime,
  change: Change,
  team: TeamRow,
  caller: AgentCaller,
  id: MessageId,
  to: readonly AgentId[],
): Promise<Passed | Refusal> {
  const heard = await lastHeard(change.tx, change.team, caller.agent);
  const hops = (heard?.hops ?? 0) + 1;
  if (await findMessage(change.tx, id)) return { hops };
  const traffic = runtime.traffic(change.team);
  const limits: PeerLimits = { ...PEER_LIMITS, ...(JSON.parse(team.peer_limits) as Partial<PeerLimits>) };
  // A word to the leader passes no ball: it ends the round.
  const counted = to.some((recipient) => recipient !== LEADER) ? hops : 0;
  const limit = limitReached({ hops: counted, ...traffic.counts(caller.agent, to) }, limits);
  if (limit === undefined) return { hops };
  const about = limit === 'team' ? limit : `${limit}:${[caller.agent, ...to].sort().join('+')}`;
  const { why, until } = wordsOf(limit, limits[limit], caller, to);
  await change.event('peers.stopped', { agent_id: caller.agent, to, limit, most: limits[limit] });
  await storeNotice(change, runtime.effects.mint, {
    key: `loop:${about}:${traffic.episode(about, change.now)}`,
    to: LEADER,
    body: `${why} More of it is refused until ${until}.`,
  });
  const leaderHears = limitReached({ hops: 0, ...traffic.counts(caller.agent, [LEADER]) }, limits) === undefined;
  return refuse(
    'loop_guard',
    `${why} This message was not sent, and none like it will be until ${until}: report what you have, or end your turn.`,
    {
      evidence: { limit, most: limits[limit], to },
      next: leaderHears ? ['team-agent send leader "please ..."'] : [],
    },
  );
}

/** Which limit an agent has reached, and what ends that: a word to it for hops, time alone for what counts in a window. */
function wordsOf(
  limit: Limit,
  most: number,
  { agent }: AgentCaller,
  to: readonly AgentId[],
): { readonly why: string; readonly until: string } {
  const window = `${WINDOW / 60_000} minutes`;
  const until = `fewer were written within ${window}`;
  switch (limit) {
    case 'hops':
      return {
        why: `${agent} and ${to.join(', ')} have passed ${most} messages from agent to agent since anybody else spoke.`,
        until: `the leader or a person writes to ${agent}`,
      };
    case 'pair':
      return { why: `${agent} has written ${most} messages to ${to.join(' or ')} within ${window}.`, until };
    case 'team':
      return { why: `The agents of this team have written ${most} messages within ${window}.`, until };
    default:
      return limit satisfies never;
  }
}

/** A copy for the leader of what agents write to each other, when the team wants that. It wakes nobody by itself. */
export async function mirror(
  change: Change,
  mint: Mint,
  team: TeamRow,
  caller: AgentCaller,
  message: { readonly id: MessageId; readonly text: string; readonly task: string | undefined },
  to: readonly AgentId[],
): Promise<void> {
  const peers = to.filter((recipient) => recipient !== LEADER);
  if (team.peer_mirror === 0 || peers.length === 0 || peers.length < to.length) return;
  const stored = await store(
    change,
    {
      message_id: mint.message(),
      sender: caller.agent,
      authority: 'peer',
      to: [{ agent: LEADER, generation: 1 }],
      body: `Copy of what ${caller.agent} wrote to ${peers.join(', ')}:\n\n${message.text}`,
      task_id: message.task,
      expects: 'nothing',
      dedupe_key: `mirror:${message.id}`,
      batched: true,
      due_at: change.now + LONGEST_BATCH,
    },
    mint,
  );
  if ('reason' in stored) throw new Error(`a copy was refused: ${stored.message}`);
}
