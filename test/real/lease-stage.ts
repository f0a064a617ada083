import { expect } from 'vitest';
import { shellWord, signalProcess } from '../../src/kernel/index.ts';
import type { AgentHandle } from '../../src/providers/index.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, ask } from '../tmux/journey.ts';
import { modelOf } from './crash-stage.ts';
import { leaderOf } from './stage.ts';
import { TEAM_AGENT, UserTerminal } from './user-terminal.ts';
import type { RealProduct } from './world/real-product.ts';

/*
 * Several terminals of one person, a conversation in each, and who of them leads.
 */

export type Cli = 'claude' | 'codex';

/** A Claude Code as a person starts it, that may run shell commands. */
export const CLAUDE = ['claude', '--permission-mode', 'manual', '--allowedTools', 'Bash'] as const;

/** What a verb about the lead answers. */
export interface Lead extends Answer {
  readonly status?: string;
  readonly team?: string;
  readonly owner_epoch?: number;
  readonly waiting?: number;
  readonly perhaps_seen?: readonly string[];
  readonly inbox_hint?: { readonly command: string };
  readonly held?: { readonly hold: string };
  readonly previous?: { readonly provider: string } | null;
}

/** The terminals of a person; each is a tmux server of its own, with the pane `%0`. */
export class Terminals {
  readonly #product: RealProduct;
  readonly #open: UserTerminal[] = [];

  constructor(product: RealProduct) {
    this.#product = product;
  }

  /** Another terminal, with a program in it. */
  run(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): UserTerminal {
    const terminal = new UserTerminal(this.#product);
    this.#open.push(terminal);
    terminal.run(argv, environment);
    return terminal;
  }

  /** A Claude Code that says `ready`, behind a shell: tmux wakes its own children when somebody stops them. */
  async claude(...words: readonly string[]): Promise<UserTerminal> {
    const command = [...CLAUDE, ...words, '--', 'hello [[say READY]]'].map(shellWord).join(' ');
    const terminal = this.run(['sh', '-c', `${command}; exit`]);
    await terminal.shows(/^● READY/m);
    return terminal;
  }

  async end(): Promise<void> {
    for (const terminal of this.#open) await terminal.end();
  }
}

let asked = 0;

/** Lets a conversation run our command in its own shell, and returns what that said. */
export async function runsIn(product: RealProduct, cli: Cli, terminal: UserTerminal, words: string): Promise<Lead> {
  asked += 1;
  const done = `RAN-${asked}`;
  const shell = cli === 'claude' ? 'shell' : 'escalate';
  await terminal.type(`[[${shell} ${TEAM_AGENT} --json ${words}]] [[say ${done}]]`);
  if (cli === 'codex') await terminal.letsCodexRun();
  await terminal.shows(new RegExp(`^${cli === 'claude' ? '●' : '•'} ${done}`, 'm'));
  const turn = modelOf(product, cli).turns.findLast(
    ({ results, prompt }) => prompt.includes(done) && results.length > 0,
  );
  const said = turn?.results.at(-1) ?? '';
  return JSON.parse(said.slice(said.indexOf('{'), said.lastIndexOf('}') + 1));
}

/** How a conversation was stored that has not ended, by its incarnation. */
export function handleOf(product: RealProduct, incarnation: unknown): AgentHandle {
  const [row] = product.rows(`select handle from leaders where incarnation = '${incarnation}'`);
  return JSON.parse(String(row?.handle));
}

/** The conversation that the lease names. */
export function holderOf(product: RealProduct): AgentHandle {
  return handleOf(product, product.rows('select receiver from leases')[0]?.receiver);
}

/** Ends the conversation that leads as `kill -9` does. */
export async function killLeader(product: RealProduct): Promise<void> {
  const { process, terminal } = holderOf(product);
  signalProcess(terminal ?? process, 'SIGKILL');
  await eventually('the mailbox to take over', async () => (await leaderOf(product)).receiver === 'mailbox');
}

/** Gives `sam` a task and waits for its result, which the leader is to be told of. */
export async function work(product: RealProduct, task: string): Promise<void> {
  await ask(product, 'send', 'sam', '--task', task, `do ${task}`);
  await ask(product, 'wait', '--task', task, '--timeout', '20');
}

/** How often the sessions of a CLI hold the result of a task, each as its model was shown it last. */
function shown(product: RealProduct, cli: Cli, task: string): number {
  const newest = new Map(modelOf(product, cli).turns.map(({ session, history }) => [session, history]));
  // What the model said itself may repeat it.
  const put = [...newest.values()].flatMap((history) => history.filter(({ kind }) => kind !== 'answer'));
  const texts = put.map(({ text }) => text);
  return texts.reduce((sum, text) => sum + text.split(` for task ${task}: `).length - 1, 0);
}

/** Waits until a leader of this CLI was told of the results, in this order, and expects that each was told once anywhere. */
export async function toldOnce(product: RealProduct, cli: Cli, ...tasks: readonly string[]): Promise<void> {
  const other = cli === 'claude' ? 'codex' : 'claude';
  for (const task of tasks) {
    await eventually(`${cli} to be told of ${task}`, () => shown(product, cli, task) > 0);
  }
  const toLeader = async () => (await ask(product, 'deliveries')).deliveries.filter(({ to }) => to === 'leader');
  // What was taken back (that nobody leads, when somebody does) waits no more either.
  const over = ({ state }: { readonly state: string }) => state === 'consumed' || state === 'cancelled';
  await eventually('nothing to wait', async () => (await toLeader()).every(over));
  for (const task of tasks) expect([shown(product, cli, task), shown(product, other, task)], task).toEqual([1, 0]);
  const everything = modelOf(product, cli)
    .turns.flatMap(({ history }) => history.map(({ text }) => text))
    .join('\n');
  const places = tasks.map((task) => everything.indexOf(` for task ${task}: `));
  expect(places).toEqual([...places].sort((one, another) => one - another));
}

/** What the events say about the lead, oldest first. */
export function leadEvents(product: RealProduct): readonly { readonly type: string; readonly reason: string }[] {
  return product
    .rows("select type, data from events where type like 'leader.%' order by team, seq")
    .map(({ type, data }) => ({ type: String(type), reason: String(JSON.parse(String(data)).reason) }));
}
