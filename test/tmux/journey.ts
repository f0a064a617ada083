import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type CallToolResult, Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import {
  identifyProcess,
  type ProcessIdentity,
  probeProcess,
  readBytes,
  signalProcess,
} from '../../src/kernel/index.ts';
import type { AgentHandle } from '../../src/providers/index.ts';
import { parseRecordLine, type RecordLine, type UserLine } from '../../src/providers/scripted/record.ts';
import type { PaneHandle } from '../../src/tmux/index.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';
import type { Product } from '../support/product.ts';

/** What `deliveries --json` tells of one message to one recipient. */
export interface Delivery {
  readonly message_id: string;
  readonly delivery_id: string;
  readonly to: string;
  readonly state: string;
  readonly reason?: string;
  readonly channel?: string;
  readonly attempts: number;
  readonly receipt?: {
    readonly source: string;
    readonly file?: string;
    readonly offset?: number;
    readonly record_id?: string;
  };
}

export interface Mail {
  readonly message_id: string;
  readonly sender: string;
  readonly state: string;
  readonly reason?: string;
  readonly body: string;
  readonly task_id: string | null;
}

export interface Result {
  readonly result_id: string;
  readonly task_id: string | null;
  readonly message_id: string | null;
  readonly agent_id: string;
  readonly status: string;
  readonly summary: string;
  readonly unattributed?: boolean;
}

/** A JSON answer of the command, as far as journeys look at it. */
export interface Answer {
  readonly code: number | null;
  readonly ok: boolean;
  readonly reason?: string;
  readonly message?: string;
  readonly next?: readonly string[];
  readonly evidence?: Readonly<Record<string, unknown>>;
  readonly message_id: string;
  readonly to: readonly string[];
  readonly deliveries: readonly Delivery[];
  readonly messages: readonly Mail[];
  readonly results: readonly Result[];
}

/** Consumes everything, reports nothing. */
export const LISTENER = 'otherwise: [{ say: "heard" }]\n';
/** A paste agent that consumes everything and reports nothing. */
export const PASTE_LISTENER = `channel: paste\n${LISTENER}`;
/** Runs what a message says behind `run:` in its own pane, and reports what came out. */
export const RUNNER = `rules:
  - match: '^run: ([\\s\\S]*)'
    do:
      - run: "sh -c {{1}}"
      - report: { summary: "{{exit}}|{{output}}" }
otherwise: [{ say: "heard" }]
`;

/** The command with `--json`. */
export function ask(product: Product, ...args: readonly string[]): Promise<Answer> {
  return product.json<Answer>(args);
}

/** Starts a team and fails with all that was said when it does not start. */
export async function start(product: Product, folder: string, ...flags: readonly string[]): Promise<void> {
  const answer = await ask(product, 'quick-start', folder, ...flags);
  if (!answer.ok) throw new Error(`quick-start: ${answer.message} ${JSON.stringify(answer.evidence)}`);
}

/** The deliveries of a message once all of them are in one of `states`. */
export function reached(
  product: Product,
  message: string,
  states: readonly string[] = ['consumed'],
): Promise<readonly Delivery[]> {
  return eventually(`${message} to be ${states.join(' or ')}`, async () => {
    const { deliveries } = await ask(product, 'deliveries', message);
    return deliveries.every((delivery) => states.includes(delivery.state)) ? deliveries : undefined;
  });
}

/** Sends and waits for the receipt. */
export async function deliver(product: Product, to: string, text: string, ...flags: string[]): Promise<Delivery> {
  const sent = await ask(product, 'send', '--wait=consumed', '--timeout', '60', ...flags, '--', to, text);
  const [delivery] = sent.deliveries;
  if (!sent.ok || !delivery) throw new Error(`send: ${JSON.stringify(sent)}`);
  return delivery;
}

/** Everything an agent's newest record holds. */
export function recordOf(product: Product, agent: string): readonly RecordLine[] {
  const [row] = product.rows(`select record from sessions where agent_id = '${agent}' order by opened_at desc`);
  const text = fs.readFileSync(String(row?.record), 'utf8');
  return text.split('\n').flatMap((line) => parseRecordLine(line) ?? []);
}

/** What an agent took as input, in order. */
export function inputsOf(product: Product, agent: string): readonly UserLine[] {
  return recordOf(product, agent).flatMap((line) => (line.type === 'user' ? [line] : []));
}

/** The text between the fences of a rendered message. */
export function bodyOf(text: string): string {
  const [, fence = ''] = text.split('\n');
  return text.slice(text.indexOf(`${fence}\n`) + fence.length + 1, text.lastIndexOf(`\n${fence} end`));
}

