import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callVerb } from '../support/calls.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';
import { Product } from '../support/product.ts';
import { BIN, conversationInPane, type InPane, StandIn } from './conversations.ts';
import { type Answer, ask, LISTENER, lifeOf, start } from './journey.ts';

/** What becomes of a conversation that led, and of one that would like to: nobody loses or gets the lead by accident. */

let product: Product;
let config: string;
let docs: string;
const conversations: { end(): unknown }[] = [];

beforeEach(() => {
  product = new Product();
  config = freshFolder('claude');
  docs = product.writeTeam('crew', [{ id: 'w', script: LISTENER }]);
});
afterEach(async () => {
  for (const one of conversations.splice(0)) await one.end();
  await product.end();
});

async function conversation(how: { folder?: string; session?: string } = {}): Promise<StandIn> {
  const one = await StandIn.begin(product, config, how);
  conversations.push(one);
  return one;
}

async function inPane(folder = config): Promise<InPane> {
  const one = await conversationInPane(product, folder);
  conversations.push(one);
  return one;
}

/** The process of whoever leads. */
async function leadingProcess(): Promise<number | undefined> {
  const { conversations } = await product.json<{ conversations: { pid: number; leads: string[] }[] }>(['leaders']);
  return conversations.find(({ leads }) => leads.length > 0)?.pid;
}

/** It works on something of its own from now on: its mail waits. */
function keepBusy(one: StandIn): void {
  const file = path.join(config, 'sessions', `${one.pid}.json`);
  const entry = { ...JSON.parse(fs.readFileSync(file, 'utf8')), status: 'busy', statusUpdatedAt: Date.now() };
  fs.writeFileSync(file, JSON.stringify(entry));
}

const states = () => product.rows('select recipient, state from deliveries order by seq');

test('D08 E08 a command of the leader before that waits for mail ends with who leads now, and takes none of its mail', async () => {
  const [first, second] = [await conversation(), await conversation()];
  await first.asks('quick-start', docs);
  keepBusy(second);
  const waiting = first.asks('wait', '--mail', '--timeout', '60');
  await eventually('it to wait', () => waitsInside(first.pid));
  expect(await second.asks('takeover', '--confirm')).toMatchObject({ ok: true, status: 'claimed' });
  const told = await waiting;
  expect(told).toMatchObject({ ok: false, reason: 'owner_epoch_advanced' });
  expect(told.message).toContain('claude conversation');
  expect(await ask(product, 'send', 'leader', 'for the new one')).toMatchObject({ ok: true });
  expect(await first.asks('inbox', 'leader', '--take')).toMatchObject({ ok: false, reason: 'owner_epoch_advanced' });
  expect(states()).toEqual([{ recipient: 'leader', state: 'queued' }]);
  expect(await second.asks('inbox', 'leader', '--take')).toMatchObject({ ok: true, taken: 1 });
});

/** Does a process run below this one? */
function waitsInside(pid: number): boolean {
  return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim() !== '';
}

test('D06 D08 nobody but the leader gives the lead up, and a person in a shell only with --confirm', async () => {
  const [first, second] = [await conversation(), await conversation()];
  await first.asks('quick-start', docs);
  for (const words of [['--release'], ['--release', '--confirm']])
    expect(await second.asks('claim-leader', ...words)).toMatchObject({ ok: false, reason: 'nobody_leads' });
  expect(await second.asks('claim-leader')).toMatchObject({ ok: false, reason: 'force_confirm_required' });
  const refused = await ask(product, 'claim-leader', '--release');
  expect(refused).toMatchObject({ code: 1, reason: 'force_confirm_required' });
  const [command = ''] = refused.next ?? [];
  expect(command).toContain('claim-leader --release --confirm');
  expect(await ask(product, ...wordsOf(command))).toMatchObject({ ok: true, status: 'released' });
  expect(await second.asks('claim-leader')).toMatchObject({ ok: true, reason: 'vacant_acquired' });
  expect(await second.asks('claim-leader', '--release')).toMatchObject({ ok: true, status: 'released' });
});

/** The words of one of our commands that was printed. */
const wordsOf = (command: string): string[] => command.split(' ').slice(1);

test('D09 Z56 the command that a refused attach-leader names points at the very same conversation', async () => {
  const [first, meant] = [await conversation(), await inPane()];
  await first.asks('quick-start', docs);
  await conversation();
  const environment = { ...meant.environment, CLAUDE_CONFIG_DIR: config };
  const refused = await product.json<Answer>(['attach-leader', '--pane', meant.pane], { environment });
  expect(refused).toMatchObject({ code: 1, reason: 'force_confirm_required' });
  const [command = ''] = refused.next ?? [];
  expect(command).toContain(`--pane ${meant.pane}`);
  const attached = await product.json<Answer>(wordsOf(command), { environment });
  expect(attached).toMatchObject({ ok: true, status: 'claimed', owner_epoch: 2 });
  expect(await leadingProcess()).toBe(meant.pid);
});

