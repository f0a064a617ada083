import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { leaseRefusal } from '../../src/coordinator/verbs/leading/refusals.ts';
import { identifyProcess, shellWord } from '../../src/kernel/index.ts';
import type { Intent, LeaseReason } from '../../src/leader/index.ts';
import type { TeamRow } from '../../src/ledger/index.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';
import { Product } from '../support/product.ts';
import { type Answer, ask, LISTENER, lifeOf, RUNNER, reached, start } from './journey.ts';

const BIN = path.resolve(import.meta.dirname, '../../bin/team-agent');

let product: Product;
/** A person's own tmux servers, by their sockets. */
const servers: string[] = [];

beforeAll(async () => {
  product = new Product();
  await start(
    product,
    product.writeTeam('crew', [
      { id: 'w', script: RUNNER },
      { id: 'peer', script: LISTENER },
    ]),
  );
});
afterAll(async () => {
  for (const socket of servers) spawnSync('tmux', ['-S', socket, 'kill-server']);
  await product.end();
});

/** Everything about the lead that stands in the events of all teams. */
const audited = () =>
  product
    .rows("select type, actor, data from events where type like 'leader.%' order by team, seq")
    .map(({ type, actor, data }) => ({ type, actor, data: JSON.parse(String(data)) }));
let before = 0;
beforeEach(() => {
  before = audited().length;
});
const news = () => audited().slice(before);

/** A person's own tmux server with one pane, `%0`, that runs `sleep`. */
function personalTmux(socket = path.join(freshFolder('person'), 'tmux')): {
  socket: string;
  pane: string;
  pid: number;
} {
  const args = [
    '-S',
    socket,
    '-f',
    '/dev/null',
    'new-session',
    '-d',
    '-P',
    '-F',
    '#{pane_id} #{pane_pid}',
    'sleep 3600',
  ];
  const [pane = '', pid = ''] = execFileSync('tmux', args, { encoding: 'utf8' }).trim().split(' ');
  if (!servers.includes(socket)) servers.push(socket);
  return { socket, pane, pid: Number(pid) };
}

/** Runs our command inside the pane of the worker `w`, by its ancestry alone or with its token. */
async function agentRuns(words: readonly string[], how: 'ancestry' | 'token'): Promise<Answer> {
  const { token } = lifeOf(product, 'w');
  const variables = how === 'token' ? `TEAM_AGENT_TOKEN=${token} ` : '';
  const command = `${variables}${shellWord(BIN)} --json ${words.map(shellWord).join(' ')}; true`;
  const sent = await ask(product, '--team', 'crew', 'send', 'w', `run: ${command}`, '--wait=result', '--timeout', '30');
  return JSON.parse(/^\d+\|([\s\S]*)$/.exec(sent.results[0]?.summary ?? '')?.[1] ?? '');
}

const WISHES = ['claim-leader', 'claim-leader --confirm', 'takeover --confirm', 'attach-leader'];

test.each(WISHES)('D06 Z52 a plain shell never leads by %s, and what it sends is stored as before', async (wish) => {
  const refused = await ask(product, '--team', 'crew', ...wish.split(' '));
  expect(refused).toMatchObject({ code: 1, ok: false, reason: 'caller_not_leader_shaped' });
  expect(refused.next?.length).toBeGreaterThan(0);
  expect(news()).toMatchObject([
    {
      type: 'leader.refused',
      actor: 'person',
      data: { reason: 'caller_not_leader_shaped', epoch: 0, identity: null },
    },
  ]);
  const status = await product.json<{ leader: object }>(['--team', 'crew', 'status']);
  expect(status.leader).toMatchObject({ receiver: 'mailbox', epoch: 0, identity: null });
  const sent = await ask(product, '--team', 'crew', 'send', 'peer', 'still allowed', '--expects', 'nothing');
  await reached(product, sent.message_id);
  const mail = await ask(product, '--team', 'crew', 'send', 'leader', 'for whoever leads');
  expect(mail).toMatchObject({ ok: true, deliveries: [{ state: 'held', reason: 'leader_unbound' }] });
});

test.each(['ancestry', 'token'] as const)(
  'D06 Z56 an agent known by its %s never leads, and each try is on record once',
  async (how) => {
    for (const wish of [...WISHES, 'claim-leader --release']) {
      before = audited().length;
      expect(await agentRuns(wish.split(' '), how), wish).toMatchObject({ ok: false, reason: 'worker_may_not' });
      expect(news(), wish).toMatchObject([
        { type: 'leader.refused', actor: 'w', data: { reason: 'caller_is_a_worker', candidate: 'worker' } },
      ]);
    }
  },
);

