import { type AgentId, LEADER, type Mint } from '../kernel/index.ts';
import { type Change, findTeam, owedResults, type QueuedRow, type ResultRow, type TeamRow } from '../ledger/index.ts';
import { LONGEST_BATCH, releaseBatch, storeNotice } from '../messages/index.ts';

export type Announced = Pick<
  ResultRow,
  'result_id' | 'agent_id' | 'task_id' | 'status' | 'summary' | 'unattributed' | 'message_id'
>;

/** What a result finds when it comes in. */
export interface Occasion {
  readonly notify: TeamRow['notify'];
  readonly status: ResultRow['status'];
  /** Results that the leader or a person still waits for. */
  readonly owed: number;
}

/**
 * Does a result wake the leader by itself? `each`: every one. `quiet`: one that is no success, and the last that is waited
 * for. `digest`: only the last; many go together, and none waits longer than the longest batch.
 */
export function wakesLeader({ notify, status, owed }: Occasion): boolean {
  switch (notify) {
    case 'each':
      return true;
    case 'quiet':
      return status !== 'success' || owed === 0;
    case 'digest':
      return owed === 0;
    default:
      return notify satisfies never;
  }
}

/** The leader hears of each result once; so does a teammate who asked for it: with the result the ball comes back. */
export async function announce(
  change: Change,
  mint: Mint,
  result: Announced,
  request: Pick<QueuedRow, 'sender' | 'hops'> | undefined,
): Promise<void> {
  const body = announcement(result);
  const task_id = result.task_id ?? undefined;
  const notify = (await findTeam(change.tx, change.team))?.notify ?? 'each';
  const owed = notify === 'each' ? 0 : await owedResults(change.tx, change.team, { byAgents: false });
  const wakes = wakesLeader({ notify, status: result.status, owed });
  await storeNotice(change, mint, {
    key: `result:${result.result_id}`,
    to: LEADER,
    body,
    task_id,
    ...(wakes ? {} : { batched: true, due_at: notify === 'digest' ? change.now + LONGEST_BATCH : undefined }),
  });
  if (request && request.sender !== LEADER && request.sender !== 'person') {
    await storeNotice(change, mint, {
      key: `result:${result.result_id}:${request.sender}`,
      to: request.sender as AgentId,
      body,
      task_id,
      hops: request.hops,
    });
  }
}

/** Nothing more is waited for: results that wait for others go to the leader now. */
export async function releaseWhenNothingIsOwed(change: Change): Promise<void> {
  const owed = await owedResults(change.tx, change.team, { byAgents: false });
  if (owed === 0) await releaseBatch(change, LEADER);
}

/** The summary is an agent's text: quoted, so that it cannot speak in the name of the runtime. */
function announcement(result: Announced): string {
  const about = result.task_id ? ` for task ${result.task_id}` : result.unattributed ? ' (for no open request)' : '';
  const summary = result.summary.replace(/^/gm, '> ');
  return `Result ${result.result_id} of ${result.agent_id}${about}: ${result.status}\n\n${summary}`;
}
