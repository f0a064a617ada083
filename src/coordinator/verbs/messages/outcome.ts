import { isRefusal, type MessageId } from '../../../kernel/index.ts';
import { deliveriesOf, resultsTo } from '../../../ledger/index.ts';
import type { Runtime } from '../../runtime.ts';
import { selectTeam } from '../../teams.ts';
import { deliveriesView, resultView } from '../../views/index.ts';
import { type Awaited, endingOf, hasEnded } from './ending.ts';

/** Waits until each delivery was consumed, or answered, or has ended otherwise. The message is stored whatever comes of it. */
export async function awaitOutcome(
  runtime: Runtime,
  sent: { readonly message_id: MessageId; readonly team: string },
  what: Awaited,
  timeout: number,
  gone: AbortSignal,
): Promise<object> {
  const { ledger, changes } = runtime.effects;
  const ended = await changes.until(
    async () => {
      const rows = await deliveriesOf(ledger.db, sent.message_id);
      return rows.every((row) => hasEnded(row, what)) ? rows : undefined;
    },
    timeout,
    gone,
  );
  const team = await selectTeam(ledger.db, sent.team);
  if (isRefusal(team)) return team;
  const view = await deliveriesView(ledger.db, runtime, team, { message_id: sent.message_id });
  if (isRefusal(view)) return view;
  const results = what === 'result' ? { results: (await resultsTo(ledger.db, sent.message_id)).map(resultView) } : {};
  const answered = { ...sent, deliveries: view.deliveries, ...results };
  const next = [`team-agent deliveries ${sent.message_id}`];
  if (!ended) {
    const asked = what === 'result' ? 'answered' : 'consumed';
    const message = `The message is stored, but was not ${asked} within ${timeout / 1_000} s.`;
    return { ...answered, ok: false, reason: 'timeout', message, next };
  }
  const ending = endingOf(ended);
  return ending.ok ? answered : { ...answered, ...ending, next };
}
