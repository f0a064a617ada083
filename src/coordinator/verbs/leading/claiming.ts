import { z } from 'zod';
import { isRefusal, LEADER, type Refusal, type TeamId } from '../../../kernel/index.ts';
import type { Conversation, Intent, Outcome } from '../../../leader/index.ts';
import { heldDeliveries, openOffer, queuedCount, type TeamRow, unprovedOffers } from '../../../ledger/index.ts';
import { findConversation } from '../../../lifecycle/index.ts';
import { ownTeamsOf, senderIn } from '../../api/callers.ts';
import { askForLead, conversationOf, rebindResumed, refuseLead } from '../../leadership.ts';
import type { Runtime } from '../../runtime.ts';
import { selectTeam } from '../../teams.ts';
import { leaderView } from '../../views/index.ts';
import { type Asked, verb } from '../verb.ts';
import { holdsMail } from './mailbox.ts';
import { type Chosen, pointedAt } from './pointing.ts';
import { codexRefusal, type LeadRequest, leaseRefusal, named } from './refusals.ts';

/** How long a conversation that our launcher has just started may take to be known, ms. */
const INTRODUCTION = 5_000;

const environment = z.record(z.string(), z.string()).default({});
const wish = z.object({ confirm: z.boolean().default(false), environment, team: z.string().optional() });
type Wished = z.output<typeof wish>;

/** The caller's own conversation wants to lead. Three names of one wish; agents and shells are refused, on record. */
const asking = (intent: 'claim' | 'takeover') =>
  verb({
    input: wish,
    agents: true,
    run: (asked, args) => inTeam(asked, args, (team) => claimFor(asked, team, intent, args)),
  });
export const claimLeader = asking('claim');
export const takeover = asking('takeover');

/** Whoever leads gives the lead up, or a person in a shell does who says so: mail waits in the mailbox from then on. */
export const releaseLeader = verb({
  input: wish,
  agents: true,
  run: (asked, args) =>
    inTeam(asked, args, async (team) => {
      const mine = await own(asked, args);
      const given = mine ?? holderOf(asked, team);
      if (!given) return told(asked, team, await refuse(asked, team, 'release'), { intent: 'release' });
      const confirmed = args.confirm || mine !== undefined;
      return told(asked, team, await ask(asked, team, given, 'release', confirmed), { intent: 'release' });
    }),
});

/** The conversation whose lead a person in a shell gives up; an agent, or another conversation, gives up what it has itself. */
function holderOf({ runtime, caller }: Asked, team: TeamRow): Conversation | undefined {
  const { leaders } = runtime.effects;
  const holder = caller.kind === 'person' ? leaders.receiver(team.team as TeamId) : undefined;
  return holder && leaders.conversation(holder);
}

/** A person points at a conversation: the one in a pane of the person's own tmux, or the only one that waits. */
export const attachLeader = verb({
  input: wish.extend({
    pane: z.string().optional(),
    /** The socket of the caller's tmux server. */
    tmux: z.string().optional(),
    provider: z.string().optional(),
  }),
  agents: true,
  run: (asked, args) =>
    inTeam(asked, args, async (team) => {
      if (asked.caller.kind === 'agent')
        return told(asked, team, await refuse(asked, team, 'attach'), { intent: 'attach' });
      const chosen: Chosen | Refusal = await pointedAt(asked, args, () => own(asked, args));
      if (isRefusal(chosen)) {
        await refuse(asked, team, 'attach');
        return chosen;
      }
      const outcome = await ask(asked, team, chosen.conversation, 'attach', args.confirm);
      return told(asked, team, outcome, { intent: 'attach', pointer: args });
    }),
});

async function inTeam(
  { runtime, caller }: Asked,
  args: Wished,
  work: (team: TeamRow) => Promise<object | Refusal>,
): Promise<object | Refusal> {
  const team = await selectTeam(runtime.effects.ledger.db, args.team, ownTeamsOf(caller));
  if (isRefusal(team)) return team;
  // A leader that was resumed elsewhere leads on by itself, before anybody is told that nobody leads.
  await rebindResumed(runtime);
  return work(team);
}