test('D13 a leader whose other team was shut down means the one that runs', async () => {
  const leader = await conversation();
  await leader.asks('quick-start', docs);
  expect(await leader.asks('shutdown')).toMatchObject({ ok: true });
  const other = product.writeTeam('other', [{ id: 'x', script: LISTENER }]);
  expect(await leader.asks('quick-start', other)).toMatchObject({ ok: true, leader: { receiver: 'claude' } });
  expect(await leader.asks('send', 'x', 'hello')).toMatchObject({ ok: true, team: 'other' });
  expect(await leader.asks('restart')).toMatchObject({ ok: true, team: 'crew', leader: { receiver: 'claude' } });
  expect(await leader.asks('send', 'x', 'hello')).toMatchObject({ ok: false, reason: 'team_ambiguous' });
});

test('D05 D07 whoever starts a team and does not lead it is told so, with why and with the command that helps', async () => {
  const [first, second] = [await conversation(), await conversation()];
  expect(await first.asks('quick-start', docs)).toMatchObject({ ok: true, warnings: [] });
  await first.asks('shutdown');
  const started = await second.asks('quick-start', docs);
  expect(started).toMatchObject({ ok: true, leader: { receiver: 'claude', epoch: 1 } });
  const [warning = ''] = warningsOf(started);
  expect(warning).toMatch(/^This conversation does not lead crew\. a claude conversation .* lives\./);
  const [, command = ''] = /Next: (.*)$/.exec(warning) ?? [];
  expect(await second.asks(...wordsOf(command))).toMatchObject({ ok: true, status: 'claimed', owner_epoch: 2 });
  await second.asks('shutdown');
  const again = await first.asks('restart');
  expect(warningsOf(again)).toEqual([expect.stringContaining('This conversation does not lead crew.')]);
  await second.asks('shutdown', '--team', 'crew');

  const thread = '01234567-89ab-7def-8123-456789abcdef';
  const codex = await product.json<Answer>(['restart'], { environment: { CODEX_THREAD_ID: thread } });
  expect(warningsOf(codex)).toEqual([expect.stringContaining(`codex resume ${thread}`)]);
  await ask(product, 'shutdown');
  const shell = await ask(product, 'restart');
  expect(warningsOf(shell)).toEqual([]);
});

const warningsOf = (answer: Answer): readonly string[] => (answer as Answer & { warnings: readonly string[] }).warnings;

test('D11 D12 the session of a living leader in a second terminal: it is told who was first, and the command that helps', async () => {
  const first = await conversation();
  await first.asks('quick-start', docs);
  const second = await conversation({ session: first.session });
  const refused = await second.asks('claim-leader');
  expect(refused).toMatchObject({ ok: false, reason: 'owner_epoch_advanced' });
  expect(refused.message).toContain('was first');
  const command = refused.next?.find((one) => one.includes('takeover')) ?? '';
  expect(await second.asks(...wordsOf(command))).toMatchObject({ ok: true, status: 'claimed', owner_epoch: 2 });
});

test('D09 a leader may point at a pane whose conversation keeps its registry elsewhere, and never at an agent', async () => {
  const first = await conversation();
  await first.asks('quick-start', docs);
  const elsewhere = await inPane(freshFolder('claude-elsewhere'));
  const { handle } = lifeOf(product, 'w');
  const refused = await product.json<Answer>(['attach-leader', '--confirm', '--pane', handle.pane.pane], {
    environment: { TMUX: `${product.paths.tmux},1,0`, CLAUDE_CONFIG_DIR: config },
  });
  expect(refused).toMatchObject({ ok: false, reason: 'worker_may_not', evidence: { agent: 'w', team: 'crew' } });
  const attached = await callVerb<Answer>(product, 'attach-leader', {
    confirm: true,
    pane: elsewhere.pane,
    tmux: elsewhere.environment.TMUX.split(',')[0],
    environment: { CLAUDE_CONFIG_DIR: config, TEAM_AGENT_TOKEN: 'of a leader that our launcher started' },
  });
  expect(attached).toMatchObject({ ok: true, status: 'claimed', owner_epoch: 2 });
  expect(await leadingProcess()).toBe(elsewhere.pid);
});

test('D09 D11 a leader that was attached from another folder leads on there when its session goes on', async () => {
  await start(product, docs);
  const folder = freshFolder('elsewhere');
  const there = ['--workspace', product.workspace];
  const first = await conversation({ folder });
  expect(await first.asks(...there, 'attach-leader')).toMatchObject({ ok: true, owner_epoch: 1 });
  await first.end();
  const second = await conversation({ folder, session: first.session });
  const answer = await second.asks(...there, 'claim-leader');
  expect(answer).toMatchObject({ ok: true, status: 'already_bound', owner_epoch: 1 });
  expect(await leadingProcess()).toBe(second.pid);
  expect(product.rows("select type from events where type = 'leader.refused'")).toEqual([]);
});

test('D05 Z56 a shell that outlived the leader whose token it has is told what helps, and that helps', async () => {
  await start(product, docs);
  const environment = { TEAM_AGENT_TOKEN: 'of-a-leader-that-ended', PATH: `${path.dirname(BIN)}:${process.env.PATH}` };
  const refused = await product.json<Answer>(['status'], { environment });
  expect(refused).toMatchObject({ ok: false, reason: 'untrusted_caller' });
  const command = refused.next?.[0]?.replace('team-agent', 'team-agent --json') ?? '';
  const env = { ...product.environment, ...environment };
  const said = execFileSync('sh', ['-c', command], { encoding: 'utf8', cwd: product.workspace, env });
  expect(JSON.parse(said)).toMatchObject({ ok: true, team: 'crew' });
});