/** The one line of a receipt, read at the offset that it states. */
export function lineAt(receipt: NonNullable<Delivery['receipt']>): string {
  const file = receipt.file ?? '';
  const bytes = readBytes(file, receipt.offset ?? 0, fs.statSync(file).size);
  return bytes.subarray(0, bytes.indexOf(0x0a)).toString('utf8');
}

export interface Life {
  readonly incarnation: string;
  readonly handle: AgentHandle & { readonly pane: PaneHandle };
  readonly token: string;
}

/** An agent's present life: its pane and its token. */
export function lifeOf(product: Product, agent: string): Life {
  const [row] = product.rows(
    `select incarnation, handle from incarnations where agent_id = '${agent}' and ended_at is null`,
  );
  if (!row) throw new Error(`${agent} does not live`);
  const incarnation = String(row.incarnation);
  const token = fs.readFileSync(path.join(product.paths.run, 'agents', incarnation, 'token'), 'utf8').trim();
  return { incarnation, handle: JSON.parse(String(row.handle)), token };
}

/** The agent's own process, below the wrapper in its pane. */
export function programOf(product: Product, agent: string): ProcessIdentity {
  const session = recordOf(product, agent)
    .flatMap((line) => (line.type === 'session' ? [line] : []))
    .at(-1);
  if (!session) throw new Error(`${agent} has no session`);
  return { pid: session.pid, start: session.start };
}

/** tmux, on the team's own server. */
export function tmux(product: Product, ...args: readonly string[]): string {
  return execFileSync('tmux', ['-S', product.paths.tmux, ...args], { encoding: 'utf8' });
}

/**
 * The machine goes down: the team's tmux server, the coordinator and these, by recorded process. All in one moment, the
 * server first: it would revive a coordinator, which would write down the ends of the others.
 */
export async function powerOff(product: Product, others: readonly ProcessIdentity[]): Promise<void> {
  const server = identifyProcess(Number(tmux(product, 'display-message', '-p', '#{pid}')));
  const all = [server, product.coordinator(), ...others].filter((one) => one !== undefined);
  for (const one of all) signalProcess(one, 'SIGKILL');
  await eventually('everything to end', () => all.every((one) => probeProcess(one) === 'dead'));
}

/** What an agent's pane shows, wrapped lines joined. */
export function screenOf(product: Product, agent: string): string {
  return tmux(product, 'capture-pane', '-p', '-J', '-t', lifeOf(product, agent).handle.pane.pane);
}

/** Where agents find the team's tools. */
export function toolsUrl(product: Product): string {
  const { port }: { port: number } = JSON.parse(fs.readFileSync(product.paths.pointer, 'utf8'));
  return `http://127.0.0.1:${port}/mcp`;
}

/** The official client with an agent's token. */
export async function toolClient(
  product: Product,
  token: string,
  mode: 'legacy' | 'auto' = 'legacy',
): Promise<{ client: Client; close: () => Promise<void> }> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const headers = { authorization: `Bearer ${token}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(toolsUrl(product)), { requestInit: { headers } }));
  return { client, close: () => client.close() };
}

/** One tool call as an agent, and the JSON it was answered with. */
export async function callTool(
  product: Product,
  agent: string,
  name: string,
  args: Record<string, unknown>,
  meta?: Record<string, unknown>,
): Promise<Answer & Result & { readonly body?: string; readonly isError: boolean }> {
  const { client, close } = await toolClient(product, lifeOf(product, agent).token);
  try {
    return toolAnswer(await client.callTool({ name, arguments: args, ...(meta ? { _meta: meta } : {}) }));
  } finally {
    await close();
  }
}

export function toolAnswer(result: CallToolResult): Answer & Result & { body?: string; isError: boolean } {
  const [part] = result.content;
  if (part?.type !== 'text') throw new Error(`no text: ${JSON.stringify(result)}`);
  return { ...JSON.parse(part.text), isError: result.isError === true };
}

/** A PATH with everything that the command needs but tmux, or with a tmux of the test's own. */
export function pathWith(tmuxScript?: string): string {
  const folder = freshFolder('path');
  const tools = ['sh', 'node', 'readlink', 'find', 'dirname', 'cat', 'sed', 'date', 'mv', 'ps', 'env'];
  for (const tool of tools) {
    const found = execFileSync('sh', ['-c', `command -v ${tool} || true`], { encoding: 'utf8' }).trim();
    if (found.startsWith('/')) fs.symlinkSync(found, path.join(folder, tool));
  }
  if (tmuxScript) fs.writeFileSync(path.join(folder, 'tmux'), tmuxScript, { mode: 0o755 });
  return folder;
}