async function claimFor(asked: Asked, team: TeamRow, intent: Intent, args: Wished): Promise<object | Refusal> {
  const conversation = await own(asked, args);
  const outcome = conversation
    ? await ask(asked, team, conversation, intent, args.confirm)
    : await refuse(asked, team, intent);
  const { CODEX_THREAD_ID: thread } = args.environment;
  if (thread && outcome.decision.reason === 'caller_not_leader_shaped') return codexRefusal(thread, team);
  return told(asked, team, outcome, { intent });
}

/** The conversation that calls. */
function own({ runtime, caller }: Asked, args: Wished): Promise<Conversation | undefined> {
  const find = async () =>
    caller.kind === 'person' ? findConversation(runtime.effects, caller.chain, args.environment) : undefined;
  return conversationOf(runtime, caller, find, INTRODUCTION);
}

function ask(
  { runtime, caller }: Asked,
  team: TeamRow,
  conversation: Conversation,
  intent: Intent,
  confirmed: boolean,
): Promise<Outcome> {
  const { sender: actor } = senderIn(team.team, caller);
  return askForLead(runtime, team.team as TeamId, conversation, { intent, confirmed, actor });
}

function refuse({ runtime, caller }: Asked, team: TeamRow, intent: Intent): Promise<Outcome> {
  return refuseLead(runtime, team.team as TeamId, caller, intent);
}

const STATUS = { bind: 'claimed', rebind: 'claimed', keep: 'already_bound', release: 'released' } as const;

/** What came of it, with the mail that waited: what goes to the new leader, and what the one before may have seen. */
async function told(
  { runtime, caller }: Asked,
  team: TeamRow,
  outcome: Outcome,
  request: LeadRequest,
): Promise<object | Refusal> {
  const { decision, epoch, previous } = outcome;
  if (decision.decision === 'refuse') return leaseRefusal(decision.reason, request, caller, team, outcome);
  const mail = await mailOf(runtime, team);
  const held = await heldBy(runtime, team);
  const hint = mail.perhaps_seen.length > 0 ? { inbox_hint: inboxHint(team) } : {};
  return {
    ok: true,
    status: STATUS[decision.decision],
    team: team.team,
    reason: decision.reason,
    owner_epoch: epoch,
    leader: await leaderView(runtime.effects.ledger.db, runtime, team.team as TeamId),
    previous,
    ...mail,
    ...(held ? { held } : {}),
    warnings: held?.hold === 'mode_holds_mail' ? [holdsMail(team)] : [],
    ...hint,
    next: [`team-agent status ${named(team)}`, `team-agent inbox leader ${named(team)}`],
  };
}

/** Why whoever leads now takes nothing at the moment, beyond what it is busy with. */
async function heldBy({ effects: { leaders } }: Runtime, team: TeamRow) {
  const holder = leaders.receiver(team.team as TeamId);
  const channel = await (holder && leaders.conversation(holder))?.channel(false);
  return channel && 'hold' in channel && channel.hold !== 'working' ? channel : undefined;
}

/** Mail for the leader that waits, and messages that an earlier one may have read without any proof of it. */
async function mailOf({ effects }: Runtime, team: TeamRow) {
  const { db } = effects.ledger;
  const id = team.team as TeamId;
  const held = (await heldDeliveries(db, id)).filter(({ recipient }) => recipient === LEADER);
  const open = await openOffer(db, id, LEADER);
  const unproved = await unprovedOffers(db, id, LEADER);
  const perhaps = [...(open ? [open] : []), ...unproved];
  return {
    waiting: (await queuedCount(db, id, LEADER)) + held.length,
    perhaps_seen: [...new Set(perhaps.map(({ delivery_id }) => delivery_id))],
  };
}

function inboxHint(team: TeamRow) {
  return {
    message: 'These may have been read by the leader before, without a proof of it.',
    command: `team-agent inbox leader ${named(team)}`,
  };
}
