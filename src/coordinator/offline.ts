import { isRefusal, type Refusal, refuse, systemClock } from '../kernel/index.ts';
import { dumpTables, openLedgerReader, type Reading } from '../ledger/index.ts';
import { whetherGaveUp } from './client/index.ts';
import { pathsOf } from './protocol.ts';
import { selectTeam } from './teams.ts';
import {
  deliveriesView,
  eventsView,
  inboxView,
  messageStoredView,
  resultsView,
  statusView,
  whyView,
} from './views/index.ts';

interface Arguments {
  readonly team?: string;
  readonly agent?: string;
  readonly task?: string;
  readonly message_id?: string;
  readonly since?: string | number;
  readonly limit?: number;
}

/**
 * Answers a read verb while no coordinator lives: the same views, over a reader that changes no byte, with `observed: none`.
 * Refuses `not_a_team` where there never was one.
 */
export async function readWithoutCoordinator(workspace: string, verb: string, args: object): Promise<object> {
  const reader = openLedgerReader(pathsOf(workspace).ledger);
  if (!reader) {
    return refuse('not_a_team', `There is no team in ${workspace}.`, {
      evidence: { workspace },
      next: ['team-agent quick-start DIR', 'team-agent demo'],
    });
  }
  try {
    return await view(reader.db, workspace, verb, args as Arguments);
  } finally {
    await reader.close();
  }
}

async function view(db: Reading, workspace: string, verb: string, args: Arguments): Promise<object | Refusal> {
  if (verb === 'ledger-dump') return { ok: true, tables: await dumpTables(db) };
  if (verb === 'message-stored') return messageStoredView(db, { message_id: args.message_id ?? '' });
  const team = await selectTeam(db, args.team);
  if (isRefusal(team)) return team;
  switch (verb) {
    case 'status': {
      const gaveUp = whetherGaveUp(workspace);
      const coordinator = { status: 'absent', ...(gaveUp ? { gave_up: gaveUp.message } : {}) };
      return statusView(db, undefined, team, systemClock, workspace, coordinator);
    }
    case 'deliveries':
      return deliveriesView(db, undefined, team, args);
    case 'results':
      return resultsView(db, team, args);
    case 'inbox':
      return inboxView(db, undefined, team, { ...args, agent: args.agent ?? '' });
    case 'events':
      return eventsView(db, team, args);
    case 'why':
      return whyView(db, undefined, team, { agent: args.agent ?? '' });
    default:
      return refuse('coordinator_absent', `${verb} needs a running coordinator.`, {
        next: ['team-agent coordinator start'],
      });
  }
}
