import { z } from 'zod';
import type { Member } from '../../../agents/index.ts';
import { isRefusal, type MessageId, messageId, type Refusal, refuse, type TeamId } from '../../../kernel/index.ts';
import type { TeamRow } from '../../../ledger/index.ts';
import type { Approval, Decision } from '../../../providers/index.ts';
import { type Caller, ownTeamOnly, ownTeamsOf, senderIn } from '../../api/callers.ts';
import type { Runtime } from '../../runtime.ts';
import { selectTeam } from '../../teams.ts';
import { verb } from '../verb.ts';
import { decideMessage, questionsOfMessages } from './held-messages.ts';

/** What agents' CLIs ask, and messages that wait for a yes. Only looked at. */
export const approvals = verb({
  input: z.object({ agent: z.string().optional(), team: z.string().optional() }),
  agents: true,
  run: async ({ runtime, caller }, args) => {
    const team = await selectTeam(runtime.effects.ledger.db, args.team, ownTeamsOf(caller));
    if (isRefusal(team)) return team;
    const foreign = ownTeamOnly(caller, team.team);
    if (foreign) return foreign;
    const open = openIn(runtime, team).map(({ member, approval }) => shown(member, approval));
    const held = await questionsOfMessages(runtime.effects.ledger.db, team.team as TeamId);
    const meant = [...open, ...held].filter(({ agent_id }) => args.agent === undefined || agent_id === args.agent);
    return { ok: true, team: team.team, approvals: meant };
  },
});

export const approve = verb({
  input: z.object({ id: z.string(), session: z.boolean().default(false), team: z.string().optional() }),
  agents: false,
  run: ({ runtime, caller }, { id, session, team }) =>
    decide(runtime, caller, team, id, { decision: 'approve', scope: session ? 'session' : 'once' }),
});

export const deny = verb({
  input: z.object({ id: z.string(), message: z.string().optional(), team: z.string().optional() }),
  agents: false,
  run: ({ runtime, caller }, { id, message, team }) =>
    decide(runtime, caller, team, id, { decision: 'deny', ...(message === undefined ? {} : { message }) }),
});

interface Open {
  readonly member: Member;
  readonly approval: Approval;
}

function openIn({ effects }: Runtime, team: TeamRow): Open[] {
  return effects.roster
    .members(team.team as TeamId)
    .flatMap((member) => member.approvals().map((approval) => ({ member, approval })));
}

function shown({ id: agent_id, row }: Member, { id, kind, text, since, answerable }: Approval) {
  return { id, agent_id, provider: row.provider, kind, text, since, answerable };
}

/** A decision is on record before it goes out: whoever decided stands by it, also when the agent was quicker. */
async function decide(
  runtime: Runtime,
  caller: Caller,
  named: string | undefined,
  id: string,
  decision: Decision,
): Promise<object | Refusal> {
  const { ledger } = runtime.effects;
  const team = await selectTeam(ledger.db, named, ownTeamsOf(caller));
  if (isRefusal(team)) return team;
  const { sender, authority } = senderIn(team.team, caller);
  // A conversation is never a person, also where it leads nobody.
  if (caller.kind === 'leader' && !(authority === 'leader' && team.approvals === 'leader')) return leaderMayNot(id);
  const held = messageId(id);
  if (held) return decideHeld(runtime, team, held, decision, sender);
  const open = openIn(runtime, team);
  // An agent stands for its question when it has only one.
  const meant = open.filter(({ member, approval }) => approval.id === id || member.id === id);
  const [found, ...others] = meant;
  if (!found || others.length > 0) return unknown(id, open);
  const { member, approval } = found;
  if (!approval.answerable) return onlyItsTerminal(member, approval);
  const facts = { agent_id: member.id, approval: approval.id, text: approval.text, ...decision };
  await ledger.change(team.team as TeamId, sender, (change) => change.event('approval.decided', facts));
  const taken = await member.decide(approval.id, decision);
  if (taken !== 'taken')
    return refuse('approval_unanswerable', `It was not answered: ${taken.not_taken}.`, look(member));
  return { ok: true, team: team.team, ...shown(member, approval), decision: decision.decision };
}

/** A message that waits for a yes: its release and the decision are one commit. */
async function decideHeld(
  runtime: Runtime,
  team: TeamRow,
  id: MessageId,
  decision: Decision,
  sender: string,
): Promise<object | Refusal> {
  const { ledger } = runtime.effects;
  const [question] = (await questionsOfMessages(ledger.db, team.team as TeamId)).filter((one) => one.id === id);
  const done = await ledger.change(team.team as TeamId, sender, (change) =>
    decideMessage(runtime, change, id, decision, sender),
  );
  if (!done || !question) return unknown(id, openIn(runtime, team));
  return { ok: true, team: team.team, ...question, decision: decision.decision };
}

function leaderMayNot(id: string): Refusal {
  return refuse(
    'person_may_not',
    'This team asks a person: its leader may answer only when TEAM.md says approvals: leader.',
    { evidence: { approval: id }, next: [`team-agent approve ${id}`] },
  );
}

function unknown(id: string, open: readonly Open[]): Refusal {
  const ids = open.map(({ approval }) => approval.id);
  const there = ids.length === 0 ? 'No question is open.' : `Open are ${ids.join(', ')}.`;
  return refuse('approval_unknown', `There is no one open question ${id}. ${there}`, {
    evidence: { open: open.map(({ member, approval }) => shown(member, approval)) },
    next: ['team-agent approvals', ...ids.map((known) => `team-agent approve ${known}`)],
  });
}

function onlyItsTerminal(member: Member, { id, text }: Approval): Refusal {
  return refuse('approval_unanswerable', `Only its terminal can answer what ${member.id} asks: ${text}`, {
    evidence: { approval: id, agent_id: member.id },
    ...look(member),
  });
}

function look(member: Member): { next: string[] } {
  return { next: ['team-agent approvals', `team-agent why ${member.id}`] };
}
