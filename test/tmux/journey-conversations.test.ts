import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shellWord } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';
import { Product } from '../support/product.ts';
import { BIN, StandIn } from './conversations.ts';
import { LISTENER, start } from './journey.ts';

/** Who leads, with conversations that are real processes and answer like a Claude Code in its own terminal. */

let product: Product;
let config: string;
let docs: string;
const conversations: StandIn[] = [];

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

interface Lead {
  readonly receiver: string;
  readonly epoch: number;
  readonly identity: object | null;
}
const lead = async (): Promise<Lead> => (await product.json<{ leader: Lead }>(['status'])).leader;

/** What is on record about the lead: one event for each change and each refusal. */
const audited = (): unknown[] =>
  product
    .rows("select type, data from events where type like 'leader.%' order by seq")
    .map(({ type, data }) => [type, JSON.parse(String(data)).reason]);

test('D05 D06 Z46 Z47 Z54 Z56 the leader alone may speak as such, until another one takes over with --confirm', async () => {
  const [first, second] = [await conversation(), await conversation()];
  expect(await first.asks('quick-start', docs)).toMatchObject({ ok: true });
  expect(await lead()).toMatchObject({ receiver: 'claude', epoch: 1 });
  expect(await first.asks('claim-leader')).toMatchObject({ ok: true, status: 'already_bound', owner_epoch: 1 });
  expect(await first.asks('identity')).toMatchObject({ you: { leads: true } });
  for (const [verb, reason] of [
    ['claim-leader', 'force_confirm_required'],
    ['takeover', 'force_confirm_required'],
    ['attach-leader', 'force_confirm_required'],
  ] as const) {
    expect(await second.asks(verb), verb).toMatchObject({ ok: false, reason });
  }
  // Whoever does not lead gives the lead away as little as a shell does.
  expect(await second.asks('identity')).toMatchObject({ you: { leads: false } });
  expect(await senderOf(second, 'from the second')).toBe('person');
  expect(await senderOf(first, 'from the first')).toBe('leader');
  expect(await lead()).toMatchObject({ receiver: 'claude', epoch: 1 });

  expect(await second.asks('takeover', '--confirm')).toMatchObject({ ok: true, status: 'claimed', owner_epoch: 2 });
  expect(await senderOf(second, 'from the second')).toBe('leader');
  expect(await senderOf(first, 'from the first')).toBe('person');
  expect(await first.asks('claim-leader')).toMatchObject({ ok: false, reason: 'force_confirm_required' });
  expect(await second.asks('start-agent', 'w')).toMatchObject({ ok: true, start_mode: 'noop' });
  expect(audited()).toEqual([
    ['leader.bound', 'vacant_acquired'],
    ['leader.refused', 'previous_owner_alive_refused'],
    ['leader.refused', 'previous_owner_alive_refused'],
    ['leader.refused', 'previous_owner_alive_refused'],
    ['leader.bound', 'takeover_confirmed'],
    ['leader.refused', 'previous_owner_alive_refused'],
  ]);
});

/** As whom a conversation's message to `w` is stored. */
async function senderOf(one: StandIn, text: string): Promise<unknown> {
  const { message_id } = await one.asks('send', 'w', text, '--expects', 'nothing');
  return product.rows(`select sender from messages where message_id = '${message_id}'`)[0]?.sender;
}

test('D07 Z48 Z55 a dead leader is replaced without a question, and every place that tells who leads agrees', async () => {
  const [first, second] = [await conversation(), await conversation()];
  await first.asks('quick-start', docs);
  await first.end();
  // Looks that are under way when it is claimed change nothing of it.
  const looking = Promise.all([lead(), product.json(['leaders']), lead()]);
  expect(await second.asks('claim-leader')).toMatchObject({ ok: true, status: 'claimed', owner_epoch: 2 });
  await looking;
  const [lease] = product.rows('select epoch, receiver, identity from leases');
  const identity = JSON.parse(String(lease?.identity));
  expect(lease).toMatchObject({ epoch: 2 });
  expect(product.rows(`select provider, ended_at from leaders where incarnation = '${lease?.receiver}'`)).toEqual([
    { provider: 'claude', ended_at: null },
  ]);
  expect(await lead()).toMatchObject({ receiver: 'claude', epoch: 2, identity });
  const { teams } = await product.json<{ teams: object[] }>(['leaders']);
  expect(teams).toMatchObject([{ team: 'crew', receiver: 'claude', epoch: 2, identity }]);
  expect(await second.asks('identity')).toMatchObject({ you: { leads: true } });
  expect(audited()).toEqual([
    ['leader.bound', 'vacant_acquired'],
    ['leader.bound', 'previous_owner_dead'],
  ]);
});

