import {
  type AgentId,
  firstLine,
  isRefusal,
  type MessageId,
  type Mint,
  type Reach,
  resultOfContent,
  type TaskId,
  type TeamId,
} from '../kernel/index.ts';
import {
  agentsOf,
  type Change,
  consumedRequests,
  deliveriesOf,
  findMessage,
  findResult,
  findTask,
  insertResult,
  type Ledger,
  type QueuedRow,
} from '../ledger/index.ts';
import { attribute } from './attribution.ts';
import { isProblems, type ResultEnvelope, readEnvelope } from './envelope.ts';
import { normaliseResult } from './normalise.ts';
import { takeIn } from './report.ts';

/** What a file held that is no result of this team. `result_id` is null when it could not be kept: it names no agent. */
export interface InvalidResult {
  readonly result_id: string | null;
  readonly path: string;
  readonly task_id: string | null;
  readonly agent_id: string | null;
  readonly error: string;
}

export interface Imported {
  /** Results that were taken in, now or before: what was there already is not stored again. */
  readonly taken: readonly string[];
  readonly invalid: readonly InvalidResult[];
}

/** What one envelope of a file became. */
type Outcome = { readonly taken: string } | { readonly invalid: InvalidResult };

/**
 * Takes in the envelopes of the file `path` in one transaction. A good one becomes a result like a reported one; a bad one
 * is kept with what is wrong with it, counts for nothing and stands in nobody's way.
 */
export async function importResults(
  { ledger, mint, reach }: { ledger: Ledger; mint: Mint; reach: Reach },
  team: TeamId,
  by: string,
  { envelopes, path }: { readonly envelopes: readonly unknown[]; readonly path: string },
): Promise<Imported> {
  await reach('result.before_commit');
  const outcomes = await ledger.change(team, by, async (change) => {
    const done: Outcome[] = [];
    for (const given of envelopes) done.push(await importOne(change, mint, given, path));
    return done;
  });
  await reach('result.committed');
  return {
    taken: [...new Set(outcomes.flatMap((outcome) => ('taken' in outcome ? [outcome.taken] : [])))],
    invalid: outcomes.flatMap((outcome) => ('invalid' in outcome ? [outcome.invalid] : [])),
  };
}

async function importOne(change: Change, mint: Mint, given: unknown, path: string): Promise<Outcome> {
  const envelope = readEnvelope(given);
  if (isProblems(envelope)) return { invalid: await keepInvalid(change, given, path, envelope.join('\n')) };
  const agent = envelope.agent_id as AgentId;
  const result_id = resultOfContent(change.team, 'valid', JSON.stringify(envelope));
  if (await findResult(change.tx, result_id)) return { taken: result_id };
  const about = await whatItAnswers(change, agent, envelope);
  if (typeof about === 'string') return { invalid: await keepInvalid(change, given, path, about) };
  const normalised = normaliseResult(envelope);
  if (isRefusal(normalised)) throw new Error(`a valid envelope was not understood: ${normalised.message}`);
  const origin = { result_id, agent_id: agent, incarnation: null, source: 'file' as const };
  await takeIn(change, mint, origin, { ...normalised, task_id: about.task_id }, about.request, about.message_id);
  return { taken: result_id };
}

interface Answered {
  readonly request: QueuedRow | undefined;
  readonly task_id: string | null;
  readonly message_id: string | null;
}

/**
 * What a result from a file is about: the agent's open request for that task, whichever of its sessions took it; else the
 * task alone, or the message that was for this agent. A sentence when it is about nothing that is known here.
 */
async function whatItAnswers(
  change: Change,
  agent: AgentId,
  { task_id }: Pick<ResultEnvelope, 'task_id'>,
): Promise<Answered | string> {
  const members = await agentsOf(change.tx, change.team);
  if (!members.some((member) => member.agent_id === agent)) return `agent_id: nobody in the team is called ${agent}`;
  const open = await consumedRequests(change.tx, change.team, agent, ['result']).execute();
  const attribution = attribute(open, task_id);
  if (attribution.kind === 'ambiguous') {
    const candidates = attribution.candidates.map(({ message_id }) => message_id).join(', ');
    return `task_id: several requests for ${task_id} are open; write the message instead: ${candidates}`;
  }
  if (attribution.kind === 'answers') {
    const { request } = attribution;
    return { request, task_id: request.task_id, message_id: request.message_id };
  }
  if (await findTask(change.tx, change.team, task_id as TaskId))
    return { request: undefined, task_id, message_id: null };
  const message = await findMessage(change.tx, task_id as MessageId);
  const recipients = message?.team === change.team ? await deliveriesOf(change.tx, task_id as MessageId) : [];
  if (message && recipients.some(({ recipient }) => recipient === agent))
    return { request: undefined, task_id: message.task_id, message_id: message.message_id };
  return `task_id: no task is called ${task_id}, and no message to ${agent} is`;
}

/** Keeps what is no result, once, with the agent and the task that it names as far as that can be read. */
async function keepInvalid(change: Change, given: unknown, path: string, error: string): Promise<InvalidResult> {
  const agent_id = readable(given, 'agent_id');
  const task_id = readable(given, 'task_id');
  if (agent_id === null) return { result_id: null, path, task_id, agent_id, error };
  const result_id = resultOfContent(change.team, 'invalid', JSON.stringify(given));
  if (!(await findResult(change.tx, result_id))) {
    await insertResult(change, {
      result_id,
      agent_id,
      incarnation: null,
      task_id,
      message_id: null,
      status: 'partial',
      summary: readable(given, 'summary') ?? '',
      envelope: JSON.stringify({ path, given }),
      unattributed: 1,
      source: 'file',
      error,
    });
    await change.event('result.invalid', { result_id, agent_id, task_id });
  }
  return { result_id, path, task_id, agent_id, error };
}

/** One line of a field, where there is one. */
function readable(given: unknown, name: 'agent_id' | 'task_id' | 'summary'): string | null {
  const value: unknown = typeof given === 'object' && given !== null ? Reflect.get(given, name) : undefined;
  return typeof value === 'string' && value.trim() !== '' ? firstLine(value, 128) : null;
}
