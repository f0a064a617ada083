import type { AgentId, IncarnationId } from '../../kernel/index.ts';
import {
  type Change,
  discardSessionOf,
  discardSessions,
  findIncarnation,
  forgetInteraction,
  insertIncarnation,
  lastBearer,
  liveIncarnations,
  updateIncarnation,
} from '../../ledger/index.ts';
import { giveUp } from '../../results/index.ts';
import type { Team } from '../../team/index.ts';
import type { Effects } from '../effects.ts';
import { type Ended, endLife } from '../ending.ts';
import { Saga, type Verb } from '../journal.ts';
import { startInOrder } from '../planning/order.ts';
import { type Failure, type Started, startAgent, type Waiting } from './agent.ts';
import type { PlannedAgent } from './plan.ts';

/** Lives that a verb starts together: all of them get ready, or none stays. */
export interface Start {
  readonly verb: Verb;
  readonly team: Team;
  readonly agents: readonly PlannedAgent[];
  /** What its journal holds beside the lives: what boot needs to undo it, what somebody said yes to. */
  readonly journal?: object | undefined;
  /** Aborts when somebody wants them stopped. */
  readonly cut: AbortSignal;
  /** What is asked for from now on; committed with the journal, before the first effect. */
  readonly asked: (change: Change) => Promise<void>;
  /** What members know of it, once that is committed. */
  readonly enrol: () => Promise<void>;
  /** What has to be there before the first of them starts. */
  readonly prepare?: () => Promise<void>;
  /** Committed when every one of them is ready. */
  readonly ready: (change: Change) => Promise<void>;
}

export type StartedLives = { readonly ok: true; readonly started: readonly Started[] } | FailedLives;
export interface FailedLives {
  readonly ok: false;
  readonly failures: readonly Failure[];
  readonly saga: Saga;
}

/**
 * The one way in which agents are started: journal, all of them side by side but for those that wait for each other, commit
 * once every one of them is ready. When one is not, the caller undoes the rest by the journal.
 */
export async function startLives(effects: Effects, start: Start): Promise<StartedLives> {
  const began = effects.clock.now();
  const { team, agents, cut } = start;
  const saga = new Saga(effects.ledger, team.id);
  await effects.ledger.change(team.id, 'coordinator', async (change) => {
    await start.asked(change);
    for (const agent of agents) await insertLife(change, effects, team, agent);
    const incarnations = agents.map((agent) => agent.incarnation);
    await saga.open(change, start.verb, { ...start.journal, incarnations });
  });
  await start.enrol();
  for (const { incarnation } of agents) {
    const row = await findIncarnation(effects.ledger.db, incarnation);
    if (row) effects.roster.honour(row);
  }
  await effects.reach('launch.journalled');

  const unprepared = await prepared(start);
  if (unprepared) return { ok: false, failures: unprepared, saga };
  const starts = await startInOrder(
    agents,
    ({ spec }) => team.startupOrder.includes(spec.id),
    (agent) => startOrSay(effects, team, agent, { began, cut }),
    (outcome) => 'what' in outcome,
  );
  const failures = starts.flatMap((one) => ('what' in one ? [one] : goneSince(effects, one)));
  if (failures.length > 0) return { ok: false, failures, saga };

  await effects.reach('launch.before_ready');
  await saga.end('done', async (change) => {
    for (const agent of agents) {
      const { incarnation, spec, request } = agent;
      await updateIncarnation(change, incarnation, { ready_at: change.now });
      await change.event('agent.ready', { agent_id: spec.id, incarnation });
      // A new conversation begins with nothing to lose.
      if (!request.continues) await forgetInteraction(change, spec.id);
      if (agent.action === 'fresh') await leaveBehind(change, effects, agent);
    }
    await start.ready(change);
  });
  await start.enrol();
  for (const { incarnation } of agents) effects.roster.byIncarnation(incarnation)?.markReady();
  effects.changes.notify();
  const started = starts.flatMap((one) => ('ready_ms' in one ? [one] : []));
  // Told in the order of the plan, whoever was ready first.
  return { ok: true, started: agents.flatMap((agent) => started.find((one) => one.agent === agent) ?? []) };
}

