import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ask, type Delivery, lifeOf, reached } from '../tmux/journey.ts';
import { modelOf, post, takenBy } from './crash-stage.ts';
import { press, shownBy } from './person.ts';
import { call, whyWhen } from './stage.ts';
import type { RealProduct } from './world/real-product.ts';

/*
 * A person changes the conversation of an agent in its own terminal, and what the product makes of it.
 */

/** Types words into the composer of an agent and sends them, once they stand there. */
export async function types(product: RealProduct, agent: string, words: string): Promise<void> {
  press(product, agent, '-l', words);
  await eventually(`${words} to stand in the composer`, () => shownBy(product, agent).includes(words));
  press(product, agent, 'Enter');
}

/** Waits until its terminal shows something. */
export function shows(product: RealProduct, agent: string, what: RegExp): Promise<unknown> {
  return eventually(`${agent} to show ${what}`, () => what.test(shownBy(product, agent)));
}

export interface Session {
  readonly session_id: string;
  readonly record: string;
  readonly closed_at: number | null;
}

/** The sessions of an agent's present life, oldest first. */
export function sessionsOf(product: RealProduct, agent: string): readonly Session[] {
  const { incarnation } = lifeOf(product, agent);
  const rows = product.rows(
    `select session_id, record, closed_at from sessions where incarnation = '${incarnation}' order by opened_at`,
  );
  return rows.map(({ session_id, record, closed_at }) => ({
    session_id: String(session_id),
    record: String(record),
    closed_at: closed_at === null ? null : Number(closed_at),
  }));
}

/** The session that the ledger says it works on. */
export function sessionOf(product: RealProduct, agent: string): Session {
  const open = sessionsOf(product, agent).filter(({ closed_at }) => closed_at === null);
  expect(open).toHaveLength(1);
  const [session] = open;
  if (!session) throw new Error(`${agent} has no session`);
  return session;
}

/** Waits until the ledger knows that an agent works on another session than `before`, and that its leader was told once. */
export async function movedFrom(product: RealProduct, agent: string, before: string): Promise<Session> {
  const moved = await eventually(`${agent} to be followed from ${before}`, () => {
    const now = sessionsOf(product, agent).find(({ closed_at }) => closed_at === null);
    return now && now.session_id !== before ? now : undefined;
  });
  await eventually('its leader to be told', () => toldOf(product, agent, moved.session_id).length > 0);
  return moved;
}

/** What the leader was told about a session of an agent. */
export function toldOf(product: RealProduct, agent: string, words: string): readonly string[] {
  const rows = product.rows("select body from messages where sender = 'team-agent' order by seq");
  return rows.map(({ body }) => String(body)).filter((body) => body.startsWith(`${agent}: `) && body.includes(words));
}

/** Lets an agent work on `text` until the gate that this returns is released. */
export async function worksOn(product: RealProduct, agent: string, text: string) {
  const gate = modelOf(product, agent).holdAnswers(({ prompt }) => prompt === text);
  await reached(product, await post(product, agent, text));
  await eventually(`${agent} to work`, () => asked(product, agent, text) > 0);
  await whyWhen(product, agent, 'working');
  return gate;
}

/** How many turns of its model began with exactly this text. */
export const asked = (product: RealProduct, agent: string, text: string): number =>
  modelOf(product, agent).turns.filter(({ prompt, results }) => prompt === text && results.length === 0).length;

/** Consumed, in one turn of the model, and once in all records of the agent. */
export async function readOnce(product: RealProduct, agent: string, message: string, text: string): Promise<Delivery> {
  const [delivery] = await reached(product, message, ['consumed', 'answered']);
  if (!delivery) throw new Error('no delivery');
  await eventually(`the model to have answered ${text}`, () => asked(product, agent, text) > 0);
  await whyWhen(product, agent, 'idle');
  expect(asked(product, agent, text), text).toBe(1);
  expect(takenBy(product, agent).filter((taken) => taken === delivery.delivery_id)).toHaveLength(1);
  return delivery;
}

/** The texts in the order in which the model of an agent was first asked with them. */
export function orderOf(product: RealProduct, agent: string, texts: readonly string[]): readonly string[] {
  const prompts = modelOf(product, agent).turns.map(({ prompt }) => prompt);
  return [...new Set(prompts.filter((prompt) => texts.includes(prompt)))];
}

/** A request for a result that an agent has read and not answered. */
export async function openRequest(product: RealProduct, agent: string, text: string, ...flags: string[]) {
  const sent = await ask(product, 'send', agent, text, '--expects', 'result', ...flags);
  await reached(product, sent.message_id);
  await whyWhen(product, agent, 'idle');
  return sent.message_id;
}

/** What somebody reports under its own name, when it is asked to. */
export const report = (summary: string, task?: string): string =>
  `report ${call('report_result', { summary, ...(task === undefined ? {} : { task }) })} [[say REPORTED]]`;

/** The result that says `summary`, when there is one. */
export async function resultOf(product: RealProduct, summary: string) {
  return (await ask(product, 'results')).results.find((result) => result.summary === summary);
}
