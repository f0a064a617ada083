import { resetAgent, restart, sessions, startAgent, stopOne, whoStarts } from './agents.ts';
import { approvals, approve, deny } from './approving/approvals.ts';
import { allowPeerTalk, collect, importFile, settle } from './collecting.ts';
import { attachLeader, claimLeader, releaseLeader, takeover } from './leading/claiming.ts';
import { leaderEnded, leaderPrepare, leaderStarted } from './leading/launching.ts';
import { addAgent, forkAgent, removeAgent } from './members.ts';
import { cancel } from './messages/cancel.ts';
import { send } from './messages/send.ts';
import { wait } from './messages/wait.ts';
import { waitReady } from './readiness.ts';
import {
  coordinatorStatus,
  coordinatorStop,
  deliveries,
  events,
  identity,
  inbox,
  inboxTake,
  leaders,
  ledgerDump,
  messageStored,
  results,
  status,
  why,
} from './reading.ts';
import { repairState } from './tasks/repair.ts';
import { mayStart, plan, preflight, quickStart, shutdown } from './team.ts';
import type { Asked, Verb } from './verb.ts';

/** Every verb of the local API, by the name that the command line uses. */
export const VERBS: Readonly<Record<string, Verb>> = {
  'may-start': mayStart,
  'quick-start': quickStart,
  plan,
  preflight,
  'who-starts': whoStarts,
  'start-agent': startAgent,
  'stop-agent': stopOne,
  'reset-agent': resetAgent,
  'add-agent': addAgent,
  'fork-agent': forkAgent,
  'remove-agent': removeAgent,
  restart,
  sessions,
  send,
  cancel,
  approvals,
  approve,
  deny,
  'leader-prepare': leaderPrepare,
  'leader-started': leaderStarted,
  'leader-ended': leaderEnded,
  collect,
  'import-results': importFile,
  settle,
  'allow-peer-talk': allowPeerTalk,
  'claim-leader': claimLeader,
  takeover,
  'attach-leader': attachLeader,
  'release-leader': releaseLeader,
  identity,
  leaders,
  status,
  results,
  deliveries,
  inbox,
  'inbox-take': inboxTake,
  wait,
  'wait-ready': waitReady,
  events,
  why,
  'repair-state': repairState,
  shutdown,
  'message-stored': messageStored,
  'coordinator-status': coordinatorStatus,
  'coordinator-stop': coordinatorStop,
  'ledger-dump': ledgerDump,
};

/** A verb as a tool of the leader: the same verb, with the same refusals. Throws what is no verb. */
export async function runVerb(asked: Asked, name: string, args: object): Promise<object> {
  const verb = VERBS[name];
  if (!verb) throw new Error(`no such verb: ${name}`);
  return verb.run(asked, args);
}
