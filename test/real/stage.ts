import fs from 'node:fs';
import { readBytes } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import type { Product } from '../support/product.ts';
import { type Answer, type Delivery, lifeOf } from '../tmux/journey.ts';
import type { RealProduct } from './world/real-product.ts';

/** What `quick-start --json` tells of a team that is up. */
export interface Started extends Answer {
  readonly agents: readonly {
    readonly agent_id: string;
    readonly state: string;
    readonly session_id: string;
    readonly ready_ms: number;
  }[];
  readonly warnings: readonly string[];
  readonly leader: { readonly identity: object | null; readonly epoch: number; readonly receiver: string };
}

/** Starts a team and fails with all that was said when it does not start. */
export async function quickStart(product: RealProduct, folder: string, ...flags: string[]): Promise<Started> {
  const answer = await product.json<Started>(['quick-start', folder, ...flags]);
  if (!answer.ok) throw new Error(`quick-start: ${answer.message} ${JSON.stringify(answer.evidence)}`);
  return answer;
}

/** Starts a team of two with plain documents: `claire` is a Claude Code, `cody` a Codex. */
export function startPair(product: RealProduct): Promise<Started> {
  const folder = product.writeTeam('pair', [
    { id: 'claire', provider: 'claude' },
    { id: 'cody', provider: 'codex' },
  ]);
  return quickStart(product, folder);
}

/** Who leads, as `status` tells it. */
export async function leaderOf(product: Product): Promise<Started['leader']> {
  return (await product.json<Pick<Started, 'leader'>>(['status'])).leader;
}

/** What `why AGENT` tells of its state. */
export interface Why extends Answer {
  readonly state: string;
  readonly source: string;
  /** Why that state, in words. */
  readonly because: string;
}

export async function why(product: Product, agent: string): Promise<Why> {
  const answer = await product.json<Omit<Why, 'because' | 'evidence'> & { evidence: readonly string[] }>([
    'why',
    agent,
  ]);
  return { ...answer, evidence: {}, because: answer.evidence.join('; ') };
}

/** The state of an agent once it is `state`, for a reason that matches. */
export function whyWhen(product: Product, agent: string, state: string, because = /./): Promise<Why> {
  return eventually(`${agent} to be ${state} because of ${because}`, async () => {
    const answer = await why(product, agent);
    return answer.state === state && because.test(answer.because) ? answer : undefined;
  });
}

/** The pane in which a person sees an agent. */
export function paneOf(product: Product, agent: string): string {
  const { handle } = lifeOf(product, agent);
  return (handle.view ?? handle.pane).pane;
}

/** The line of a recipient's own record that a receipt names: by its offset, or by the id of the delivery. */
export function lineOfReceipt({ receipt, delivery_id }: Delivery): string | undefined {
  const file = receipt?.file ?? '';
  const text = readBytes(file, receipt?.offset ?? 0, fs.statSync(file).size).toString('utf8');
  const lines = text.split('\n');
  return receipt?.offset === undefined ? lines.find((line) => line.includes(delivery_id)) : lines[0];
}

/**
 * A directive that calls one of our tools. What stands in its texts may hold directives for whoever reads them later: their
 * brackets and braces are written as JSON escapes, so that only this directive is seen now. One level of that: Claude Code
 * turns such escapes in the input of its tools into what they stand for.
 */
export function call(tool: string, input: Readonly<Record<string, unknown>>): string {
  const hidden = JSON.stringify(input, (_key, value: unknown) =>
    typeof value === 'string' ? value.replace(/[[\]{}]/g, (mark) => HIDDEN[mark] ?? mark) : value,
  );
  return `[[team ${tool} ${hidden.replace(/[\uE000-\uE003]/g, (mark) => ESCAPED[mark] ?? mark)}]]`;
}

const HIDDEN: Readonly<Record<string, string>> = { '[': '\uE000', ']': '\uE001', '{': '\uE002', '}': '\uE003' };
const ESCAPED: Readonly<Record<string, string>> = {
  '\uE000': '\\u005b',
  '\uE001': '\\u005d',
  '\uE002': '\\u007b',
  '\uE003': '\\u007d',
};
