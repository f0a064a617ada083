import { type AgentId, firstLine, LEADER, type Mint } from '../kernel/index.ts';
import { answerableRequests, type Change, generationOf, type QueuedRow } from '../ledger/index.ts';
import { storeNotice, whoToTell } from '../messages/index.ts';
import { releaseWhenNothingIsOwed } from './announce.ts';

/**
 * Gives up what an agent knows, its conversation or its place in the team, in the transaction that does so. What it had read
 * and not answered can be answered by nobody any more: the leader is told which requests those are, so is each teammate that
 * asked, and what waited for their results goes. `what` says what happened, behind the agent's name.
 */
export async function giveUp<Given>(
  change: Change,
  mint: Mint,
  { agent, what }: { readonly agent: AgentId; readonly what: string },
  effect: () => Promise<Given>,
): Promise<Given> {
  const lost = await answerableRequests(change.tx, change.team, agent);
  const given = await effect();
  const [first] = lost;
  if (first) {
    await tell(change, mint, LEADER, { key: first.delivery_id, body: lettered(agent, what, lost) });
    const asked = Map.groupBy(lost, ({ sender }) => whoToTell(sender));
    for (const [to, own] of asked) {
      if (to === undefined || to === LEADER || (await generationOf(change.tx, change.team, to)) === undefined) continue;
      await tell(change, mint, to, { key: `${first.delivery_id}:${to}`, body: lettered(agent, what, own) });
    }
  }
  await releaseWhenNothingIsOwed(change);
  return given;
}

function tell(change: Change, mint: Mint, to: AgentId, { key, body }: { key: string; body: string }): Promise<void> {
  return storeNotice(change, mint, { key: `unanswerable:${key}`, to, body });
}

function lettered(agent: AgentId, what: string, lost: readonly QueuedRow[]): string {
  const names = lost.map(
    ({ message_id, task_id, body }) => `${message_id}${task_id ? `, task ${task_id}` : ''} ("${firstLine(body, 60)}")`,
  );
  const [it, matters] = lost.length === 1 ? ['it', 'it still matters'] : ['them', 'they still matter'];
  return `${agent} ${what}. It had read and not answered: ${names.join('; ')}. Nobody answers ${it} any more; send ${it} again if ${matters}.`;
}