test('D06 the lead that nobody has cannot be given up, and the words say so', async () => {
  const refused = await ask(product, '--team', 'crew', 'claim-leader', '--release');
  expect(refused).toMatchObject({ code: 1, reason: 'nobody_leads' });
  expect(news()).toHaveLength(1);
});

interface Identity extends Answer {
  readonly uuid_prefix: string;
  readonly source: string;
}
const identity = (environment: NodeJS.ProcessEnv = {}, ...words: string[]) =>
  product.json<Identity>(['--team', 'crew', 'identity', ...words], { environment });

test('D10 Z45 identity: one formula with and without a coordinator, twelve digits of it, another one for each input', async () => {
  const plain = await identity();
  expect(plain).toMatchObject({
    ok: true,
    source: 'derived',
    workspace_abspath: product.workspace,
    team_id: 'crew',
    current_pane_id: process.env.TMUX_PANE ?? null,
    you: { kind: 'person', leads: false },
  });
  expect(plain.uuid_prefix).toMatch(/^[0-9a-f]{12}$/);
  expect(await identity()).toMatchObject({ uuid_prefix: plain.uuid_prefix });
  const elsewhere = await identity({ TEAM_AGENT_MACHINE_FINGERPRINT: 'another machine' });
  expect(elsewhere).toMatchObject({ machine_fingerprint: 'another machine', source: 'derived' });
  expect(elsewhere.uuid_prefix).not.toBe(plain.uuid_prefix);
  const override = 'ab'.repeat(16);
  const chosen = await product.run(['--json', '--team', 'crew', 'identity'], {
    environment: { TEAM_AGENT_LEADER_SESSION_UUID_OVERRIDE: override },
  });
  expect(JSON.parse(chosen.stdout)).toMatchObject({ source: 'override', uuid_prefix: override.slice(0, 12) });
  expect(chosen.stdout).not.toContain(override);
  expect(await agentRuns(['identity'], 'ancestry')).toMatchObject({ ok: true, you: { kind: 'agent', agent_id: 'w' } });
  expect(news()).toEqual([]);
});

test('D09 Z46 the same pane id on two servers is the pane of the server that the caller is in', async () => {
  const [one, two] = [personalTmux(), personalTmux()];
  expect(one.pane).toBe(two.pane);
  for (const { socket, pane, pid } of [one, two]) {
    before = audited().length;
    const refused = await attach(pane, socket);
    expect(refused).toMatchObject({
      code: 1,
      reason: 'caller_not_leader_shaped',
      evidence: { pane, processes: [pid] },
    });
    expect(news()).toHaveLength(1);
  }
});

test('D09 a pane id that a new server gives out again is another pane', async () => {
  const first = personalTmux();
  execFileSync('tmux', ['-S', first.socket, 'kill-server']);
  await eventually('its pane to be gone', () => identifyProcess(first.pid) === undefined);
  fs.rmSync(first.socket, { force: true });
  const again = personalTmux(first.socket);
  expect(again.pane).toBe(first.pane);
  expect((await attach(again.pane, again.socket)).evidence).toMatchObject({ processes: [again.pid] });
});

const attach = (pane: string, socket: string, ...words: readonly string[]): Promise<Answer> =>
  product.json<Answer>(['--team', 'crew', 'attach-leader', '--pane', pane, ...words], {
    environment: { TMUX: `${socket},1,0` },
  });

test('D09 Z56 a pane that is not there, a server that is gone, a shell in no tmux: each refused with what to do, each on record', async () => {
  const { socket } = personalTmux();
  const gone = path.join(freshFolder('gone'), 'tmux');
  const tries = [
    await attach('%99', socket),
    await attach('%0', gone),
    await product.json<Answer>(['--team', 'crew', 'attach-leader', '--pane', '%0'], {
      environment: { TMUX: undefined },
    }),
  ];
  for (const refused of tries) expect(refused).toMatchObject({ code: 1, reason: 'pane_not_found' });
  expect(news().map(({ type }) => type)).toEqual(['leader.refused', 'leader.refused', 'leader.refused']);
  expect(execFileSync('sh', ['-c', tries[0]?.next?.[0] ?? ''], { encoding: 'utf8' })).toContain('%0');
});

const REASONS: readonly LeaseReason[] = [
  'previous_owner_alive_refused',
  'previous_owner_unknown_refused',
  'ambiguous_candidates',
  'owner_epoch_advanced',
  'caller_is_a_worker',
  'caller_not_leader_shaped',
  'caller_cwd_mismatch',
  'caller_elsewhere',
  'nobody_leads',
];
const INTENTS: readonly Intent[] = ['claim', 'takeover', 'attach', 'release'];

