import {
  type AgentId,
  type DeliveryId,
  type IncarnationId,
  isRefusal,
  type Mint,
  type Reach,
  type Refusal,
  refuse,
  resultOfCall,
  type TaskId,
  type TeamId,
} from '../kernel/index.ts';
import {
  type Change,
  findResult,
  insertResult,
  type Ledger,
  openRequests,
  type QueuedRow,
  type ResultRow,
} from '../ledger/index.ts';
import { answer } from '../messages/index.ts';
import { announce } from './announce.ts';
import { attribute } from './attribution.ts';
import { type NormalisedResult, normaliseResult } from './normalise.ts';
import { takeResult } from './tasks.ts';

/** Who reports, and the provider's own id of the call: a call that comes twice is one report. */
export interface Reporter {
  readonly team: TeamId;
  readonly agent: AgentId;
  readonly incarnation: IncarnationId;
  readonly call: string;
  /** Does the session that it works on know this delivery, or has it changed since? */
  readonly knows?: (delivery: DeliveryId) => boolean;
}

export interface Reported {
  readonly ok: true;
  readonly result_id: string;
  readonly agent_id: string;
  readonly task_id: string | null;
  readonly message_id: string | null;
  readonly status: ResultRow['status'];
  readonly unattributed: boolean;
}

/**
 * Takes in a report: result, answered request, collected task and the notices about it are one transaction, so that nobody
 * can hear of a result that is not stored, or of one result twice. Refuses before storing when it cannot tell which request
 * is meant (`task_ambiguous`, `task_unknown`) or when the arguments are no result (`tool_arguments_invalid`).
 */
export async function report(
  { ledger, mint, reach }: { ledger: Ledger; mint: Mint; reach: Reach },
  by: Reporter,
  input: unknown,
): Promise<Reported | Refusal> {
  const envelope = normaliseResult(input);
  if (isRefusal(envelope)) return envelope;
  await reach('result.before_commit');
  const reported = await ledger.change(by.team, by.agent, (change) => store(change, mint, by, envelope));
  await reach('result.committed');
  return reported;
}

async function store(
  change: Change,
  mint: Mint,
  by: Reporter,
  envelope: NormalisedResult,
): Promise<Reported | Refusal> {
  const result_id = resultOfCall(by.incarnation, by.call);
  const before = await findResult(change.tx, result_id);
  if (before) return answerOf(before);

  const requests = (await openRequests(change.tx, by.team, by, ['result'])).map((row) => ({
    ...row,
    known: by.knows?.(row.delivery_id as DeliveryId) ?? true,
  }));
  const attribution = attribute(requests, envelope.task_id ?? undefined);
  if (attribution.kind === 'ambiguous' || attribution.kind === 'unknown_task') return whichTask(attribution);

  const request =
    attribution.kind === 'answers'
      ? requests.find((row) => row.delivery_id === attribution.request.delivery_id)
      : undefined;
  const row = await takeIn(
    change,
    mint,
    { result_id, agent_id: by.agent, incarnation: by.incarnation, source: 'tool' },
    { ...envelope, task_id: request?.task_id ?? envelope.task_id },
    request,
  );
  return answerOf(row);
}

type NewResult = Omit<ResultRow, 'team' | 'seq' | 'created_at'>;

/**
 * Stores a result with all that follows from it: the open `request` that it answers, the task that it ends, who hears of it.
 * `message_id`: what it is about where no request is open any more.
 */
export async function takeIn(
  change: Change,
  mint: Mint,
  origin: Pick<ResultRow, 'result_id' | 'agent_id' | 'incarnation' | 'source'>,
  envelope: NormalisedResult,
  request: QueuedRow | undefined,
  message_id = request?.message_id ?? null,
): Promise<NewResult> {
  const { result_id, agent_id, source } = origin;
  const { task_id, status, summary } = envelope;
  const unattributed = request === undefined;
  const row: NewResult = {
    ...origin,
    task_id,
    message_id,
    status,
    summary,
    envelope: JSON.stringify({ ...envelope, agent_id }),
    unattributed: unattributed ? 1 : 0,
    error: null,
  };
  await insertResult(change, row);
  const told = { result_id, agent_id, task_id, status, unattributed };
  await change.event('result.reported', source === 'file' ? { ...told, source } : told);
  if (request) await answer(change, request.delivery_id as Parameters<typeof answer>[1], { result_id });
  if (task_id) await takeResult(change, task_id as TaskId, row, request !== undefined);
  await announce(change, mint, row, request);
  return row;
}

function whichTask(attribution: {
  kind: 'ambiguous' | 'unknown_task';
  candidates: readonly { task_id: string | null; message_id: string }[];
}): Refusal {
  const candidates = attribution.candidates.map((request) => ({
    task: request.task_id,
    message_id: request.message_id,
  }));
  const tasks = candidates.map((candidate) => candidate.task);
  const names = candidates
    .map(({ task, message_id }) =>
      task !== null && tasks.indexOf(task) === tasks.lastIndexOf(task) ? task : message_id,
    )
    .join(', ');
  const [reason, what] =
    attribution.kind === 'ambiguous'
      ? (['task_ambiguous', 'Several requests to you are open'] as const)
      : (['task_unknown', 'No open request to you has that task'] as const);
  return refuse(
    reason,
    `${what}. Nothing was stored; report again with task set to one of: ${names || '(none is open: leave task out)'}.`,
    {
      evidence: { candidates },
      next: [],
    },
  );
}

function answerOf(
  row: Pick<ResultRow, 'result_id' | 'agent_id' | 'task_id' | 'message_id' | 'status' | 'unattributed'>,
): Reported {
  const { result_id, agent_id, task_id, message_id, status } = row;
  return { ok: true, result_id, agent_id, task_id, message_id, status, unattributed: row.unattributed === 1 };
}
