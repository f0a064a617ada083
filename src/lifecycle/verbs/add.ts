import { type AgentId, agentId, isRefusal, type Refusal, shellWord, type TeamId } from '../../kernel/index.ts';
import {
  type Change,
  deleteMemberChange,
  lastBearer,
  type MemberChangeRow,
  putMemberChange,
  type TeamRow,
  updateAgent,
} from '../../ledger/index.ts';
import { removeRecipient } from '../../messages/index.ts';
import type { Effects } from '../effects.ts';
import type { Ended } from '../ending.ts';
import { enrol } from '../enrolling.ts';
import type { Saga } from '../journal.ts';
import { type AddOrder, type ForkOrder, type JoinPlan, type Newcomer, planAdd, planFork } from '../planning/joining.ts';
import { overLimit, TooMany } from '../planning/limit.ts';
import type { Started } from '../starting/agent.ts';
import { keepDocument, removeDocument } from '../starting/kept-document.ts';
import { type FailedLives, undoLives } from '../starting/lives.ts';
import type { PlannedAgent } from '../starting/plan.ts';
import { failed, grant, grantedBy, putAgent } from './launch.ts';
import { startOrTooMany } from './start.ts';

export interface AgentAdded {
  readonly ok: true;
  readonly agent: AgentId;
  readonly start_mode: 'fresh' | 'forked';
  readonly started: Started | undefined;
  /** Where the team keeps its role document from now on. */
  readonly role_file: string;
  /** sha256 of it, hex. */
  readonly role_file_sha: string;
}

/**
 * Makes an agent of a role document a member of a team that runs. The team keeps a copy of the document, for people to
 * edit; it is there over restarts, whatever happens to the team's own documents meanwhile. When it does not get ready,
 * everything is as it was.
 */
export function addAgent(effects: Effects, row: TeamRow, order: AddOrder): Promise<AgentAdded | Refusal> {
  return inTurn(effects, row, order, async (cut) => {
    const plan = await planAdd(effects, row, order);
    return isRefusal(plan) ? plan : join(effects, plan, order, cut);
  });
}

/**
 * Makes a member that begins with what another one knows, under an id and in a session of its own. Its source goes on as if
 * nothing had happened.
 */
export function forkAgent(effects: Effects, row: TeamRow, order: ForkOrder): Promise<AgentAdded | Refusal> {
  return inTurn(effects, row, order, async (cut) => {
    const plan = await planFork(effects, row, order);
    return isRefusal(plan) ? plan : join(effects, plan, order, cut);
  });
}

/** Verbs on one name take turns; a malformed one has no turn to wait for, it is refused by the plan. */
function inTurn<Answer>(
  effects: Effects,
  row: TeamRow,
  { agent }: AddOrder | ForkOrder,
  verb: (cut: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const id = agentId(agent);
  return effects.queue.run({ team: row.team as TeamId, ...(id === undefined ? {} : { agent: id }) }, verb);
}

async function join(
  effects: Effects,
  plan: JoinPlan,
  order: AddOrder | ForkOrder,
  cut: AbortSignal,
): Promise<AgentAdded | Refusal> {
  const { newcomer, source, agent: planned } = plan;
  const { team, spec, document } = newcomer;
  const done = await startOrTooMany(effects, {
    verb: 'add',
    team,
    agents: [planned],
    cut,
    journal: { ...journalOf(newcomer), ...grantedBy([planned], order) },
    asked: (change) => asked(change, effects, plan, order),
    enrol: () => enrol(effects, team.id, spec.id),
    prepare: async () => {
      keepDocument(document);
      await effects.reach('add.prepared');
    },
    ready: async (change) => {
      await change.event(source ? 'agent.forked' : 'agent.added', {
        agent_id: spec.id,
        ...(source ? { source_agent_id: source.id, forked_session: planned.request.continues?.session } : {}),
        document: document.path,
        document_hash: document.hash,
        session_id: sessionOfLife(effects, planned),
        asked_by: order.asked_by,
      });
    },
  });
  if (isRefusal(done)) return done;
  if (!done.ok) return undo(effects, newcomer, planned, done, order.command);
  const [started] = done.started;
  const start_mode = source ? 'forked' : 'fresh';
  return { ok: true, agent: spec.id, start_mode, started, role_file: document.path, role_file_sha: document.hash };
}

/** The session it has, which its CLI may have minted itself. */
function sessionOfLife({ roster }: Effects, { incarnation, request }: PlannedAgent): string {
  return roster.byIncarnation(incarnation)?.handle?.session ?? request.session;
}

async function asked(
  change: Change,
  effects: Effects,
  { newcomer, agent: planned, source }: JoinPlan,
  order: AddOrder | ForkOrder,
): Promise<void> {
  const { team, spec, document } = newcomer;
  const over = await overLimit(effects, change.tx, team, spec.id);
  if (over) throw new TooMany(over);
  const position = team.agents.findIndex(({ id }) => id === spec.id);
  await putAgent(change, spec, { position, intent: 'running', interacted_at: source?.interacted_at });
  await putMemberChange(change, {
    agent_id: spec.id,
    kind: 'added',
    document: document.path,
    document_hash: document.written,
    forked_from: source?.id ?? null,
    made_by: order.asked_by,
  });
  await change.event('agent.adding', { agent_id: spec.id, asked_by: order.asked_by });
  await grant(change, [planned], order);
}

/** What boot needs to undo it. */
export interface AddJournal {
  readonly agent: AgentId;
  readonly document: string;
  /** sha256 (hex) of what was written there; null: nothing was, it was there. */
  readonly hash: string | null;
  readonly before: MemberChangeRow | null;
}

function journalOf({ spec, document, before }: Newcomer): AddJournal {
  return { agent: spec.id, document: document.path, hash: document.written, before };
}

async function undo(
  effects: Effects,
  newcomer: Newcomer,
  { spec, incarnation }: PlannedAgent,
  { saga, failures }: FailedLives,
  command: string,
): Promise<Refusal> {
  const left = await undoAdd(effects, saga, [incarnation], journalOf(newcomer));
  const next = [command, `team-agent events --team ${shellWord(saga.team)}`];
  return failed({ failures, left }, `${spec.id} was not added, the team is as it was`, next);
}

/** Puts a team back to what it was without somebody who did not get ready; boot comes here after a crash. */
export async function undoAdd(
  effects: Effects,
  saga: Saga,
  incarnations: readonly string[],
  { agent, document, hash, before }: AddJournal,
): Promise<readonly Ended[]> {
  const left = await undoLives(effects, saga, incarnations, {
    ended: async ({ agents }) => agents.includes(agent) && removeDocument({ path: document, written: hash }),
    undone: async (change, { agents }) => {
      if (!agents.includes(agent)) return;
      const last = await lastBearer(change.tx, change.team, agent);
      if (last) await removeRecipient(change, effects.mint, agent, last.generation);
      await updateAgent(change, agent, { intent: 'removed' });
      await (before ? putMemberChange(change, before) : deleteMemberChange(change, agent));
      await change.event('agent.add_undone', { agent_id: agent });
    },
  });
  await enrol(effects, saga.team, agent);
  return left;
}
