import {
  type AgentId,
  agentId,
  isRefusal,
  type Refusal,
  readIfThere,
  refuse,
  shellWord,
  type TeamId,
} from '../../kernel/index.ts';
import {
  type Change,
  deleteMemberChange,
  findTeam,
  lastBearer,
  type MemberChangeRow,
  putMemberChange,
  type TeamRow,
  updateAgent,
} from '../../ledger/index.ts';
import { removeRecipient } from '../../messages/index.ts';
import type { Effects } from '../effects.ts';
import { enrol } from '../enrolling.ts';
import type { Saga } from '../journal.ts';
import type { Started } from '../starting/agent.ts';
import { forkOf } from '../starting/conversation.ts';
import { type FailedLives, startLives, undoLives } from '../starting/lives.ts';
import { keepDocument, type Newcomer, plannedNewcomer, removeDocument } from '../starting/newcomer.ts';
import type { Choose, PlannedAgent, StartOrder } from '../starting/plan.ts';
import { failed, grant, putAgent } from './launch.ts';
import { memberOf, planStart, teamNotRunning } from './start.ts';

interface JoinOrder extends StartOrder {
  /** The id of the new agent. */
  readonly agent: string;
  /** A person says yes to an agent that never asks. */
  readonly yes?: boolean | undefined;
}

export interface AddOrder extends JoinOrder {
  /** Absolute path of its role document. */
  readonly role_file: string;
}

export interface ForkOrder extends JoinOrder {
  readonly source: AgentId;
  /** What the new agent is, when it is not what its source is. */
  readonly label?: string | undefined;
}

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
  return inTurn(effects, row, order, (cut) => addNow(effects, row, order, cut));
}

async function addNow(
  effects: Effects,
  row: TeamRow,
  order: AddOrder,
  cut: AbortSignal,
): Promise<AgentAdded | Refusal> {
  const newcomer = await addedNewcomer(effects, row, order);
  if (isRefusal(newcomer)) return newcomer;
  return join(effects, newcomer, order, cut, { event: 'agent.added', role_file: order.role_file });
}

/** What a team would be with the agent of a role document in it. */
export async function addedNewcomer(
  effects: Effects,
  row: TeamRow,
  { agent, role_file }: Pick<AddOrder, 'agent' | 'role_file'>,
): Promise<Newcomer | Refusal> {
  const text = readIfThere(role_file);
  if (text !== undefined) return plannedNewcomer(effects, row, { id: agent, source: role_file, text });
  return refuse('role_file_missing', `There is no file ${role_file}: a role document describes the new agent.`, {
    evidence: { role_file },
    next: [`ls ${shellWord(row.documents)}`],
  });
}

/**
 * Makes a member that begins with what another one knows, under an id and in a session of its own. Its source goes on as if
 * nothing had happened.
 */
export function forkAgent(effects: Effects, row: TeamRow, order: ForkOrder): Promise<AgentAdded | Refusal> {
  return inTurn(effects, row, order, (cut) => forkNow(effects, row, order, cut));
}

async function forkNow(
  effects: Effects,
  row: TeamRow,
  order: ForkOrder,
  cut: AbortSignal,
): Promise<AgentAdded | Refusal> {
  const found = await memberOf(effects, row, order.source);
  if (isRefusal(found)) return found;
  const { spec, member } = found;
  const text = readIfThere(spec.file);
  if (text === undefined) throw new Error(`${spec.file} was read a moment ago`);
  const wanted = { id: order.agent, source: spec.file, text, role: order.label };
  const newcomer = await plannedNewcomer(effects, row, wanted);
  if (isRefusal(newcomer)) return newcomer;
  return join(effects, newcomer, order, cut, {
    event: 'agent.forked',
    source: spec.id,
    // It has as much to lose as its source.
    interacted_at: member.interacted_at,
    choose: (installation) => forkOf(effects.ledger.db, member, spec, installation),
  });
}

/** What is special about the way in which somebody joins. */
interface Way {
  readonly event: 'agent.added' | 'agent.forked';
  readonly role_file?: string;
  readonly source?: AgentId;
  readonly interacted_at?: number | null;
  readonly choose?: Choose;
}

