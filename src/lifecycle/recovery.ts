import type { AgentId, IncarnationId, TeamId } from '../kernel/index.ts';
import {
  findIncarnation,
  findTeam,
  type IncarnationRow,
  liveIncarnations,
  openSagas,
  type SagaRow,
  teams,
} from '../ledger/index.ts';
import type { Effects } from './effects.ts';
import { recordEnd } from './ending.ts';
import { enrol } from './enrolling.ts';
import { isOfTeam, Saga, type Verb } from './journal.ts';
import { handleOf } from './life.ts';
import type { Removed } from './planning/removing.ts';
import type { Touched } from './queue.ts';
import { type AddJournal, undoAdd } from './verbs/add.ts';
import { undoLaunch } from './verbs/launch.ts';
import { completeRemove } from './verbs/remove.ts';
import { completeShutdown } from './verbs/shutdown.ts';
import { undoStart } from './verbs/start.ts';
import { completeStop } from './verbs/stop.ts';

/**
 * What boot does with what it finds: members are enrolled, cut-off sagas undone or completed, lives that still go are
 * followed again and those that ended meanwhile are written down. What tmux cannot tell stays as it is.
 */
export async function recover(effects: Effects): Promise<void> {
  const { ledger, roster } = effects;
  for (const team of await teams(ledger.db)) {
    await enrol(effects, team.team as TeamId);
  }
  for (const life of await liveIncarnations(ledger.db)) roster.honour(life);
  await settleOpen(effects, await openSagas(ledger.db));
  for (const life of await liveIncarnations(ledger.db)) await takeUp(effects, life);
}

/** What every journal holds; some verbs write more. */
interface JournalledPlan {
  readonly incarnations: readonly IncarnationId[];
  /** Whom it is about, when that is one agent. */
  readonly agent?: AgentId;
}

/**
 * Settles what an earlier verb left half done, before another one touches the same agents: it failed after its journal, and
 * what it was about must not be applied to whatever stands there at the next boot.
 */
export async function settleCutOff(effects: Effects, { team, agent }: Touched): Promise<void> {
  try {
    const open = (await openSagas(effects.ledger.db)).filter((row) => row.team === team);
    const concerned = await Promise.all(open.map((row) => agent === undefined || concerns(effects, row, agent)));
    await settleOpen(
      effects,
      open.filter((_, index) => concerned[index]),
    );
  } catch (error) {
    effects.failed(error, 'what an earlier command left half done was not looked at');
  }
}

async function concerns({ ledger }: Effects, { verb, plan }: SagaRow, agent: AgentId): Promise<boolean> {
  if (isOfTeam(verb as Verb)) return true;
  const about = planOf(plan);
  if (about.agent !== undefined) return about.agent === agent;
  const lives = await Promise.all(about.incarnations.map((incarnation) => findIncarnation(ledger.db, incarnation)));
  return lives.some((life) => life?.agent_id === agent);
}

const planOf = (plan: string): JournalledPlan => JSON.parse(plan) as JournalledPlan;

/** One that cannot be settled stands in nobody's way: it stays open for the next who comes here. */
async function settleOpen(effects: Effects, sagas: readonly SagaRow[]): Promise<void> {
  for (const row of sagas) {
    const team = await findTeam(effects.ledger.db, row.team as TeamId);
    const saga = new Saga(effects.ledger, row.team as TeamId, row.saga_id);
    try {
      await settle(effects, saga, row.verb as Verb, planOf(row.plan), team?.session_name ?? '');
    } catch (error) {
      effects.failed(error, `the ${row.verb} that was cut off was not settled`);
    }
  }
}

/** Before its point of no return a verb is undone, after it completed; see the journal. */
async function settle(
  effects: Effects,
  saga: Saga,
  verb: Verb,
  plan: JournalledPlan,
  sessionName: string,
): Promise<void> {
  const { incarnations } = plan;
  const open = async (): Promise<IncarnationRow[]> => {
    const lives = await Promise.all(incarnations.map((incarnation) => findIncarnation(effects.ledger.db, incarnation)));
    return lives.filter((life): life is IncarnationRow => life !== undefined && life.ended_at === null);
  };
  switch (verb) {
    case 'launch':
    case 'restart':
      await undoLaunch(effects, saga, incarnations, sessionName);
      return;
    case 'start':
      await undoStart(effects, saga, incarnations);
      return;
    case 'add':
      await undoAdd(effects, saga, incarnations, plan as JournalledPlan & AddJournal);
      return;
    case 'remove':
      await completeRemove(effects, saga, plan as JournalledPlan & Removed, await open());
      return;
    case 'stop':
      await completeStop(effects, saga, await open());
      return;
    case 'shutdown':
      await completeShutdown(effects, saga, sessionName, await open());
      return;
    default:
      return verb satisfies never;
  }
}

/** Follows a life again, and asks the life itself whether it goes on: an agent may outlive the wrapper around it. */
async function takeUp(effects: Effects, life: IncarnationRow): Promise<void> {
  const handle = handleOf(life);
  const member = handle && effects.roster.follow(life, handle);
  if (member && member.processLiveness() !== 'dead') return;
  await recordEnd(effects, life.incarnation as IncarnationId, {
    why: 'it ended while no coordinator ran',
    asked: false,
  });
}
