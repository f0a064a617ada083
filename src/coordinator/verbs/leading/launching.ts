import { z } from 'zod';
import { type IncarnationId, identifyProcess, isRefusal, type TeamId } from '../../../kernel/index.ts';
import type { Conversation } from '../../../leader/index.ts';
import { teams } from '../../../ledger/index.ts';
import { endLeader, findConversation, introduceLeader, prepareLeader } from '../../../lifecycle/index.ts';
import type { Caller } from '../../api/callers.ts';
import { askForLead, conversationOf, rebindTo, waitingConversations } from '../../leadership.ts';
import type { Runtime } from '../../runtime.ts';
import { verb } from '../verb.ts';

/** How long a conversation that our launcher has just started may take to be known, ms, when it starts a team at once. */
const INTRODUCTION = 5_000;

/** The first half of a launcher: everything that a conversation needs before its terminal part runs. */
export const leaderPrepare = verb({
  input: z.object({
    provider: z.string(),
    folder: z.string(),
    args: z.array(z.string()),
    environment: z.record(z.string(), z.string()),
  }),
  agents: false,
  run: ({ runtime }, args) => prepareLeader(runtime.effects, args),
});

/** The second half: its terminal part runs. It leads as soon as it has a session. */
export const leaderStarted = verb({
  input: z.object({ incarnation: z.string(), pid: z.number().int(), team: z.string().optional() }),
  agents: false,
  run: async ({ runtime }, { incarnation, pid, team }) => {
    const process = identifyProcess(pid);
    if (process) void introduce(runtime, incarnation as IncarnationId, process, team);
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

async function introduce(
  runtime: Runtime,
  incarnation: IncarnationId,
  process: NonNullable<ReturnType<typeof identifyProcess>>,
  named: string | undefined,
): Promise<void> {
  try {
    const conversation = await introduceLeader(runtime.effects, incarnation, process);
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
  const running = (await teams(runtime.effects.ledger.db)).filter((team) => team.intent === 'running');
  const meant = named === undefined ? running : running.filter((team) => [team.team, team.name].includes(named));
  const [only, ...others] = meant;
  return only && others.length === 0 ? (only.team as TeamId) : undefined;
}

/**
 * Who starts a team leads it, when it is a conversation: one of our launcher, or one found around the caller. For a person at
 * a shell the conversation leads that a launcher started before and that waits for a team. `environment`: whatever helps to
 * find the conversation. Resolves with what that leader has to know.
 */
export async function bindCaller(
  runtime: Runtime,
  team: TeamId,
  caller: Caller,
  environment: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const find = async () =>
    caller.kind === 'person'
      ? ((await findConversation(runtime.effects, caller.chain, environment)) ?? (await waitingConversation(runtime)))
      : undefined;
  const conversation = await conversationOf(runtime, caller, find, INTRODUCTION);
  if (!conversation) return [];
  const { decision } = await askForLead(runtime, team, conversation, { intent: 'acquire', actor: 'coordinator' });
  if (decision.reason === 'caller_cwd_mismatch') return [ELSEWHERE];
  if (decision.decision !== 'bind') return [];
  const channel = await conversation.channel(false);
  return 'hold' in channel && channel.hold === 'mode_holds_mail' ? [HOLDS_MAIL] : [];
}

/** What a leader is told whose CLI would ask its person about each message. */
const HOLDS_MAIL =
  'In the permission mode of this conversation a person would have to confirm each message to it. Run "team-agent wait --mail --timeout 86400" as a background command instead: it ends when there is mail, its output is the mail, and its end wakes you. Then run it again.';

const ELSEWHERE =
  'This conversation works in a folder outside this project, so it does not lead the team: its mail waits in the mailbox. "team-agent attach-leader" makes it the leader all the same.';

/** The only conversation that our launcher has started and that leads no team that runs: it waits for one. */
async function waitingConversation(runtime: Runtime): Promise<Conversation | undefined> {
  const launched = new Set(runtime.effects.leaders.launched());
  const [only, ...others] = (await waitingConversations(runtime)).filter((one) => launched.has(one));
  return others.length === 0 ? only : undefined;
}
