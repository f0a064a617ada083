import { isRefusal, type Refusal, shellWord, type TeamId } from '../../kernel/index.ts';
import {
  type AgentRow,
  agentsOf,
  type Change,
  deleteMemberChange,
  discardSessions,
  type IncarnationRow,
  putMemberChange,
  type Reading,
  type TeamRow,
  tasksOf,
  updateAgent,
} from '../../ledger/index.ts';
import { removeRecipient } from '../../messages/index.ts';
import { giveUp } from '../../results/index.ts';
import type { Effects } from '../effects.ts';
import { enrol } from '../enrolling.ts';
import { Saga } from '../journal.ts';
import { planRemove, type Removed, type RemoveOrder } from '../planning/removing.ts';
import { removeDocument } from '../starting/kept-document.ts';
import { type Closed, cannotProveEnd, closeLives } from './stop.ts';

export interface AgentRemoved {
  readonly ok: true;
  /** Did the team's documents describe it? They do so still, and count no more. */
  readonly from_spec: boolean;
  readonly stopped: boolean;
  readonly last_view: string | null;
  /** What it started and that goes on without it. */
  readonly goes_on: Closed['goes_on'];
  /** False: somebody edited the document that the team kept for it; it stays. Null: there was none. */
  readonly role_file_removed: boolean | null;
  /** Open tasks that still name it. */
  readonly tasks: readonly string[];
}

/**
 * Makes an agent no member any more: it is ended, its conversation is given up, its mail is dead and whoever wrote it is
 * told. Its documents stay; those of the team itself are not looked at any more for its name.
 */
export function removeAgent(effects: Effects, row: TeamRow, order: RemoveOrder): Promise<AgentRemoved | Refusal> {
  const touched = { team: row.team as TeamId, agent: order.agent };
  const verb = () => removeNow(effects, row, order);
  if (!order.force) return effects.queue.run(touched, verb);
  return effects.queue.runAtOnceUnlessRefused(touched, () => planRemove(effects, row, order), verb);
}

async function removeNow(effects: Effects, row: TeamRow, order: RemoveOrder): Promise<AgentRemoved | Refusal> {
  const { agent } = order;
  const team = row.team as TeamId;
  const plan = await planRemove(effects, row, order);
  if (isRefusal(plan)) return plan;
  const { removed, life, member } = plan;
  const saga = new Saga(effects.ledger, team);
  await effects.ledger.change(team, order.asked_by, async (change) => {
    if (member.intent !== 'paused') await updateAgent(change, agent, { intent: 'stopped' });
    await saga.open(change, 'remove', { ...removed, incarnations: life ? [life.incarnation] : [] });
    await change.event('agent.removing', { agent_id: agent, from_spec: removed.native, force: order.force });
  });
  await enrol(effects, team, agent);
  await effects.reach('remove.journalled');
  const done = await completeRemove(effects, saga, removed, life ? [life] : []);
  if (isRefusal(done)) return done;
  const open = (await tasksOf(effects.ledger.db, team)).filter(
    (task) => task.assignee === agent && !['done', 'failed', 'cancelled'].includes(task.status),
  );
  return { ok: true, from_spec: removed.native, ...done, tasks: open.map(({ task_id }) => task_id) };
}

/**
 * The rest of a removal after its point of no return; boot comes here when it was cut off. When nobody can prove that the
 * agent ended, it stays a member that is stopped.
 */
export async function completeRemove(
  effects: Effects,
  saga: Saga,
  removed: Removed,
  lives: readonly IncarnationRow[],
): Promise<Refusal | Pick<AgentRemoved, 'stopped' | 'last_view' | 'goes_on' | 'role_file_removed'>> {
  const { agent, kept } = removed;
  const closed = await closeLives(effects, saga.team, lives, 'it was removed from the team');
  await effects.reach('remove.ended');
  const left = closed.find(({ ended }) => !ended);
  if (left) {
    await saga.end('undone', async (change) => {
      await change.event('agent.remove_undone', { agent_id: agent });
    });
    return cannotProveEnd(left, `team-agent stop-agent ${shellWord(agent)} --team ${shellWord(saga.team)}`);
  }
  // Before the commit: whoever finds this cut off does it again. Its document may be somebody else's by then.
  const role_file_removed =
    kept && (await memberOf(effects.ledger.db, saga.team, removed)) ? removeDocument(kept) : null;
  await effects.reach('remove.cleared');
  await saga.end('done', (change) => remove(change, effects, removed));
  await enrol(effects, saga.team, agent);
  const [done]: readonly (Closed | undefined)[] = closed;
  return {
    stopped: done !== undefined,
    last_view: done?.last_view ?? null,
    goes_on: done?.goes_on ?? [],
    role_file_removed,
  };
}

/** The one that is removed, while it is a member: not another one that got its name since. */
async function memberOf(
  db: Reading,
  team: TeamId,
  { agent, generation }: Pick<Removed, 'agent' | 'generation'>,
): Promise<AgentRow | undefined> {
  const member = (await agentsOf(db, team)).find(({ agent_id }) => agent_id === agent);
  return generation === undefined || member?.generation === generation ? member : undefined;
}

async function remove(change: Change, { mint }: Effects, removed: Removed): Promise<void> {
  const { agent, native } = removed;
  const member = await memberOf(change.tx, change.team, removed);
  if (!member) return;
  await removeRecipient(change, mint, agent, member.generation);
  await giveUp(change, mint, { agent, what: 'was removed from the team' }, async () => {
    await discardSessions(change, agent);
    await updateAgent(change, agent, { intent: 'removed' });
  });
  await (native
    ? putMemberChange(change, {
        agent_id: agent,
        kind: 'removed',
        document: null,
        document_hash: null,
        forked_from: null,
        made_by: 'coordinator',
      })
    : deleteMemberChange(change, agent));
  await change.event('agent.removed', { agent_id: agent, generation: member.generation, from_spec: native });
}
