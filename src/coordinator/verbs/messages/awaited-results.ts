import type { AgentId, MessageId, TaskId, TeamId } from '../../../kernel/index.ts';
import {
  type DeliveryRow,
  deliveriesOf,
  latestResults,
  owedRequests,
  type Reading,
  resultsTo,
  type TeamRow,
} from '../../../ledger/index.ts';
import { type ResultView, resultView } from '../../views/index.ts';
import { endingOf, hasEnded } from './ending.ts';

/** A look at whether a wait is over: what it brought, undefined while it is not. */
export type Look = () => Promise<object | undefined>;

/**
 * Looks for the results of a message, or of the requests to an agent or about a task that are open when the wait begins:
 * what an earlier try came to is no answer. When none is open, for the newest result that there is. Undefined when nothing
 * of that is named.
 */
export async function resultLook(
  db: Reading,
  team: TeamRow,
  { message, ...about }: { readonly [Name in 'message' | 'task' | 'agent']?: string | undefined },
): Promise<Look | undefined> {
  if (message) return () => answered(db, team, new Set([message as MessageId]), () => true);
  const filter = { task: about.task as TaskId | undefined, agent: about.agent as AgentId | undefined };
  if (!(filter.task ?? filter.agent)) return undefined;
  const open = await owedRequests(db, team.team as TeamId, filter);
  if (open.length === 0)
    return async () => {
      const newest = await latestResults(db, team.team as TeamId, 1, filter);
      return newest.length > 0 ? answerOf(team, newest.map(resultView)) : undefined;
    };
  // Of a task that is given out again, the last request counts: whoever got the earlier one may know nothing of it any more.
  const awaited = filter.task ? [...new Map(open.map((row) => [row.recipient, row])).values()] : open;
  const messages = new Set(awaited.map((row) => row.message_id as MessageId));
  const own = new Set(awaited.map(({ delivery_id }) => delivery_id));
  return () => answered(db, team, messages, ({ delivery_id }) => own.has(delivery_id));
}

/** Every recipient that is waited for has answered, or will not. What came is told with what will not. */
async function answered(
  db: Reading,
  team: TeamRow,
  messages: ReadonlySet<MessageId>,
  isAwaited: (row: DeliveryRow) => boolean,
): Promise<object | undefined> {
  const all = await Promise.all([...messages].map((message) => deliveriesOf(db, message)));
  const rows = all.flat().filter(isAwaited);
  if (rows.length === 0 || !rows.every((row) => hasEnded(row, 'result'))) return undefined;
  const found = await Promise.all([...messages].map((message) => resultsTo(db, message)));
  const own = found
    .flat()
    .filter((result) => rows.some((row) => row.recipient === result.agent_id && row.message_id === result.message_id))
    .sort((one, other) => one.seq - other.seq);
  const deliveries = rows.map(({ message_id, recipient, state, reason }) => ({
    message_id,
    to: recipient,
    state,
    ...(reason ? { reason } : {}),
  }));
  const answer = { ...answerOf(team, own.map(resultView)), deliveries };
  const ending = endingOf(rows);
  return ending.ok ? answer : { ...answer, ...ending, next: [...messages].map((id) => `team-agent deliveries ${id}`) };
}

function answerOf({ team }: TeamRow, results: readonly ResultView[]) {
  return { ok: true, team, waited_for: 'result', results };
}
