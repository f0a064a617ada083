import { z } from 'zod';
import {
  type DeliveryId,
  isRefusal,
  type MessageId,
  type Refusal,
  refuse,
  type TaskId,
  type TeamId,
} from '../../../kernel/index.ts';
import { deliveriesOf, findMessage, type MessageRow } from '../../../ledger/index.ts';
import { cancel as takeBack } from '../../../messages/index.ts';
import { releaseWhenNothingIsOwed, returnTask } from '../../../results/index.ts';
import { type Caller, ownTeamOnly, ownTeamsOf, senderIn } from '../../api/callers.ts';
import { selectTeamOf } from '../../teams.ts';
import { verb } from '../verb.ts';

/** A sender takes back what was not offered yet. What may have been read stays as it is, and the answer says so. */
export const cancel = verb({
  input: z.object({ message_id: z.string(), to: z.array(z.string()).optional(), team: z.string().optional() }),
  agents: true,
  run: async ({ runtime, caller }, args): Promise<object | Refusal> => {
    const { ledger } = runtime.effects;
    const team = await selectTeamOf(ledger.db, args.team, args.message_id, ownTeamsOf(caller));
    if (isRefusal(team)) return team;
    const foreign = ownTeamOnly(caller, team.team);
    if (foreign) return foreign;
    const id = args.message_id as MessageId;
    const message = await findMessage(ledger.db, id);
    if (message?.team !== team.team) {
      return refuse('message_not_found', `No message ${args.message_id} in the team ${team.team}.`, {
        next: ['team-agent deliveries'],
      });
    }
    const refused = notYours(caller, message);
    if (refused) return refused;
    const { sender } = senderIn(team.team, caller);
    const deliveries = await ledger.change(team.team as TeamId, sender, async (change) => {
      const meant = (await deliveriesOf(change.tx, id)).filter(
        ({ recipient }) => args.to === undefined || args.to.includes(recipient),
      );
      const done = [];
      for (const { delivery_id, recipient, state } of meant) {
        const cancelled = await takeBack(change, delivery_id as DeliveryId, sender);
        done.push({ to: recipient, delivery_id, state: cancelled ? ('cancelled' as const) : state, cancelled });
      }
      if (message.task_id !== null) await returnTask(change, message.task_id as TaskId);
      await releaseWhenNothingIsOwed(change);
      return done;
    });
    return answerOf(id, deliveries);
  },
});

/** A person speaks for the leader too: it is the person's own conversation. */
function notYours(caller: Caller, message: MessageRow): Refusal | undefined {
  const { sender } = senderIn(message.team, caller);
  const own = message.sender === sender || (caller.kind === 'person' && message.authority === 'leader');
  if (own) return undefined;
  return refuse(
    'message_not_yours',
    `The message ${message.message_id} is from ${message.sender}: only its sender takes it back.`,
    {
      evidence: { message_id: message.message_id, sender: message.sender, you: sender },
      next: [`team-agent deliveries ${message.message_id}`],
    },
  );
}

function answerOf(
  message_id: MessageId,
  deliveries: readonly { to: string; delivery_id: string; state: string; cancelled: boolean }[],
): object {
  const left = deliveries.filter(({ cancelled, state }) => !cancelled && state !== 'cancelled');
  const answer = { message_id, deliveries };
  if (deliveries.length > 0 && left.length === 0) return { ok: true, ...answer };
  const partial = left.length < deliveries.length;
  const who = left.map(({ to, state }) => `${to} (${state})`).join(', ');
  return {
    ok: false,
    ...(partial ? { partial: true } : {}),
    reason: partial ? 'cancelled_partial' : 'not_cancelled',
    message: who === '' ? 'Nobody of that name gets this message.' : `It cannot be taken back from ${who}.`,
    ...answer,
    next: [`team-agent deliveries ${message_id}`],
  };
}
