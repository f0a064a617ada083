import { type AgentId, type Clock, firstLine, type TeamId } from '../../kernel/index.ts';
import {
  type AgentRow,
  type DeliveryRow,
  deliveryCounts,
  foremostTasks,
  type IncarnationRow,
  latestEvents,
  latestResults,
  liveIncarnations,
  oldestPending,
  pendingDeliveries,
  type Reading,
  resultCounts,
  sessionOf,
  type TaskRow,
  type TeamRow,
  tasksOf,
  teams,
} from '../../ledger/index.ts';
import { grantsOf, isDangerous } from '../../lifecycle/index.ts';
import { type AgentHandle, type PermissionMode, toolMarks } from '../../providers/index.ts';
import { eventView } from './events.ts';
import { leaderView } from './leader.ts';
import { memberRows } from './messages.ts';
import { awaitedBy, holdOf, type Observer, shownState } from './observer.ts';
import { resultView } from './results.ts';
import { taskViews } from './tasks.ts';

/** How much of each list a status shows: it is read by agents that pay for every line. */
const SHOWN = { queued: 8, results: 5, events: 3, tasks: 20, text: 240 };

export async function statusView(
  db: Reading,
  observer: Observer | undefined,
  team: TeamRow,
  clock: Pick<Clock, 'now'>,
  workspace: string,
  coordinator: object,
  detail = false,
) {
  const id = team.team as TeamId;
  const members = await memberRows(db, team);
  const [counts, oldest, pending, tasks, results, latest, events, leader, all, lives] = await Promise.all([
    deliveryCounts(db, id),
    oldestPending(db, id),
    pendingDeliveries(db, id, 200),
    tasksOf(db, id),
    resultCounts(db, id),
    latestResults(db, id, SHOWN.results),
    latestEvents(db, id, SHOWN.events),
    leaderView(db, observer, id),
    teams(db),
    liveIncarnations(db, id),
  ]);
  const holds = new Map(
    ['leader', ...members.keys()].map((recipient) => [
      recipient,
      holdOf(observer, team, recipient, members.get(recipient)),
    ]),
  );
  const queued = pending.map((row) => queuedView(observer, row, holds.get(row.recipient), clock.now()));
  // What is held by itself is counted so already; what waits for its recipient stands in the ledger as queued.
  const held = pending.filter((row, index) => row.state === 'queued' && queued[index]?.state === 'held').length;
  const agents = await Promise.all(
    [...members.values()].map((row) =>
      agentView(db, observer, row, { tasks, pending, lives, hold: holds.get(row.agent_id), detail }),
    ),
  );
  return {
    ok: true as const,
    workspace,
    team: team.team,
    name: team.name,
    session_name: team.session_name,
    intent: team.intent,
    objective: firstLine(team.objective, SHOWN.text),
    observed: observer ? ('live' as const) : ('none' as const),
    tmux_session_present: observer ? agents.some((agent) => agent.incarnation !== null) : null,
    leader,
    safety: await safetyView(db, id, [...members.values()]),
    agents: Object.fromEntries(agents.map((agent) => [agent.agent_id, agent])),
    deliveries: { ...counts, queued: counts.queued - held, held: counts.held + held },
    oldest_pending_ms: oldest === undefined ? null : clock.now() - oldest,
    queued_messages: queued.slice(0, SHOWN.queued),
    tasks: taskViews(tasks),
    results: {
      total: results.success + results.blocked + results.failed + results.partial,
      unattributed: results.unattributed,
      invalid: results.invalid,
    },
    latest_results: latest.map((row) => {
      const { result_id, agent_id, task_id, status, summary, created_at } = resultView(row);
      return { result_id, agent_id, task_id, status, summary: firstLine(summary, SHOWN.text), created_at };
    }),
    last_events: events.map(eventView),
    other_teams: all
      .filter((other) => other.team !== team.team)
      .map((other) => ({ team: other.team, intent: other.intent })),
    coordinator,
  };
}

/** Who acts without asking, and who said yes to that. */
async function safetyView(db: Reading, team: TeamId, members: readonly AgentRow[]) {
  const bold = members.filter(isDangerous);
  const granted = await grantsOf(db, team);
  return {
    dangerous_auto_approve: bold.length > 0,
    agents: bold.map(({ agent_id }) => {
      const grant = granted.find((one) => one.agent_id === agent_id);
      return { agent_id, granted_by: grant?.said_by ?? null, granted_at: grant?.at ?? null };
    }),
  };
}

/** Every tool there is, whether the agent was granted it, and who keeps it to that. */
function toolsOf({ provider, permission, tools }: AgentRow) {
  return toolMarks(provider, { permission: permission as PermissionMode, tools: JSON.parse(tools) });
}

export type StatusView = Awaited<ReturnType<typeof statusView>>;

/** A status for agents: of its tasks the foremost, and how many others there are. A person's has them all. */
export async function briefStatus(db: Reading, status: StatusView) {
  const { tasks, total } = await foremostTasks(db, status.team as TeamId, SHOWN.tasks);
  const views = new Map(status.tasks.map((task) => [task.id, task]));
  const shown = tasks.flatMap(({ task_id }) => views.get(task_id) ?? []);
  return { ...status, tasks: shown, other_tasks: total - shown.length };
}

function queuedView(observer: Observer | undefined, row: DeliveryRow, hold: string | undefined, now: number) {
  return {
    message_id: row.message_id,
    delivery_id: row.delivery_id,
    to: row.recipient,
    ...shownState(row, hold),
    ...awaitedBy(observer, row),
    age_ms: now - row.stored_at,
    attempts: row.attempts,
  };
}

async function agentView(
  db: Reading,
  observer: Observer | undefined,
  row: AgentRow,
  around: {
    readonly tasks: readonly TaskRow[];
    readonly pending: readonly DeliveryRow[];
    readonly lives: readonly IncarnationRow[];
    readonly hold: string | undefined;
    readonly detail: boolean;
  },
) {
  const { hold } = around;
  const team = row.team as TeamId;
  const member = observer?.member(team, row.agent_id as AgentId);
  const turn = member?.turn();
  const life = around.lives.find((candidate) => candidate.agent_id === row.agent_id);
  const session = life ? await sessionOf(db, life.incarnation as Parameters<typeof sessionOf>[1]) : undefined;
  const own = around.pending.filter((delivery) => delivery.recipient === row.agent_id);
  const task = around.tasks.find((candidate) => candidate.assignee === row.agent_id && candidate.status === 'running');
  return {
    agent_id: row.agent_id,
    provider: row.provider,
    role: row.role,
    model: row.model,
    intent: row.intent,
    state: turn?.state ?? null,
    state_source: turn?.source ?? 'none',
    since: turn?.since ?? null,
    ready: member?.ready ?? null,
    incarnation: life?.incarnation ?? null,
    channel: member?.channelNames[0] ?? null,
    provider_version: life?.handle ? ((JSON.parse(life.handle) as AgentHandle).details.version ?? null) : null,
    permission: row.permission,
    ...(around.detail ? { tools: toolsOf(row) } : {}),
    approvals: member?.approvals().map(({ id, text }) => ({ id, text })) ?? [],
    session_id: session?.session_id ?? null,
    interacted: row.interacted_at ?? ('never' as const),
    task_id: task?.task_id ?? null,
    queue: {
      queued: own.filter((delivery) => delivery.state === 'queued').length,
      submitted: own.filter((delivery) => delivery.state === 'submitted').length,
      ...(own.length > 0 && hold ? { because: hold } : {}),
    },
  };
}