test('D07 Z49 a program that is no conversation is never the leader, and one that lives is asked for, whatever it does', async () => {
  const first = await conversation();
  await first.asks('quick-start', docs);
  const busy = path.join(config, 'sessions', `${first.pid}.json`);
  const entry = JSON.parse(fs.readFileSync(busy, 'utf8'));
  fs.writeFileSync(busy, JSON.stringify({ ...entry, status: 'busy', cwd: '/', statusUpdatedAt: Date.now() }));
  const second = await conversation();
  expect(await second.asks('claim-leader')).toMatchObject({ ok: false, reason: 'force_confirm_required' });
  // The same program, with nothing in the registry.
  const plain = await conversation();
  fs.rmSync(path.join(config, 'sessions', `${plain.pid}.json`));
  expect(await plain.asks('claim-leader', '--confirm')).toMatchObject({ reason: 'caller_not_leader_shaped' });
  expect(await lead()).toMatchObject({ receiver: 'claude', epoch: 1 });
});

test('D07 Z50 of claims in the same moment one wins, and each of the others is told', async () => {
  const first = await conversation();
  const others = [await conversation(), await conversation(), await conversation()];
  await first.asks('quick-start', docs);
  await first.end();
  const answers = await Promise.all(others.map((one) => one.asks('claim-leader')));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
  for (const answer of answers.filter(({ ok }) => !ok))
    expect(['force_confirm_required', 'owner_epoch_advanced']).toContain(answer.reason);
  expect(await lead()).toMatchObject({ epoch: 2 });
  const bound = audited().filter((event) => String(event).startsWith('leader.bound'));
  expect(bound).toHaveLength(2);
  const winner = others[answers.findIndex(({ ok }) => ok)];
  expect(await winner?.asks('claim-leader')).toMatchObject({ status: 'already_bound' });
});

test('D11 D12 Z51 of two that go on with a dead leader none leads before one says so, and that is told once', async () => {
  const first = await conversation();
  await first.asks('quick-start', docs);
  const { session } = first;
  // Both before its end: the only one that goes on with a dead leader is the leader.
  const [one, two] = [await conversation({ session }), await conversation({ session })];
  await first.end();
  for (const candidate of [one, two])
    expect(await candidate.asks('claim-leader')).toMatchObject({ ok: false, reason: 'ambiguous_candidates' });
  expect(await lead()).toMatchObject({ receiver: 'mailbox', epoch: 1 });
  const notices = "select count(*) as n from messages where body like 'Several conversations%'";
  expect(product.rows(notices)).toEqual([{ n: 1 }]);
  const shown = await product.json<{ conversations: { pid: number; leads: string[] }[] }>(['leaders']);
  expect(shown.conversations.map(({ pid, leads }) => [pid, leads])).toEqual(
    expect.arrayContaining([one, two].map(({ pid }) => [pid, []])),
  );
  const told = product.rows("select max(seq) as seq from deliveries where recipient = 'leader'")[0]?.seq;
  expect(await two.asks('claim-leader', '--confirm')).toMatchObject({ ok: true, owner_epoch: 2 });
  expect(await one.asks('claim-leader', '--confirm')).toMatchObject({ ok: false, reason: 'owner_epoch_advanced' });
  expect(product.rows(notices)).toEqual([{ n: 1 }]);
  // Whoever leads now need not read that nobody does, nor who was on the session of the one before.
  const before = `select distinct state from deliveries where recipient = 'leader' and seq <= ${told}`;
  expect(product.rows(before)).toEqual([{ state: 'cancelled' }]);
  expect(await lead()).toMatchObject({ receiver: 'claude', epoch: 2 });
});

test('M12 H01 mail for a leader whose session is open in a second process waits, status says why, and it is told once', async () => {
  const first = await conversation();
  await first.asks('quick-start', docs);
  const second = await conversation({ session: first.session });
  for (const text of ['one', 'two']) await product.run(['send', 'leader', text, '--expects', 'nothing']);
  const held = { hold: 'session_changed', evidence: `process ${second.pid} works on the same session` };
  await eventually('status to say so', async () => 'held' in (await lead()));
  expect(await lead()).toMatchObject({ receiver: 'claude', epoch: 1, held });
  const { stdout } = await product.run(['status']);
  const line = stdout.split('\n').find((one) => one.startsWith('leader '));
  expect(line).toBe(`leader       claude, epoch 1, held: ${held.evidence}`);
  expect(product.rows("select 1 from events where type = 'leader.session_shared'")).toHaveLength(1);
  fs.rmSync(path.join(config, 'sessions', `${second.pid}.json`));
  const waiting = "select state from deliveries where recipient = 'leader' and state <> 'consumed'";
  await eventually('its mail to come', () => product.rows(waiting).length === 0);
  expect(await lead()).not.toHaveProperty('held');
  expect(product.rows("select 1 from events where type = 'leader.session_shared'")).toHaveLength(1);
});

