import { z } from 'zod';
import {
  type IncarnationId,
  identifyProcess,
  isRefusal,
  type Refusal,
  refuse,
  shellWord,
  type TeamId,
} from '../../../kernel/index.ts';
import type { Conversation } from '../../../leader/index.ts';
import { findTeam, type TeamRow, teams } from '../../../ledger/index.ts';
import { endLeader, findConversation, introduceLeader, prepareLeader } from '../../../lifecycle/index.ts';
import type { Caller } from '../../api/callers.ts';
import { askForLead, conversationOf, rebindTo, waitingConversations } from '../../leadership.ts';
import type { Runtime } from '../../runtime.ts';
import { selectTeam } from '../../teams.ts';
import { verb } from '../verb.ts';
import { holdsMail } from './mailbox.ts';
import { codexRefusal, doesNotLead, type LeadRequest, leaseRefusal, unknownYet } from './refusals.ts';

/** How long a conversation that our launcher has just started may take to be known, ms, when it starts a team at once. */
const INTRODUCTION = 5_000;

/** The first half of a launcher: everything that a conversation needs before its terminal part runs. */
export const leaderPrepare = verb({
  input: z.object({
    provider: z.string(),
    folder: z.string(),
    args: z.array(z.string()),
    environment: z.record(z.string(), z.string()),
    /** The launcher's own process. */
    pid: z.number().int(),
    team: z.string().optional(),
  }),
  agents: false,
  run: async ({ runtime, gone }, { pid, ...order }) => {
    const launcher = identifyProcess(pid);
    if (!launcher) {
      return refuse('usage', `There is no process ${pid} that could be its launcher.`, {
        next: [`team-agent ${order.provider}`],
      });
    }
    const unknown = order.team === undefined ? undefined : await unknownTeam(runtime, order.team, order.provider);
    if (unknown) return unknown;
    return prepareLeader(runtime.effects, { ...order, launcher }, gone);
  },
});

/** A name that no team here has is refused; before there is any, it is the name of one to come. */
async function unknownTeam(runtime: Runtime, named: string, provider: string): Promise<Refusal | undefined> {
  const { db } = runtime.effects.ledger;
  const all = await teams(db);
  const team = all.length === 0 ? undefined : await selectTeam(db, named);
  if (!isRefusal(team)) return undefined;
  return { ...team, next: all.map((known) => `team-agent --team ${shellWord(known.team)} ${provider}`) };
}

/** The second half: its terminal part runs. It leads as soon as it has a session. */
export const leaderStarted = verb({
  input: z.object({ incarnation: z.string(), pid: z.number().int() }),
  agents: false,
  run: async ({ runtime }, { incarnation: of, pid }) => {
    const incarnation = of as IncarnationId;
    const { leaders } = runtime.effects;
    const launch = leaders.launch(incarnation);
    const terminal = identifyProcess(pid);
    if (launch && terminal) {
      await leaders.launches(incarnation, { ...launch, terminal });
      void introduce(runtime, incarnation);
    }
    return { ok: true };
  },
});

/** Its terminal part has ended. */
export const leaderEnded = verb({
  input: z.object({ incarnation: z.string() }),
  agents: false,
  run: async ({ runtime }, { incarnation }) => {
    await endLeader(runtime.effects, incarnation as IncarnationId);
    return { ok: true };
  },
});

/** What an earlier coordinator began: the terminal part of these launches runs, and has no session yet. */
export function goOnIntroducing(runtime: Runtime): void {
  const { leaders } = runtime.effects;
  for (const incarnation of leaders.launching()) {
    if (leaders.launch(incarnation)?.terminal && leaders.isAlive(incarnation)) void introduce(runtime, incarnation);
  }
}

async function introduce(runtime: Runtime, incarnation: IncarnationId): Promise<void> {
  const named = runtime.effects.leaders.launch(incarnation)?.team;
  try {
    const conversation = await introduceLeader(runtime.effects, incarnation);
    if (isRefusal(conversation)) {
      runtime.log.warn({ incarnation, reason: conversation.reason }, conversation.message);
      return;
    }
    runtime.effects.changes.notify();
    await rebindTo(runtime, conversation);
    const team = await teamToLead(runtime, named);
    if (team) await askForLead(runtime, team, conversation, { intent: 'acquire', actor: 'coordinator' });
  } catch (error) {
    runtime.log.error({ err: error, incarnation }, 'a conversation could not be introduced');
  }
}

/** A launcher's conversation leads the team that it names, else the only one that runs; never one that has a leader. */
async function teamToLead(runtime: Runtime, named: string | undefined): Promise<TeamId | undefined> {
  const team = await selectTeam(runtime.effects.ledger.db, named);
  return isRefusal(team) || team.intent !== 'running' ? undefined : (team.team as TeamId);
}

/**
 * Who starts a team leads it, when it is a conversation: one of our launcher, or one found around the caller. For a person at
 * a shell the conversation leads that a launcher started before and that waits for a team. `environment`: whatever helps to
 * find the conversation. Resolves with what that leader has to know; and with why it does not lead, when it does not.
 */
export async function bindCaller(
  runtime: Runtime,
  id: TeamId,
  caller: Caller,
  environment: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const team = await findTeam(runtime.effects.ledger.db, id);
  if (!team) throw new Error(`the team ${id} was not started`);
  const find = async () =>
    caller.kind === 'person' ? findConversation(runtime.effects, caller.chain, environment) : undefined;
  const own = await conversationOf(runtime, caller, find, INTRODUCTION);
  const waits = caller.kind === 'person' ? await waitingConversation(runtime) : undefined;
  const conversation = own ?? waits;
  if (!conversation) return unled(caller, team, environment);
  const outcome = await askForLead(runtime, id, conversation, { intent: 'acquire', actor: 'coordinator' });
  const { decision } = outcome;
  if (decision.decision === 'refuse') {
    const { provider } = conversation;
    const who = own ? CALLER : `The ${provider} conversation that waits for a team`;
    const request: LeadRequest = own ? { intent: 'acquire' } : { intent: 'attach', pointer: { provider } };
    return [doesNotLead(who, team, leaseRefusal(decision.reason, request, caller, team, outcome))];
  }
  if (decision.decision !== 'bind') return [];
  const channel = await conversation.channel(false);
  return 'hold' in channel && channel.hold === 'mode_holds_mail' ? [holdsMail(team)] : [];
}

const CALLER = 'This conversation';

/** Why a conversation that started a team, and that could not be asked about, does not lead it. Nothing of a plain shell. */
function unled(caller: Caller, team: TeamRow, { CODEX_THREAD_ID: thread }: Readonly<Record<string, string>>): string[] {
  if (thread) return [doesNotLead(CALLER, team, codexRefusal(thread, team))];
  return caller.kind === 'leader' ? [doesNotLead(CALLER, team, unknownYet(team))] : [];
}

/** The only conversation that our launcher has started and that leads no team that runs: it waits for one. */
async function waitingConversation(runtime: Runtime): Promise<Conversation | undefined> {
  const launched = new Set(runtime.effects.leaders.launched());
  const [only, ...others] = (await waitingConversations(runtime)).filter((one) => launched.has(one));
  return others.length === 0 ? only : undefined;
}
