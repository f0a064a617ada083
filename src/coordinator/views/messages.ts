import {
  type AgentId,
  isRefusal,
  LEADER,
  type MessageId,
  type Refusal,
  refuse,
  type TeamId,
} from '../../kernel/index.ts';
import {
  type AgentRow,
  agentsOf,
  deliveriesWithMessages,
  findMessage,
  type QueuedRow,
  queuedCount,
  type Reading,
  type TaskRow,
  type TeamRow,
  tasksOf,
} from '../../ledger/index.ts';
import type { Receipt } from '../../providers/index.ts';
import { awaitedBy, holdOf, type Observer, shownState } from './observer.ts';
import { parseSince } from './since.ts';
import { awaitedTasks } from './tasks.ts';

/** One delivery with its evidence: which channel took it, and where its receipt stands. */
function deliveryView(
  observer: Observer | undefined,
  row: QueuedRow,
  hold: string | undefined,
  tasks: readonly TaskRow[],
) {
  return {
    message_id: row.message_id,
    delivery_id: row.delivery_id,
    seq: row.seq,
    from: row.sender,
    to: row.recipient,
    ...shownState(row, hold),
    ...awaitedBy(observer, row),
    ...(row.reason === 'dependencies' ? { waits_for: awaitedTasks(tasks, row.task_id) } : {}),
    ...(row.task_id === null ? {} : { task_id: row.task_id }),
    ...(row.channel === null ? {} : { channel: row.channel }),
    ...(row.receipt === null ? {} : { receipt: JSON.parse(row.receipt) as Receipt }),
    attempts: row.attempts,
    stored_at: row.stored_at,
    ...(row.submitted_at === null ? {} : { submitted_at: row.submitted_at }),
    ...(row.consumed_at === null ? {} : { consumed_at: row.consumed_at }),
  };
}
export type DeliveryView = ReturnType<typeof deliveryView>;

export async function deliveriesView(
  db: Reading,
  observer: Observer | undefined,
  team: TeamRow,
  args: { message_id?: string | undefined; limit?: number | undefined },
): Promise<{ ok: true; team: string; deliveries: DeliveryView[] } | Refusal> {
  const id = args.message_id as MessageId | undefined;
  if (id && (await findMessage(db, id))?.team !== team.team) {
    return refuse('message_not_found', `No message ${id} in the team ${team.team}.`, {
      next: ['team-agent deliveries'],
    });
  }
  const rows = await deliveriesWithMessages(db, team.team as TeamId, { message: id, limit: args.limit ?? 50 });
  const members = await memberRows(db, team);
  const tasks = rows.some(({ reason }) => reason === 'dependencies') ? await tasksOf(db, team.team as TeamId) : [];
  return {
    ok: true,
    team: team.team,
    deliveries: rows.map((row) =>
      deliveryView(observer, row, holdOf(observer, team, row.recipient, members.get(row.recipient)), tasks),
    ),
  };
}

/** A message as its recipient has it. */
function letterView(row: QueuedRow, hold: string | undefined) {
  return {
    message_id: row.message_id,
    delivery_id: row.delivery_id,
    seq: row.seq,
    sender: row.sender,
    authority: row.authority,
    recipient: row.recipient,
    ...shownState(row, hold),
    task_id: row.task_id,
    expects: row.expects,
    body: row.body,
    created_at: row.created_at,
  };
}

/** What was taken out of the leader's mailbox, and how much is still in it. */
export async function takenView(db: Reading, team: TeamRow, rows: readonly QueuedRow[]) {
  const messages = rows.map((row) => letterView({ ...row, state: 'consumed', reason: null }, undefined));
  const waiting = await queuedCount(db, team.team as TeamId, LEADER);
  return { ok: true as const, team: team.team, agent_id: LEADER, messages, waiting, taken: messages.length };
}

export async function inboxView(
  db: Reading,
  observer: Observer | undefined,
  team: TeamRow,
  args: { agent: string; limit?: number | undefined; since?: string | number | undefined },
) {
  const since = parseSince(args.since);
  if (isRefusal(since)) return since;
  const members = await memberRows(db, team);
  if (args.agent !== LEADER && !members.has(args.agent)) return unknownAgent(team, args.agent, [...members.keys()]);
  const rows = await deliveriesWithMessages(db, team.team as TeamId, {
    recipient: args.agent as AgentId,
    limit: args.limit ?? 20,
    ...since,
  });
  const hold = holdOf(observer, team, args.agent, members.get(args.agent));
  const messages = rows.map((row) => letterView(row, hold));
  const waiting = messages.filter((message) =>
    ['stored', 'queued', 'held', 'submitted'].includes(message.state),
  ).length;
  return { ok: true as const, team: team.team, agent_id: args.agent, messages, since: args.since ?? null, waiting };
}

export async function messageStoredView(db: Reading, args: { message_id: string }) {
  return { ok: true as const, stored: (await findMessage(db, args.message_id as MessageId)) !== undefined };
}

export function unknownAgent(team: TeamRow, agent: string, members: readonly string[]): Refusal {
  return refuse('agent_not_found', `Nobody in the team ${team.team} is called ${agent}.`, {
    evidence: { agent, members: [LEADER, ...members] },
    next: ['team-agent status'],
  });
}

export async function memberRows(db: Reading, team: TeamRow): Promise<Map<string, AgentRow>> {
  const rows = await agentsOf(db, team.team as TeamId);
  return new Map(rows.map((row) => [row.agent_id, row]));
}

/** Whether two members may write to each other: that is said for the whole team, in its documents. */
export async function peerTalkView(
  db: Reading,
  team: TeamRow,
  { a, b }: { readonly a: string; readonly b: string },
): Promise<object | Refusal> {
  const members = [...(await memberRows(db, team)).keys()];
  const unknown = [a, b].find((name) => name !== LEADER && !members.includes(name));
  if (unknown !== undefined) return unknownAgent(team, unknown, members);
  const open = team.worker_to_worker !== 0 || [a, b].includes(LEADER);
  const reason = open ? 'team_scoped_peer_messages_enabled' : 'worker_to_worker_disabled';
  return { ok: true, team: team.team, a, b, status: 'compat_noop', reason };
}