test('Z56 each command that a refusal of the lead names is one of ours, and does something sensible', async () => {
  const { socket, pane } = personalTmux();
  const outcome = { decision: { decision: 'refuse', reason: 'nobody_leads' }, epoch: 1, previous: null } as const;
  const [row] = product.rows("select * from teams where team = 'crew'") as unknown as TeamRow[];
  if (!row) throw new Error('no team');
  const caller = { kind: 'person', pid: 1, chain: [] } as const;
  const commands = REASONS.flatMap((reason) =>
    INTENTS.flatMap((intent) => leaseRefusal(reason, { intent }, caller, row, outcome).next),
  );
  const environment = {
    TMUX: `${socket},1,0`,
    PATH: [path.dirname(BIN), path.dirname(process.execPath), '/usr/bin', '/bin'].join(path.delimiter),
  };
  const known = new Set([...commands].map((command) => command.replace('PANE', shellWord(pane))));
  expect(known.size).toBeGreaterThan(8);
  for (const command of known) {
    const script = path.join(freshFolder('next'), 'run');
    fs.writeFileSync(script, `#!/bin/sh\nexec ${command.replace('team-agent', 'team-agent --json')}\n`, {
      mode: 0o755,
    });
    const ran = execFileSync('sh', ['-c', `${shellWord(script)}; echo " code $?"`], {
      encoding: 'utf8',
      cwd: product.workspace,
      env: { ...product.environment, ...environment },
    });
    const [, json = '', code = ''] = /^([\s\S]*) code (\d+)$/.exec(ran.trim()) ?? [];
    const answer: Answer = JSON.parse(json);
    expect(['0', '1'], `${command}: ${ran}`).toContain(code);
    if (code === '1')
      expect(['caller_not_leader_shaped', 'provider_missing', 'nobody_leads'], command).toContain(answer.reason);
  }
});

test('D06 H01 who leads and who you are, as text of 80 columns', async () => {
  for (const words of [['leaders'], ['identity']]) {
    const text = await product.run(['--team', 'crew', ...words], { environment: { COLUMNS: '80' } });
    expect(text.code).toBe(0);
    for (const line of text.stdout.split('\n')) expect([...line].length, line).toBeLessThanOrEqual(80);
    expect(text.stdout).toContain('crew');
  }
  const json = await product.json<{ teams: object[] }>(['leaders']);
  expect(json).toMatchObject({
    ok: true,
    teams: [{ team: 'crew', intent: 'running', receiver: 'mailbox', epoch: 0, identity: null, acquired_at: null }],
    conversations: [],
  });
});

test('D13 Z33 with two teams each verb about the lead is refused with the candidates, and --team decides', async () => {
  await start(product, product.writeTeam('other', [{ id: 'x', script: LISTENER }]));
  const words = [
    ['claim-leader'],
    ['claim-leader', '--release'],
    ['takeover', '--confirm'],
    ['attach-leader'],
    ['identity'],
  ];
  for (const verb of words) {
    const refused = await ask(product, ...verb);
    expect(refused, verb.join(' ')).toMatchObject({
      code: 1,
      reason: 'team_ambiguous',
      evidence: { candidates: ['crew', 'other'] },
    });
  }
  for (const verb of [['claim-leader'], ['takeover'], ['attach-leader']])
    expect(await ask(product, '--team', 'other', ...verb), verb.join(' ')).toMatchObject({
      reason: 'caller_not_leader_shaped',
    });
  const [mine, theirs] = [await identity(), await product.json<Identity>(['--team', 'other', 'identity'])];
  expect(mine.uuid_prefix).not.toBe(theirs.uuid_prefix);
  const both = await product.json<{ teams: { team: string }[] }>(['leaders']);
  expect(both.teams.map(({ team }) => team)).toEqual(['crew', 'other']);
  const one = await product.json<{ teams: { team: string }[] }>(['leaders', '--team', 'other']);
  expect(one.teams.map(({ team }) => team)).toEqual(['other']);
});

test('D10 D13 without a coordinator identity and leaders say the same', async () => {
  const live = await identity();
  expect(await ask(product, 'coordinator', 'stop')).toMatchObject({ ok: true });
  await eventually('the coordinator to be gone', () => product.coordinator() === undefined);
  const absent = await identity();
  expect(absent).toMatchObject({ ok: true, uuid_prefix: live.uuid_prefix, you: null, leader: { receiver: 'mailbox' } });
  const both = await product.json<{ teams: { team: string }[] }>(['leaders']);
  expect(both.teams.map(({ team }) => team)).toEqual(['crew', 'other']);
});