/** Nobody goes on with a conversation once another was begun in its place. */
async function leaveBehind(change: Change, { mint }: Effects, { spec, incarnation }: PlannedAgent): Promise<void> {
  await giveUp(change, mint, { agent: spec.id, what: 'began a new conversation' }, () =>
    discardSessions(change, spec.id, incarnation),
  );
}

/** What belongs to the undoing of a verb. */
export interface Undo {
  /** Once its lives have ended. */
  readonly ended?: (of: Undone) => Promise<unknown>;
  /** In the commit that closes its journal. */
  readonly undone: (change: Change, of: Undone) => Promise<void>;
}

/** Whom an undoing is about. One that comes late leaves alone what was started since. */
export interface Undone {
  /** Those of its agents that have no other life by now. */
  readonly agents: readonly AgentId[];
  /** Does nobody else of the team live? */
  readonly alone: boolean;
}

/**
 * Ends the lives of a start that did not come to its end, and those alone. Resolves with those that nobody can prove to have
 * ended: each of them stays in the way of its own agent, and is named.
 */
export async function undoLives(
  effects: Effects,
  saga: Saga,
  incarnations: readonly string[],
  { ended = async () => undefined, undone }: Undo,
): Promise<readonly Ended[]> {
  const others = (await liveIncarnations(effects.ledger.db, saga.team)).filter(
    ({ incarnation }) => !incarnations.includes(incarnation),
  );
  const agents: AgentId[] = [];
  const left: Ended[] = [];
  for (const incarnation of incarnations) {
    const row = await findIncarnation(effects.ledger.db, incarnation as IncarnationId);
    if (!row) continue;
    if (!others.some(({ agent_id }) => agent_id === row.agent_id)) agents.push(row.agent_id as AgentId);
    const done = await endLife(effects, row, 'its start was undone');
    if (!done.ended) left.push(done);
  }
  const of = { agents, alone: others.length === 0 };
  await ended(of);
  await saga.end('undone', async (change) => {
    // Nobody spoke in it: what an agent goes on with is what it had before.
    for (const incarnation of incarnations) await discardSessionOf(change, incarnation as IncarnationId);
    await undone(change, of);
    for (const { agent_id, incarnation, left: processes } of left)
      await change.event('agent.not_ended', { agent_id, incarnation, left: processes });
  });
  return left;
}

async function insertLife(change: Change, effects: Effects, team: Team, agent: PlannedAgent): Promise<void> {
  const bearer = await lastBearer(change.tx, team.id, agent.spec.id);
  if (!bearer) throw new Error(`a life of nobody: ${agent.spec.id}`);
  await insertIncarnation(change, {
    incarnation: agent.incarnation,
    team: team.id,
    agent_id: agent.spec.id,
    generation: bearer.generation,
    host: effects.ledger.ownership.host,
    token_hash: agent.tokenHash,
    handle: null,
    calls_read: 0,
    launched_at: change.now,
    ready_at: null,
    ended_at: null,
    exit: null,
  });
}

/** One that was ready may have ended while the others were waited for. */
function goneSince({ roster }: Effects, { agent }: Started): Failure[] {
  const member = roster.byIncarnation(agent.incarnation);
  if (member && member.processLiveness() !== 'dead') return [];
  return [{ agent_id: agent.spec.id, what: 'it ended while the others were waited for' }];
}

async function prepared({ agents, prepare }: Start): Promise<readonly Failure[] | undefined> {
  try {
    await prepare?.();
    return undefined;
  } catch (error) {
    return agents.map(({ spec }) => ({
      agent_id: spec.id,
      what: `what it needs could not be written: ${said(error)}`,
    }));
  }
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A fault in the start of one agent undoes the start like any other failure. */
async function startOrSay(effects: Effects, team: Team, agent: PlannedAgent, waiting: Waiting) {
  try {
    return await startAgent(effects, team, agent, waiting);
  } catch (error) {
    return {
      agent_id: agent.spec.id,
      what: `it could not be followed: ${said(error)}`,
    } satisfies Failure;
  }
}
