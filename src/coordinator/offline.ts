import os from 'node:os';
import { pathsOf, whetherGaveUp } from '../client/index.ts';
import { isRefusal, type Refusal, refuse, systemClock, type TeamId } from '../kernel/index.ts';
import {
  chosenPort,
  dumpTables,
  emptyLedger,
  liveIncarnations,
  openLedgerReader,
  openSagas,
  type Reading,
  type TeamRow,
} from '../ledger/index.ts';
import { sightOver } from '../lifecycle/index.ts';
import { selectTeamOf } from './teams.ts';
import { resultLook } from './verbs/messages/awaited-results.ts';
import {
  collectView,
  deliveriesView,
  eventsView,
  identityView,
  inboxView,
  leadersView,
  messageStoredView,
  peerTalkView,
  resultsView,
  sessionsView,
  statusView,
  whyView,
} from './views/index.ts';

interface Arguments {
  readonly team?: string;
  readonly agent?: string;
  readonly task?: string;
  readonly message?: string;
  readonly message_id?: string;
  readonly since?: string | number;
  readonly limit?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly a?: string;
  readonly b?: string;
  readonly detail?: boolean;
  /** Of a plan: the verb that it is of. */
  readonly of?: string;
}

/**
 * Answers a read verb while no coordinator lives: the same views, over a reader that changes no byte, with `observed: none`.
 * Refuses `not_a_team` where there never was one, `coordinator_absent` what needs one: a shutdown only while something is up.
 */
export async function readWithoutCoordinator(workspace: string, verb: string, args: Arguments): Promise<object> {
  if (verb === 'plan') return planWithoutCoordinator(workspace, args.of ?? '', args);
  if (verb === 'preflight' || verb === 'who-starts') return planWithoutCoordinator(workspace, verb, args);
  const reader = await openLedgerReader(pathsOf(workspace).ledger);
  if (!reader) {
    return refuse('not_a_team', `There is no team in ${workspace}.`, {
      evidence: { workspace },
      next: ['team-agent quick-start DIR', 'team-agent demo'],
    });
  }
  try {
    return await view(reader.db, workspace, verb, args);
  } finally {
    await reader.close();
  }
}

/**
 * What a verb would do, told while no coordinator lives: nothing is created for it, not even where nothing was ever started.
 * `may-launch` tells what a launch would be refused for.
 */
export async function planWithoutCoordinator(workspace: string, of: string, args: object): Promise<object> {
  const { planWithout } = await import('./planning.ts');
  const paths = pathsOf(workspace);
  const reader = (await openLedgerReader(paths.ledger)) ?? (await emptyLedger());
  try {
    const port = await chosenPort(reader.db, os.hostname());
    return await planWithout(of, await sightOver(reader.db, paths, port), args);
  } finally {
    await reader.close();
  }
}

async function view(db: Reading, workspace: string, verb: string, args: Arguments): Promise<object | Refusal> {
  if (verb === 'ledger-dump') return { ok: true, tables: await dumpTables(db) };
  if (verb === 'message-stored') return messageStoredView(db, { message_id: args.message_id ?? '' });
  if (verb === 'leaders' && args.team === undefined) return leadersView(db, undefined, undefined);
  const team = await selectTeamOf(db, args.team, args.message_id ?? args.message);
  if (isRefusal(team)) return team;
  switch (verb) {
    case 'status': {
      const gaveUp = whetherGaveUp(workspace);
      const coordinator = { status: 'absent', ...(gaveUp ? { gave_up: gaveUp.message } : {}) };
      return statusView(db, undefined, team, systemClock, workspace, coordinator, args.detail);
    }
    case 'deliveries':
      return deliveriesView(db, undefined, team, args);
    case 'results':
      return resultsView(db, team, args);
    case 'wait': {
      // Nothing can come, but what is waited for may be there already.
      const look = await resultLook(db, team, args);
      return (await look?.()) ?? needsCoordinator(verb);
    }
    case 'collect':
      return collectView(db, team, { status: 'absent' });
    case 'allow-peer-talk':
      return peerTalkView(db, team, { a: args.a ?? '', b: args.b ?? '' });
    case 'inbox':
      return inboxView(db, undefined, team, { ...args, agent: args.agent ?? '' });
    case 'sessions':
      return sessionsView(db, team);
    case 'identity':
      return identityView(db, undefined, team, workspace, undefined, { environment: args.environment ?? {} });
    case 'leaders':
      return leadersView(db, undefined, team);
    case 'events':
      return eventsView(db, team, args);
    case 'why':
      return whyView(db, undefined, team, { agent: args.agent ?? '' });
    case 'shutdown':
      return (await downAlready(db, team)) ?? needsCoordinator(verb);
    default:
      return needsCoordinator(verb);
  }
}

/** The answer to a second shutdown; undefined while a life, or a journal that was cut off, is still open. */
async function downAlready(db: Reading, team: TeamRow): Promise<object | undefined> {
  const lives = await liveIncarnations(db, team.team as TeamId);
  const cutOff = (await openSagas(db)).some((saga) => saga.team === team.team);
  if (team.intent !== 'stopped' || lives.length > 0 || cutOff) return undefined;
  const { session_name } = team;
  return { ok: true, team: team.team, session_name, agents: [], already: true, coordinator: { status: 'absent' } };
}

function needsCoordinator(verb: string): Refusal {
  return refuse('coordinator_absent', `${verb} needs a running coordinator.`, {
    next: ['team-agent coordinator start'],
  });
}