/** Verbs on one name take turns; a malformed one has no turn to wait for, it is refused by the plan. */
async function inTurn(
  effects: Effects,
  row: TeamRow,
  { agent }: JoinOrder,
  verb: (cut: AbortSignal) => Promise<AgentAdded | Refusal>,
): Promise<AgentAdded | Refusal> {
  const team = row.team as TeamId;
  const id = agentId(agent);
  return effects.queue.run({ team, ...(id === undefined ? {} : { agent: id }) }, async (cut) => {
    const now = await findTeam(effects.ledger.db, team);
    return now?.intent === 'running' ? verb(cut) : teamNotRunning(row);
  });
}

async function join(
  effects: Effects,
  newcomer: Newcomer,
  order: JoinOrder,
  cut: AbortSignal,
  way: Way,
): Promise<AgentAdded | Refusal> {
  const { team, spec, document } = newcomer;
  const planned = await planStart(effects, newcomer, order, way.choose);
  if (isRefusal(planned)) return planned;
  const done = await startLives(effects, {
    verb: 'add',
    team,
    agents: [planned],
    cut,
    journal: journalOf(newcomer),
    asked: (change) => asked(change, newcomer, planned, order, way),
    enrol: () => enrol(effects, team.id, spec.id),
    prepare: async () => {
      keepDocument(document);
      await effects.reach('add.prepared');
    },
    ready: async (change) => {
      await change.event(way.event, {
        agent_id: spec.id,
        ...(way.source === undefined
          ? {}
          : { source_agent_id: way.source, forked_session: planned.request.continues?.session }),
        ...(way.role_file === undefined ? {} : { role_file: way.role_file }),
        document: document.path,
        document_hash: document.hash,
        session_id: sessionOfLife(effects, planned),
        asked_by: order.asked_by,
      });
    },
  });
  if (!done.ok) return undo(effects, newcomer, planned, done, order.command);
  const [started] = done.started;
  const start_mode = way.source === undefined ? 'fresh' : 'forked';
  return { ok: true, agent: spec.id, start_mode, started, role_file: document.path, role_file_sha: document.hash };
}

/** The session it has, which its CLI may have minted itself. */
function sessionOfLife({ roster }: Effects, { incarnation, request }: PlannedAgent): string {
  return roster.byIncarnation(incarnation)?.handle?.session ?? request.session;
}

async function asked(
  change: Change,
  { team, spec, document }: Newcomer,
  planned: PlannedAgent,
  order: JoinOrder,
  { source, interacted_at }: Way,
): Promise<void> {
  const position = team.agents.findIndex(({ id }) => id === spec.id);
  await putAgent(change, spec, position, interacted_at);
  await putMemberChange(change, {
    agent_id: spec.id,
    kind: 'added',
    document: document.path,
    document_hash: document.hash,
    forked_from: source ?? null,
    made_by: order.asked_by,
  });
  await change.event('agent.adding', { agent_id: spec.id, asked_by: order.asked_by });
  await grant(change, { agents: [planned] }, order);
}

/** What boot needs to undo it. */
export interface AddJournal {
  readonly agent: AgentId;
  readonly document: string;
  readonly hash: string;
  readonly before: MemberChangeRow | null;
}

function journalOf({ spec, document, before }: Newcomer): AddJournal {
  return { agent: spec.id, document: document.path, hash: document.hash, before };
}

async function undo(
  effects: Effects,
  newcomer: Newcomer,
  { spec, incarnation }: PlannedAgent,
  { saga, failures }: FailedLives,
  command: string,
): Promise<Refusal> {
  await undoAdd(effects, saga, [incarnation], journalOf(newcomer));
  const next = [command, `team-agent events --team ${shellWord(saga.team)}`];
  return failed(failures, `${spec.id} was not added; the team is as it was.`, next);
}

/** Puts a team back to what it was without somebody who did not get ready; boot comes here after a crash. */
export async function undoAdd(
  effects: Effects,
  saga: Saga,
  incarnations: readonly string[],
  { agent, document, hash, before }: AddJournal,
): Promise<void> {
  await undoLives(effects, saga, incarnations, {
    ended: async () => removeDocument({ path: document, hash }),
    undone: async (change) => {
      const last = await lastBearer(change.tx, change.team, agent);
      if (last) await removeRecipient(change, effects.mint, agent, last.generation);
      await updateAgent(change, agent, { intent: 'removed' });
      await (before ? putMemberChange(change, before) : deleteMemberChange(change, agent));
      await change.event('agent.add_undone', { agent_id: agent });
    },
  });
  await enrol(effects, saga.team, agent);
}
