import { LEADER, type TeamId } from '../kernel/index.ts';
import {
  AMBIGUOUS,
  type Candidate,
  type Conversation,
  candidateOf,
  changeLead,
  type Intent,
  type Outcome,
} from '../leader/index.ts';
import { findNotice, teams } from '../ledger/index.ts';
import { type Effects, followFound, onSessionOf, twinsOf } from '../lifecycle/index.ts';
import { storeNotice } from '../messages/index.ts';
import type { Caller } from './api/callers.ts';

interface House {
  readonly effects: Effects;
}

/** Asks for the lead of a team, for a conversation as it is now. */
export async function askForLead(
  { effects }: House,
  team: TeamId,
  conversation: Conversation,
  wish: { readonly intent: Intent; readonly confirmed?: boolean; readonly actor: string },
): Promise<Outcome> {
  const twins = (await twinsOf(effects, conversation)).length;
  const candidate = candidateOf(conversation, effects.workspace, twins);
  return changeLead(effects, team, { confirmed: false, ...wish, candidate, conversation });
}

/** The same for a caller that is no conversation: it is refused, and that is on record. */
export function refuseLead({ effects }: House, team: TeamId, caller: Caller, intent: Intent): Promise<Outcome> {
  const candidate: Candidate = caller.kind === 'agent' ? { kind: 'worker' } : { kind: 'plain' };
  const actor = caller.kind === 'agent' ? caller.agent : 'person';
  return changeLead(effects, team, { intent, confirmed: false, actor, candidate });
}

/**
 * A leader whose process is gone may go on in another one: somebody resumed its session. By the CLI's own registry, never by
 * folder or time. One that is alone leads on; of several nobody does, and that is told once.
 */
export async function rebindResumed(runtime: House): Promise<void> {
  const { effects } = runtime;
  const { leaders, ledger } = effects;
  for (const row of await teams(ledger.db)) {
    const team = row.team as TeamId;
    const holder = leaders.receiver(team);
    if (row.intent !== 'running' || holder === undefined || leaders.isAlive(holder)) continue;
    const resumed = await onSessionOf(effects, holder);
    const [only, ...others] = resumed;
    if (!only) continue;
    if (others.length > 0) await tellAmbiguity(runtime, team, resumed);
    else {
      const conversation = await followFound(effects, only);
      if (conversation) await askForLead(runtime, team, conversation, { intent: 'rebind', actor: 'coordinator' });
    }
  }
}

/** A conversation that our launcher has started works on the session of a leader that ended: it leads on. */
export async function rebindTo(runtime: House, conversation: Conversation): Promise<void> {
  const { leaders, ledger } = runtime.effects;
  for (const row of await teams(ledger.db)) {
    const team = row.team as TeamId;
    const holder = leaders.receiver(team);
    if (holder === undefined || holder === conversation.incarnation || leaders.isAlive(holder)) continue;
    const before = await leaders.sessionOf(holder);
    if (before?.provider !== conversation.provider || before.session !== conversation.handle.session) continue;
    await askForLead(runtime, team, conversation, { intent: 'rebind', actor: 'coordinator' });
  }
}

/** Told to whoever leads next, and in the events; never typed into one of the conversations. */
async function tellAmbiguity(
  { effects }: House,
  team: TeamId,
  resumed: Awaited<ReturnType<typeof onSessionOf>>,
): Promise<void> {
  const processes = resumed.map(({ leader }) => leader.process.pid).sort((one, other) => one - other);
  const key = `${AMBIGUOUS}:${resumed[0]?.leader.session}:${processes.join('+')}`;
  if (await findNotice(effects.ledger.db, team, key)) return;
  // Known from now on: `leaders` shows which ones could lead, and where they work.
  for (const one of resumed) await followFound(effects, one);
  await effects.ledger.change(team, 'coordinator', async (change) => {
    if (await findNotice(change.tx, team, key)) return;
    await change.event('leader.ambiguous', { provider: resumed[0]?.provider, processes });
    const body = `Several conversations (processes ${processes.join(', ')}) go on with the session of the leader that ended. None of them leads: team-agent claim-leader --confirm in the one that shall.`;
    await storeNotice(change, effects.mint, { key, to: LEADER, body });
  });
}

/** The conversations that live and lead no team that runs: each could lead one. What was shut down keeps its leader, and needs none. */
export async function waitingConversations({ effects }: House): Promise<readonly Conversation[]> {
  const { leaders, ledger } = effects;
  const running = new Set(
    (await teams(ledger.db)).filter(({ intent }) => intent === 'running').map(({ team }) => team),
  );
  return leaders
    .all()
    .filter(({ incarnation }) => leaders.isAlive(incarnation))
    .filter(({ incarnation }) => !leaders.teamsOf(incarnation).some((team) => running.has(team)));
}

/** The conversation that calls, when it is one; found among the caller's ancestors when nobody knew it before. */
export async function conversationOf(
  { effects }: House,
  caller: Caller,
  find: () => Promise<Conversation | undefined>,
  patience: number,
): Promise<Conversation | undefined> {
  switch (caller.kind) {
    case 'leader':
      return effects.changes.until(() => effects.leaders.conversation(caller.incarnation), patience);
    case 'person':
      return find();
    case 'agent':
      return undefined;
    default:
      return caller satisfies never;
  }
}
