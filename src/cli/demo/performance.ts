import fs from 'node:fs';
import { childEnvironment } from '../../kernel/environment.ts';
import { mint } from '../../kernel/ids.ts';
import { isRefusal, type Refusal, refuse } from '../../kernel/reasons.ts';
import type { DeliveryAnswer, ResultAnswer } from '../answers/index.ts';
import { callIn } from '../calling.ts';
import type { Context } from '../context.ts';
import { Follower } from './following.ts';
import { type Half, numbersOf } from './numbers.ts';
import { type Stage, TEAM } from './stage.ts';
import { ACTORS, type Story } from './story.ts';
import type { View } from './view.ts';

/** What came out of it. */
export interface Played {
  readonly story: Story;
  readonly results: readonly ResultAnswer[];
  readonly halves: readonly Half[];
  readonly deliveries: readonly DeliveryAnswer[];
  /** Receipts that were looked up in the recipient's own record, and how many of them stand there. */
  readonly receipts: { readonly looked: number; readonly found: number };
}

/** The task that the planner is given. */
const TASK = 'survey';
/** Longest time for the whole job, s: a folder with thousands of files takes a few seconds to read. */
const PATIENCE = 120;

/** Starts the team, gives the planner its task, waits for the result and takes the leader's mail. */
export async function perform(context: Context, stage: Stage, folder: string, view: View): Promise<Played | Refusal> {
  const { workspace } = stage;
  const signal = context.interrupted;
  view.phase('starting three agents in tmux');
  const environment = childEnvironment(context.environment);
  const started = await callIn(workspace, 'quick-start', { folder: stage.documents, environment }, signal);
  if (isRefusal(started)) return started;
  view.phase(`surveying ${folder}`);
  const follower = new Follower(workspace, view);
  await follower.start();
  const text = `Survey the source files of ${folder}: split the work between ann and bob, and report what they found.`;
  const letter = { message_id: mint.message(), to: ['planner'], text, task: TASK, expects: 'result', team: TEAM };
  const sent = await callIn(workspace, 'send', letter, signal);
  if (isRefusal(sent)) return sent;
  const awaited = await callIn(workspace, 'wait', { task: TASK, timeout_s: PATIENCE, team: TEAM }, signal);
  if (isRefusal(awaited)) return awaited;
  const taken = await callIn(workspace, 'inbox-take', { agent: 'leader', team: TEAM }, signal);
  if (isRefusal(taken)) return taken;
  await follower.stop();
  return gather(workspace, follower.story);
}

async function gather(workspace: string, story: Story): Promise<Played | Refusal> {
  const answer = await callIn(workspace, 'results', { team: TEAM });
  if (isRefusal(answer)) return answer;
  const sent = await callIn(workspace, 'deliveries', { team: TEAM, limit: 200 });
  if (isRefusal(sent)) return sent;
  const { results } = answer;
  const missing = ACTORS.filter(
    (id) => !results.some((result) => result.agent_id === id && result.status === 'success'),
  );
  if (missing.length > 0) return notReported(missing, results);
  const halves = results.filter((result) => result.agent_id !== 'planner').flatMap((result) => numbersOf(result) ?? []);
  const order = halves.sort((one, other) => (one.who < other.who ? -1 : 1));
  return { story, results, halves: order, deliveries: sent.deliveries, receipts: lookUp(sent.deliveries) };
}

function notReported(missing: readonly string[], results: readonly ResultAnswer[]): Refusal {
  const told = results
    .filter((result) => result.status !== 'success')
    .map((result) => `${result.agent_id}: ${result.summary}`);
  return refuse('internal_error', [`${missing.join(', ')} reported no success.`, ...told].join('\n'), {
    next: ['team-agent demo --json'],
  });
}

/** A receipt names a place in a record: this opens the record there and looks for the delivery. */
function lookUp(deliveries: readonly DeliveryAnswer[]): Played['receipts'] {
  const placed = deliveries.flatMap(({ delivery_id, receipt }) =>
    receipt?.file === undefined ? [] : [{ delivery_id, file: receipt.file, offset: receipt.offset ?? 0 }],
  );
  const found = placed.filter(({ delivery_id, file, offset }) => {
    const line = fs.readFileSync(file).subarray(offset).toString('utf8').split('\n', 1)[0] ?? '';
    return line.includes(delivery_id);
  });
  return { looked: placed.length, found: found.length };
}
