import { z } from 'zod';
import {
  type AgentId,
  isRefusal,
  LEADER,
  type MessageId,
  messageId,
  type Refusal,
  refuse,
  type TaskId,
  type TeamId,
} from '../../../kernel/index.ts';
import { agentsOf, type Change, findTask, lastBearer, type TeamRow } from '../../../ledger/index.ts';
import { checkBody, type Letter, resolveAddressees, type Sent, store } from '../../../messages/index.ts';
import { type AgentCaller, type Caller, ownTeamsOf, senderIn } from '../../api/callers.ts';
import type { Runtime } from '../../runtime.ts';
import { selectRunningTeam } from '../../teams.ts';
import { type DeliveryView, deliveriesView } from '../../views/index.ts';
import { gateOf, noteTask, type Plan, routeOf } from '../tasks/gate.ts';
import { verb } from '../verb.ts';
import { awaitOutcome } from './outcome.ts';
import { mayWriteToPeers, mirror, pass } from './peers.ts';
import { closeRequest, requestAnswered } from './replies.ts';

/** Longest time before a message goes, or until it is given up, seconds: a year. */
const LONGEST_DELAY = 366 * 86_400;

/** The last moment that a Date can tell, UTC ms: a year more is still a number that the ledger can give back. */
const LAST_MOMENT = 8.64e15;

/** Longest wait of one call, seconds: a day. */
const LONGEST_WAIT = 86_400;

const input = z.object({
  message_id: z.string(),
  to: z.array(z.string()).optional(),
  text: z.string(),
  task: z.string().min(1).max(128).optional(),
  expects: z.enum(['nothing', 'reply', 'result']).optional(),
  reply_to: z.string().optional(),
  ttl_s: z.number().positive().max(LONGEST_DELAY).optional(),
  /** UTC ms. */
  due_at: z.number().int().nonnegative().max(LAST_MOMENT).optional(),
  /** After so many seconds. */
  in_s: z.number().positive().max(LONGEST_DELAY).optional(),
  now: z.boolean().optional(),
  /** A person says yes to the task that it is about. */
  confirm_human: z.boolean().optional(),
  wait: z.enum(['consumed', 'result']).optional(),
  timeout_s: z.number().positive().max(LONGEST_WAIT).optional(),
  team: z.string().optional(),
});
type Input = z.output<typeof input>;
/** What says who gets it. */
type Addressable = Pick<Input, 'task' | 'expects' | 'confirm_human'> & { readonly to?: readonly string[] | undefined };

export const send = verb({
  input,
  agents: true,
  run: async ({ runtime, caller, gone }, args) => {
    const sent = await sendAs(runtime, caller, args);
    if (isRefusal(sent) || !args.wait) return sent;
    return awaitOutcome(runtime, sent, args.wait, (args.timeout_s ?? 300) * 1_000, gone);
  },
});

export interface SendAnswer {
  readonly ok: boolean;
  readonly partial?: true;
  readonly reason?: 'fanout_partial';
  readonly message?: string;
  readonly next?: readonly string[];
  readonly message_id: MessageId;
  readonly team: string;
  readonly to: readonly string[];
  readonly deliveries: readonly Pick<DeliveryView, 'to' | 'delivery_id' | 'state' | 'reason' | 'waits_for'>[];
  readonly refused?: readonly { readonly to: string; readonly reason: 'target_not_in_team' }[];
}

/** Stores a message of whoever calls: the sender comes from the connection, never from what was passed. */
export async function sendAs(runtime: Runtime, caller: Caller, args: Input): Promise<SendAnswer | Refusal> {
  const id = messageId(args.message_id);
  if (!id)
    return refuse('usage', 'message_id must be m_ and 24 hex digits.', { next: ['team-agent send AGENT "text"'] });
  const { db } = runtime.effects.ledger;
  const addressed = addressOf(args);
  const team = await selectRunningTeam(db, addressed.team, ownTeamsOf(caller));
  if (isRefusal(team)) return team;
  if (caller.kind === 'agent' && caller.team !== team.team) return otherTeam(caller, team);
  if (caller.kind === 'agent' && args.now) return mayNotInterrupt(caller);
  const refused = checkBody(args.text);
  if (refused) return refused;
  const plan = await planned(runtime, caller, team, { ...args, ...addressed });
  if (isRefusal(plan)) return plan;
  const barred = caller.kind === 'agent' ? mayWriteToPeers(team, caller, plan.to) : undefined;
  if (barred) return barred;
  if (caller.kind === 'agent') await runtime.caughtUp(caller);
  const sent = await storeLetter(runtime, caller, team, id, args, plan);
  if (isRefusal(sent)) return sent;
  return answerOf(runtime, team, sent, plan.unknown);
}

/** To whom a message goes and what it asks of them. */
interface Addressed extends Plan {
  /** Names that nobody has. */
  readonly unknown: readonly string[];
  readonly expects: Letter['expects'];
}

async function planned(
  runtime: Runtime,
  caller: Caller,
  team: TeamRow,
  args: Addressable,
): Promise<Addressed | Refusal> {
  const { db } = runtime.effects.ledger;
  const id = team.team as TeamId;
  const { sender, authority } = senderIn(team.team, caller);
  const members = await agentsOf(db, id);
  const task = args.task === undefined ? undefined : await findTask(db, id, args.task as TaskId);
  const route = args.to ? undefined : routeOf(team, args.task, task, members);
  if (isRefusal(route)) return route;
  const ids = members.map((member) => member.agent_id as AgentId);
  const found = resolveAddressees(args.to ?? (route ? [route.agent] : []), ids, sender);
  if (isRefusal(found)) return found;
  const toWorkers = found.to.some((recipient) => recipient !== LEADER);
  const expects = args.expects ?? (authority !== 'peer' && toWorkers ? 'result' : 'nothing');
  const work = { ...found, task, asked: expects === 'result', members, confirmed: args.confirm_human === true };
  const gate = gateOf(caller, team, work);
  return isRefusal(gate) ? gate : { ...work, ...gate, name: args.task, expects, route };
}

