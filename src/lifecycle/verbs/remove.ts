import { type AgentId, isRefusal, type Refusal, refuse, shellWord, type TeamId } from '../../kernel/index.ts';
import {
  agentsOf,
  type Change,
  deleteMemberChange,
  discardSessions,
  type IncarnationRow,
  liveIncarnations,
  type MemberChangeRow,
  memberChanges,
  putMemberChange,
  type TeamRow,
  tasksOf,
  updateAgent,
} from '../../ledger/index.ts';
import { removeRecipient } from '../../messages/index.ts';
import type { Effects } from '../effects.ts';
import { enrol } from '../enrolling.ts';
import { Saga } from '../journal.ts';
import { removeDocument } from '../starting/newcomer.ts';
import { readDocuments } from '../starting/plan.ts';
import { type Closed, cannotProveEnd, closeLives, unknownMember } from './stop.ts';

export interface RemoveOrder {
  readonly agent: AgentId;
  /** The team's own documents describe it, and still do afterwards. */
  readonly from_spec: boolean;
  readonly confirm: boolean;
  /** A life that still goes is ended. */
  readonly force: boolean;
  readonly asked_by: string;
  /** The command line that asks for it, to be typed again with more flags. */
  readonly command: string;
}

export interface AgentRemoved {
  readonly ok: true;
  /** Did the team's documents describe it? They do so still, and count no more. */
  readonly from_spec: boolean;
  readonly stopped: boolean;
  readonly last_view: string | null;
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
  return order.force ? effects.queue.runAtOnce(touched, verb) : effects.queue.run(touched, verb);
}

/** A removal as it was asked for, after all its refusals. */
export interface RemovePlan {
  readonly agent: AgentId;
  /** Do the team's own documents describe it? */
  readonly native: boolean;
  readonly kept: { readonly path: string; readonly hash: string } | null;
}

async function removeNow(effects: Effects, row: TeamRow, order: RemoveOrder): Promise<AgentRemoved | Refusal> {
  const { agent } = order;
  const team = row.team as TeamId;
  const found = await planRemoval(effects, row, order);
  if (isRefusal(found)) return found;
  const { plan, life, member } = found;
  const saga = new Saga(effects.ledger, team);
  await effects.ledger.change(team, order.asked_by, async (change) => {
    if (member.intent !== 'paused') await updateAgent(change, agent, { intent: 'stopped' });
    await saga.open(change, 'remove', { ...plan, incarnations: life ? [life.incarnation] : [] });
    await change.event('agent.removing', { agent_id: agent, from_spec: plan.native, force: order.force });
  });
  await enrol(effects, team, agent);
  await effects.reach('remove.journalled');
  const done = await completeRemove(effects, saga, plan, life ? [life] : []);
  if (isRefusal(done)) return done;
  const open = (await tasksOf(effects.ledger.db, team)).filter(
    (task) => task.assignee === agent && !['done', 'failed', 'cancelled'].includes(task.status),
  );
  return { ok: true, from_spec: plan.native, ...done, tasks: open.map(({ task_id }) => task_id) };
}

async function planRemoval(effects: Effects, row: TeamRow, { agent, command, ...order }: RemoveOrder) {
  const { db } = effects.ledger;
  const team = row.team as TeamId;
  const members = await agentsOf(db, team);
  const member = members.find(({ agent_id }) => agent_id === agent);
  if (!member) return unknownMember(team, agent, members);
  const change = (await memberChanges(db, team)).find(({ agent_id }) => agent_id === agent);
  const native = describes(effects, row, agent);
  // Somebody who was added under the name of a removed one is no word of the documents.
  if (change === undefined && !(order.from_spec && order.confirm)) return needsConfirmation(agent, row, command, order);
  const [other] = members.filter(({ agent_id }) => agent_id !== agent);
  if (!other) return isLast(agent, row);
  const life = (await liveIncarnations(db, team)).find(({ agent_id }) => agent_id === agent);
  if (life && !order.force) return stillRuns(agent, command);
  return { plan: { agent, native, kept: keptOf(change) } satisfies RemovePlan, life, member };
}

/** Do the team's own documents describe it? Those that cannot be read may: what was removed stays so. */
function describes({ workspace }: Effects, { documents, name }: TeamRow, agent: AgentId): boolean {
  const team = readDocuments(workspace, { folder: documents, name });
  return isRefusal(team) || team.agents.some(({ id }) => id === agent);
}

function keptOf(change: MemberChangeRow | undefined): RemovePlan['kept'] {
  if (!change?.document || !change.document_hash) return null;
  return { path: change.document, hash: change.document_hash };
}

/**
 * The rest of a removal after its point of no return; boot comes here when it was cut off. When nobody can prove that the
 * agent ended, it stays a member that is stopped.
 */
export async function completeRemove(
  effects: Effects,
  saga: Saga,
  { agent, native, kept }: RemovePlan,
  lives: readonly IncarnationRow[],
): Promise<Refusal | Pick<AgentRemoved, 'stopped' | 'last_view' | 'role_file_removed'>> {
  const closed = await closeLives(effects, saga.team, lives, 'it was removed from the team');
  await effects.reach('remove.ended');
  const left = closed.find(({ ended }) => !ended);
  if (left) {
    await saga.end('undone', async (change) => {
      await change.event('agent.remove_undone', { agent_id: agent });
    });
    return cannotProveEnd(left);
  }
  // Before the commit: a boot that finds this cut off does it again.
  const role_file_removed = kept && removeDocument(kept);
  await effects.reach('remove.cleared');
  await saga.end('done', (change) => remove(change, effects, agent, native));
  await enrol(effects, saga.team, agent);
  const [done]: readonly (Closed | undefined)[] = closed;
  return { stopped: done !== undefined, last_view: done?.last_view ?? null, role_file_removed };
}

async function remove(change: Change, { mint }: Effects, agent: AgentId, native: boolean): Promise<void> {
  const member = (await agentsOf(change.tx, change.team)).find(({ agent_id }) => agent_id === agent);
  if (!member) return;
  await removeRecipient(change, mint, agent, member.generation);
  await discardSessions(change, agent);
  await updateAgent(change, agent, { intent: 'removed' });
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

function needsConfirmation(
  agent: AgentId,
  { documents }: TeamRow,
  command: string,
  { force }: Pick<RemoveOrder, 'force'>,
): Refusal {
  return refuse(
    'from_spec_confirm_required',
    `${agent} is described by the team's own documents in ${documents}. They stay as they are; say --from-spec --confirm that it is to be no member any more. Nothing was changed.`,
    { evidence: { agent, documents }, next: [`${command} --from-spec --confirm${force ? '' : ' --force'}`] },
  );
}

function stillRuns(agent: AgentId, command: string): Refusal {
  return refuse('force_required', `${agent} has not ended. Say --force to end it. Nothing was changed.`, {
    evidence: { agent },
    next: [`${command} --force`, `team-agent stop-agent ${shellWord(agent)}`],
  });
}

function isLast(agent: AgentId, { team }: Pick<TeamRow, 'team'>): Refusal {
  return refuse('last_agent', `${agent} is the only agent of the team ${team}. Nothing was changed.`, {
    evidence: { agent, team },
    next: [`team-agent shutdown --team ${shellWord(team)}`],
  });
}
