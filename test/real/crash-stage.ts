import fs from 'node:fs';
import { expect } from 'vitest';
import { type Boundary, identifyProcess, type ProcessIdentity, probeProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import type { Product } from '../support/product.ts';
import { ask, type Delivery, lifeOf, reached, tmux } from '../tmux/journey.ts';
import { speakTo } from './codex-stage.ts';
import { leaderOf, paneOf } from './stage.ts';
import type { RealProduct } from './world/real-product.ts';

/** A boundary, or its N-th time. */
export type Moment = Boundary | `${Boundary}#${number}`;

/** The coordinator that runs ends in order, the agents live on, and another one takes its place that has this environment. */
async function replaceCoordinator(product: Product, environment: NodeJS.ProcessEnv): Promise<ProcessIdentity> {
  await stopCoordinator(product);
  // Each of them is a new beginning: none is left down because of those before it.
  fs.rmSync(product.paths.revivals, { force: true });
  return startCoordinator(product, environment);
}

export async function stopCoordinator(product: Product): Promise<void> {
  expect(await product.json(['coordinator', 'stop'])).toMatchObject({ ok: true });
  await eventually('the coordinator to be gone', () => product.coordinator() === undefined);
}

export async function startCoordinator(
  product: Product,
  environment: NodeJS.ProcessEnv = {},
): Promise<ProcessIdentity> {
  expect(await product.json(['coordinator', 'start'], { environment })).toMatchObject({ ok: true });
  const now = product.coordinator();
  if (!now) throw new Error('no coordinator lives');
  return now;
}

/** The coordinator that runs will kill itself at `moment`. */
export const crashingAt = (product: Product, moment: Moment): Promise<ProcessIdentity> =>
  replaceCoordinator(product, { TEAM_AGENT_CRASH_AT: moment });

/** Waits until `before` has killed itself and tmux has brought another coordinator. Nobody types anything. */
export async function crashedAndRevived(product: Product, before: ProcessIdentity): Promise<void> {
  await eventually('the coordinator to kill itself', () => probeProcess(before) === 'dead');
  const now = await product.revived(before);
  expect(fs.readFileSync(`/proc/${now.pid}/environ`, 'utf8')).not.toContain('TEAM_AGENT_CRASH_AT');
}

/** Sends without waiting; a sender whose coordinator died over it was told that the message is stored. */
export async function post(product: Product, agent: string, body: string, ...flags: string[]): Promise<string> {
  const sent = await ask(product, 'send', agent, body, ...(flags.length > 0 ? flags : ['--expects', 'nothing']));
  if (!sent.ok) throw new Error(`send: ${JSON.stringify(sent)}`);
  return sent.message_id;
}

/** The model of an agent, or of a CLI by its name: those of Claude Code begin with `cl`. */
export const modelOf = (product: RealProduct, agent: string) =>
  agent.startsWith('cl') ? product.anthropic : product.openai;

/** The ids of the deliveries that an agent's own record holds as its input, in their order. */
export function takenBy(product: Product, agent: string): readonly string[] {
  const records = product.rows(`select distinct record from sessions where agent_id = '${agent}' order by opened_at`);
  return records
    .map(({ record }) => String(record))
    .filter((record) => fs.existsSync(record)) // Codex writes none before the first turn
    .flatMap((record) => fs.readFileSync(record, 'utf8').split('\n'))
    .filter((line) => line !== '')
    .flatMap((line) => inputOf(JSON.parse(line)))
    .flatMap((text) => [...text.matchAll(/^\[team message (\S+) /gm)].map(([, delivery = '']) => delivery));
}

interface NativeLine {
  readonly type: string;
  readonly message?: { readonly content: Content };
  readonly attachment?: { readonly type: string; readonly prompt?: Content };
  readonly payload?: { readonly type: string; readonly item?: { readonly type: string; readonly content?: Content } };
}
type Content = string | readonly { readonly type: string; readonly text?: string }[];

/** What a line of Claude Code's transcript or of Codex's rollout says that a user put in. */
function inputOf({ type, message, attachment, payload }: NativeLine): readonly string[] {
  if (type === 'user') return textsOf(message?.content);
  if (attachment?.type === 'queued_command') return textsOf(attachment.prompt);
  return payload?.type === 'item_completed' && payload.item?.type === 'UserMessage'
    ? textsOf(payload.item.content)
    : [];
}

function textsOf(content: Content = []): readonly string[] {
  if (typeof content === 'string') return [content];
  return content.flatMap(({ type, text }) => (type === 'text' && text !== undefined ? [text] : []));
}

/** Waits for the receipt, then: its own record holds it once, and its model was asked about it in one turn. */
export async function takenOnce(product: RealProduct, agent: string, message: string, body: string): Promise<Delivery> {
  const [delivery] = await reached(product, message, ['consumed', 'answered']);
  if (!delivery) throw new Error('no delivery');
  const model = modelOf(product, agent);
  await eventually(`the model to have answered ${body}`, () => model.requestWith(body)?.outcome === 'answered');
  expect(takenBy(product, agent).filter((taken) => taken === delivery.delivery_id)).toHaveLength(1);
  expect(model.turns.filter(({ prompt }) => prompt.includes(body))).toHaveLength(1);
  const offers = product.rows(
    `select outcome from offers where delivery_id = '${delivery.delivery_id}' order by number`,
  );
  const refused = Array.from({ length: delivery.attempts - 1 }, () => 'not_taken');
  expect(offers.map(({ outcome }) => outcome)).toEqual([...refused, 'taken']);
  return delivery;
}

/** A person types a prompt into the pane of an idle agent; resolves when its model was asked. */
export async function typedTurn(product: RealProduct, agent: string, prompt: string): Promise<void> {
  const pane = paneOf(product, agent);
  tmux(product, 'send-keys', '-t', pane, '-l', prompt);
  // An Enter that comes along with the words is part of what was pasted.
  await eventually('it to stand in the composer', () =>
    tmux(product, 'capture-pane', '-pJ', '-t', pane).includes(prompt),
  );
  tmux(product, 'send-keys', '-t', pane, 'Enter');
  await eventually('its model to be asked', () => modelOf(product, agent).requestWith(prompt) !== undefined);
}

/** Waits until a process has stopped itself, and returns what lets it go on. */
async function frozen({ pid }: ProcessIdentity): Promise<() => void> {
  const state = () => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.[0];
  await eventually('the process to be frozen', () => state() === 'T');
  return () => process.kill(pid, 'SIGCONT');
}

/** A message whose offer is committed, and not handed over before `goOn` is called: its coordinator stands still. */
export async function offeredAndFrozen(product: RealProduct, agent: string, body: string, crash?: Moment) {
  const crashing = crash === undefined ? {} : { TEAM_AGENT_CRASH_AT: crash };
  const coordinator = await replaceCoordinator(product, { TEAM_AGENT_FREEZE_AT: 'offer.committed', ...crashing });
  const posted = post(product, agent, body);
  posted.catch(() => undefined); // told where it is awaited, unless something else fails before
  return { coordinator, posted, goOn: await frozen(coordinator) };
}

/**
 * A message that was offered to an idle agent and handed over just after a person had begun a turn: it comes to stand in the
 * CLI's own queue. Its model is held until the gate is released.
 */
export async function queuedBehind(product: RealProduct, agent: string, body: string, prompt: string, crash?: Moment) {
  const { coordinator, posted, goOn } = await offeredAndFrozen(product, agent, body, crash);
  const gate = modelOf(product, agent).holdAnswers((request) => request.prompt.includes(prompt));
  await typedTurn(product, agent, prompt);
  goOn();
  if (crash) await crashedAndRevived(product, coordinator);
  const message = await posted;
  const [delivery] = (await ask(product, 'deliveries', message)).deliveries;
  expect(delivery).toMatchObject({ state: 'submitted', attempts: 1 });
  const id = delivery?.delivery_id ?? '';
  await eventually("it to stand in the CLI's own queue", () => inOwnQueue(product, agent, id));
  expect(takenBy(product, agent)).not.toContain(id);
  return { message, id, gate };
}

/** What waits in the queue of an agent's own CLI holds `delivery`. */
async function inOwnQueue(product: Product, agent: string, delivery: string): Promise<boolean> {
  const { handle } = lifeOf(product, agent);
  if (agent.startsWith('cl')) {
    const lines = fs.readFileSync(handle.record, 'utf8').split('\n');
    return lines.some((line) => line.includes('"enqueue"') && line.includes(`[team message ${delivery} `));
  }
  const server = await speakTo(handle.socket ?? '');
  try {
    const queue = await server.call('thread/queue/list', { threadId: handle.session, cursor: null });
    return JSON.stringify(queue).includes(delivery);
  } finally {
    server.close();
  }
}

/** The processes of an agent's life. */
export function processesOf(product: Product, agent: string): readonly (ProcessIdentity | undefined)[] {
  const { process, view } = lifeOf(product, agent).handle;
  return [process, view?.process];
}

/** What its leader was told about an agent's newest life, by kind, in its order. */
export function toldAbout(product: Product, agent: string): readonly string[] {
  const lives = product.rows(
    `select incarnation from incarnations where agent_id = '${agent}' order by launched_at desc`,
  );
  const keys = product.rows("select dedupe_key as key from messages where sender = 'team-agent' order by seq");
  return keys
    .map(({ key }) => String(key))
    .filter((key) => key.includes(String(lives[0]?.incarnation)))
    .map((key) => key.split(':')[0] ?? '');
}

/** The turns in which a conversation that leads was told of a result that says `words`. */
export const turnsToldOf = (product: RealProduct, leader: 'claude' | 'codex', words: string) =>
  modelOf(product, leader).turns.filter(({ prompt }) => prompt.startsWith('Result r_') && prompt.includes(words));

/** The coordinator is killed while a conversation leads: the one after it knows who leads, and tells of a new result once. */
export async function leadsOnAfterCrash(product: RealProduct, leader: 'claude' | 'codex'): Promise<void> {
  const before = product.coordinator();
  if (!before) throw new Error('no coordinator lives');
  await product.killCoordinator();
  await product.revived(before);
  await ask(product, 'send', 'sam', '--task', 'after', 'after the crash', '--wait=result');
  const told = () => turnsToldOf(product, leader, 'after the crash');
  await eventually('the leader to be told', () => told().length > 0);
  await ask(product, 'wait', '--idle', '--timeout', '20');
  expect(told()).toHaveLength(1);
  expect((await leaderOf(product)).receiver).toBe(leader);
}

/** The processes that a process has started. */
export function childrenOf(parent: ProcessIdentity): readonly ProcessIdentity[] {
  const listed = fs.readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').trim();
  return listed.split(' ').flatMap((pid) => identifyProcess(Number(pid)) ?? []);
}