/** `team/a` names the team too; `task:T` stands for whoever has the task. */
function addressOf(args: Input): {
  team: string | undefined;
  to: readonly string[] | undefined;
  task: string | undefined;
} {
  const [only] = args.to ?? [];
  const task = args.to?.length === 1 ? only?.match(/^task:(.+)$/)?.[1] : undefined;
  if (task) return { team: args.team, to: undefined, task };
  const prefixed = only?.match(/^([^/,]+)\/(.+)$/);
  if (args.to?.length === 1 && prefixed?.[1] && prefixed[2])
    return { team: prefixed[1], to: [prefixed[2]], task: args.task };
  return { team: args.team, to: args.to, task: args.task };
}

async function storeLetter(
  runtime: Runtime,
  caller: Caller,
  team: TeamRow,
  id: MessageId,
  args: Input,
  plan: Addressed,
): Promise<Sent | Refusal> {
  const { ledger, reach, mint, clock } = runtime.effects;
  const { sender, authority } = senderIn(team.team, caller);
  const { to, expects, confirmation } = plan;
  const due_at = args.in_s === undefined ? args.due_at : clock.now() + Math.ceil(args.in_s * 1_000);
  await reach('send.before_commit');
  const sent = await ledger.change(team.team as TeamId, sender, async (change) => {
    const passed = caller.kind === 'agent' ? await pass(runtime, change, team, caller, id, to) : undefined;
    if (isRefusal(passed)) return passed;
    const request = await requestAnswered(
      change,
      caller,
      { ...args, expects },
      to,
      (delivery) => caller.kind !== 'agent' || runtime.knows(caller, delivery),
    );
    const stored = await store(
      change,
      {
        message_id: id,
        sender,
        authority,
        to: await Promise.all(to.map((agent) => bearerOf(change, agent))),
        body: args.text,
        task_id: plan.name,
        reply_to: request?.message_id as MessageId | undefined,
        expects,
        urgent: args.now,
        due_at,
        hops: passed?.hops,
        confirmation,
        expires_at: args.ttl_s === undefined ? undefined : (due_at ?? clock.now()) + args.ttl_s * 1_000,
      },
      mint,
    );
    if (isRefusal(stored) || stored.repeated) return stored;
    await noteTask(change, stored, args.text, plan);
    if (request) await closeRequest(change, request, id);
    if (caller.kind === 'agent') await mirror(change, mint, team, caller, { id, text: args.text, task: plan.name }, to);
    return stored;
  });
  await reach('send.committed');
  if (caller.kind === 'agent' && !isRefusal(sent) && !sent.repeated)
    runtime.traffic(caller.team).note(caller.agent, to);
  return sent;
}

/** Who bears a name in this moment. One that was just removed is told to the sender as dead, not given to the next. */
async function bearerOf(change: Change, agent: AgentId): Promise<Letter['to'][number]> {
  if (agent === LEADER) return { agent, generation: 1 };
  const last = await lastBearer(change.tx, change.team, agent);
  if (!last) throw new Error(`a recipient that never was: ${agent}`);
  return { agent, generation: last.generation };
}

async function answerOf(
  runtime: Runtime,
  team: TeamRow,
  sent: Sent,
  unknown: readonly string[],
): Promise<SendAnswer | Refusal> {
  const view = await deliveriesView(runtime.effects.ledger.db, runtime, team, { message_id: sent.message_id });
  if (isRefusal(view)) return view;
  const deliveries = view.deliveries.map(({ to, delivery_id, state, reason, waits_for }) => ({
    to,
    delivery_id,
    state,
    ...(reason ? { reason } : {}),
    ...(waits_for ? { waits_for } : {}),
  }));
  const answered = {
    message_id: sent.message_id,
    team: team.team,
    to: deliveries.map((delivery) => delivery.to),
    deliveries,
  };
  const wanted = deliveries.some(({ reason }) => reason === 'human_confirmation');
  const next = wanted ? { next: [`team-agent approve ${sent.message_id}`] } : {};
  if (unknown.length === 0) return { ok: true, ...answered, ...next };
  return {
    ok: false,
    partial: true,
    reason: 'fanout_partial',
    message: `Sent to ${answered.to.join(', ')}; nobody is called ${unknown.join(' or ')}.`,
    next: ['team-agent status'],
    ...answered,
    refused: unknown.map((to) => ({ to, reason: 'target_not_in_team' as const })),
  };
}

function otherTeam(caller: AgentCaller, team: TeamRow): Refusal {
  return refuse(
    'worker_may_not',
    `${caller.agent} belongs to the team ${caller.team} and may not write to ${team.team}.`,
    { next: ['team-agent send leader "please ..."'] },
  );
}

function mayNotInterrupt(caller: AgentCaller): Refusal {
  return refuse(
    'worker_may_not',
    `${caller.agent} is an agent, and an agent may not break into a turn of somebody else: only the leader and a person send with --now.`,
    { next: ['team-agent send AGENT "text"', 'team-agent send leader "please ..."'] },
  );
}
