import { isRefusal, type MessageId } from '../../../kernel/index.ts';
import { deliveriesOf } from '../../../ledger/index.ts';
import type { Runtime } from '../../runtime.ts';
import { selectTeam } from '../../teams.ts';
import { deliveriesView, resultsView } from '../../views/index.ts';

const CONSUMED = new Set(['consumed', 'answered']);
const ENDED = new Set(['answered', 'dead', 'cancelled']);

/** Waits until each delivery was consumed, or answered, or has ended otherwise. The message is stored whatever comes of it. */
export async function awaitOutcome(
  runtime: Runtime,
  sent: { readonly message_id: MessageId; readonly team: string },
  what: 'consumed' | 'result',
  timeout: number,
  gone: AbortSignal,
): Promise<object> {
  const { ledger, changes } = runtime.effects;
  const done = await changes.until(
    async () => {
      const rows = await deliveriesOf(ledger.db, sent.message_id);
      const reached = rows.every((row) => ENDED.has(row.state) || (what === 'consumed' && CONSUMED.has(row.state)));
      return reached ? rows : undefined;
    },
    timeout,
    gone,
  );
  const team = await selectTeam(ledger.db, sent.team);
  if (isRefusal(team)) return team;
  const view = await deliveriesView(ledger.db, runtime, team, { message_id: sent.message_id });
  const deliveries = isRefusal(view) ? [] : view.deliveries;
  const results = await resultsView(ledger.db, team, {});
  const own = isRefusal(results) ? [] : results.results.filter((result) => result.message_id === sent.message_id);
  const answered = { ...sent, deliveries, ...(what === 'result' ? { results: own } : {}) };
  if (done)
    return deliveries.some((delivery) => delivery.state === 'dead')
      ? {
          ...answered,
          ok: false,
          reason: 'delivery_dead',
          message: 'Not every delivery reached its recipient.',
          next: [`team-agent deliveries ${sent.message_id}`],
        }
      : answered;
  return {
    ...answered,
    ok: false,
    reason: 'timeout',
    message: `The message is stored, but was not ${what === 'result' ? 'answered' : 'consumed'} within ${timeout / 1_000} s.`,
    next: [`team-agent deliveries ${sent.message_id}`],
  };
}