test('D06 Z53 a folder below and a link to it are inside, any other folder is not', async () => {
  const below = path.join(product.workspace, 'src', 'deep');
  fs.mkdirSync(below, { recursive: true });
  const link = path.join(freshFolder('links'), 'link');
  fs.symlinkSync(below, link);
  await start(product, docs);
  const outside = await conversation({ folder: freshFolder('elsewhere') });
  const there = ['--workspace', product.workspace];
  expect(await outside.asks(...there, 'claim-leader')).toMatchObject({ ok: false, reason: 'caller_cwd_mismatch' });
  expect(await lead()).toMatchObject({ receiver: 'mailbox', epoch: 0 });
  // What is said of where it works changes nothing: the process itself is looked at.
  const file = path.join(config, 'sessions', `${outside.pid}.json`);
  fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file, 'utf8')), cwd: product.workspace }));
  expect(await outside.asks(...there, 'claim-leader', '--confirm')).toMatchObject({ reason: 'caller_cwd_mismatch' });
  for (const [epoch, folder] of [below, link].entries()) {
    const inside = await conversation({ folder });
    const claimed = await inside.asks(...there, 'takeover', '--confirm');
    expect(claimed).toMatchObject({ ok: true, owner_epoch: epoch + 1 });
  }
});

test('D05 Z58 a leader is found from any depth of its processes, and from another terminal line', async () => {
  await start(product, docs);
  const one = await conversation();
  const deep = ['identity', 'claim-leader'].reduceRight(
    (inner, verb) => `sh -c ${shellWord(`${inner}; ${shellWord(BIN)} --json ${verb}; true`)}`,
    'true',
  );
  const output = await one.runs('script', '-qec', `setsid -w ${deep}`, '/dev/null');
  expect(output).toMatch(/"status": "claimed"/);
  expect(output).toMatch(/"leads": true/);
  expect(await lead()).toMatchObject({ receiver: 'claude', epoch: 1 });
});

const root = process.getuid?.() === 0;
test.runIf(root)(
  'D06 Z59 a process of another user never leads, and what a person points at changes nothing of that',
  async () => {
    await start(product, docs);
    const one = await conversation();
    await one.end();
    const stranger = await ofAnotherUser();
    try {
      const entry = { ...JSON.parse(fs.readFileSync(path.join(config, 'sessions', `${one.pid}.json`), 'utf8')) };
      const mine = await conversation();
      const own = JSON.parse(fs.readFileSync(path.join(config, 'sessions', `${mine.pid}.json`), 'utf8'));
      const file = path.join(config, 'sessions', `${stranger.pid}.json`);
      // Of the dead one everything but the process: its inbox is one that answers.
      fs.writeFileSync(
        file,
        JSON.stringify({
          ...entry,
          pid: stranger.pid,
          procStart: undefined,
          messagingSocketPath: own.messagingSocketPath,
        }),
      );
      const refused = await product.json<{ reason?: string }>(['attach-leader', '--pane', stranger.pane, '--confirm'], {
        environment: { TMUX: `${stranger.socket},1,0`, CLAUDE_CONFIG_DIR: config },
      });
      expect(refused).toMatchObject({ ok: false, reason: 'caller_elsewhere' });
      expect(await lead()).toMatchObject({ receiver: 'mailbox', epoch: 0 });
      expect(audited()).toEqual([['leader.refused', 'caller_elsewhere']]);
    } finally {
      stranger.end();
    }
  },
);

/** A pane of a person's own tmux in which a process of the user `nobody` runs. */
async function ofAnotherUser() {
  const NOBODY = 65_534;
  const socket = path.join(freshFolder('person'), 'tmux');
  const program = `process.setgid(${NOBODY}); process.setuid(${NOBODY}); setInterval(() => undefined, 1000)`;
  const words = ['new-session', '-d', '-P', '-F', '#{pane_id} #{pane_pid}', process.execPath, '-e', program];
  const said = execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...words], { encoding: 'utf8' });
  const [pane = '', pid = ''] = said.trim().split(' ');
  await eventually('it to be another user', () =>
    /^Uid:\t65534\t65534/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8')),
  );
  return { socket, pane, pid: Number(pid), end: () => spawnSync('tmux', ['-S', socket, 'kill-server']) };
}
