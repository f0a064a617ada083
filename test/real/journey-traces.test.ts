import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  identifyProcess,
  type ProcessIdentity,
  probeProcess,
  readIfThere,
  sessionMembers,
  signalProcess,
} from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { ask, deliver, lifeOf, tmux } from '../tmux/journey.ts';
import { quickStart } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;

/** What the shell of whoever starts the team holds, and no agent is to see. */
const PLANTED = {
  SECRET_OF_THE_SHELL: 'planted-secret',
  TMUX: '/tmp/tmux-0/planted,1,0',
  TMUX_PANE: '%77',
  CLAUDE_CODE_SESSION_ID: '99999999-9999-4999-8999-999999999999',
  CLAUDE_CODE_MESSAGING_SOCKET: '/tmp/planted.sock',
  CODEX_THREAD_ID: 'planted-thread',
};

const AGENTS = ['claire', 'cody'] as const;

beforeAll(async () => {
  product = await RealProduct.open({ environment: PLANTED });
  await quickStart(
    product,
    product.writeTeam('crew', [
      { id: 'claire', provider: 'claude', tools: ['execute_bash'] },
      { id: 'cody', provider: 'codex', tools: ['execute_bash'] },
    ]),
  );
  for (const agent of AGENTS) {
    // With a shell, which may leave traces of its own.
    await deliver(product, agent, `hello-${agent} [[shell echo hi]] [[say hello]]`, '--expects', 'nothing');
    const model = agent === 'cody' ? product.openai : product.anthropic;
    await eventually('the command to have run', () => model.requestsWith(`hello-${agent}`).length >= 2);
  }
});
afterAll(() => product?.end());

const homeOf = (agent: string): string => path.join(product.paths.run, 'agents', lifeOf(product, agent).incarnation);

/** The processes of an agent: those of its pane, and of the one that shows it. */
function processesOf(agent: string): readonly number[] {
  const { handle } = lifeOf(product, agent);
  return [handle.process, ...(handle.view ? [handle.view.process] : [])].flatMap(({ pid }) =>
    [...sessionMembers(pid)].map((m) => m.pid),
  );
}

test.each(AGENTS)('C10 the files of %s are its own: 0600 in a folder of 0700', (agent) => {
  const home = homeOf(agent);
  expect(fs.statSync(home).mode & 0o777).toBe(0o700);
  const files = fs.readdirSync(home);
  expect(files).toContain('token');
  for (const file of files) expect([file, fs.statSync(path.join(home, file)).mode & 0o777]).toEqual([file, 0o600]);
  const sockets = fs.statSync(path.dirname(lifeOf(product, agent).handle.socket ?? ''));
  expect(sockets.mode & 0o777).toBe(0o700);
});

test.each(AGENTS)('C10 the token of %s stands in its own file and its own environment, nowhere else', async (agent) => {
  const { token } = lifeOf(product, agent);
  const own = path.join(homeOf(agent), 'token');
  for (const file of filesBelow(product.paths.team)) {
    if (file !== own) expect([file, readIfThere(file)?.includes(token) ?? false]).toEqual([file, false]);
  }
  for (const folder of [product.home.claude, product.home.codex]) {
    for (const file of filesBelow(folder))
      expect([file, readIfThere(file)?.includes(token) ?? false]).toEqual([file, false]);
  }
  expect(pidsOf(token)).toEqual([]);
  const environments = [['-g'], ['-t', 'team-crew']].map((which) => tmux(product, 'show-environment', ...which));
  environments.push(tmux(product, 'list-panes', '-a', '-F', '#{pane_start_command}'));
  for (const text of environments) expect(text).not.toMatch(new RegExp(`${token}|planted`));
  const said = [
    (await product.run(['ledger', 'dump'])).stdout,
    (await product.run(['--json', 'events'])).stdout,
    (await product.run(['--json', 'status', '--detail'])).stdout,
  ];
  for (const text of said) {
    expect(text).toContain(agent);
    expect(text).not.toContain(token);
    expect(text).not.toContain('planted-secret');
  }
});

test.each(AGENTS)('C10 the processes of %s have its token, and nothing of the shell that started the team', (agent) => {
  const environments = processesOf(agent)
    .map(environmentOf)
    .filter((variables) => variables !== undefined);
  expect(environments.some((variables) => variables.includes(`TEAM_AGENT_TOKEN=${lifeOf(product, agent).token}`))).toBe(
    true,
  );
  const planted = Object.entries(PLANTED).map(([name, value]) => `${name}=${value}`);
  for (const variables of environments) {
    expect(variables.length).toBeGreaterThan(0);
    expect(variables.filter((variable) => planted.includes(variable))).toEqual([]);
  }
});

/** Undefined for a process that has ended meanwhile. */
function environmentOf(pid: number): string[] | undefined {
  const identity = identifyProcess(pid);
  const text = readIfThere(`/proc/${pid}/environ`);
  return identity && text !== undefined && probeProcess(identity) === 'alive'
    ? text.split('\0').filter(Boolean)
    : undefined;
}

/** The processes whose command line has this in it. */
function pidsOf(words: string): number[] {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => commandLine(pid).includes(words)).map(Number);
}

function commandLine(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}

function filesBelow(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => fs.lstatSync(file, { throwIfNoEntry: false })?.isFile());
}

test('C10 N01 N02 shutdown ends every process and takes every file of a life with it', async () => {
  const homes = AGENTS.map(homeOf);
  const handles = AGENTS.map((agent) => lifeOf(product, agent).handle);
  const sockets = handles.flatMap(({ socket }) => socket ?? []);
  const real = sockets.map((socket) => fs.realpathSync(socket));
  expect(real.some((file) => file.startsWith('/tmp/codex-daemon-'))).toBe(true);
  const processes = AGENTS.flatMap(processesOf)
    .map((pid) => identifyProcess(pid))
    .filter((found) => found !== undefined);
  const server = identifyProcess(Number(tmux(product, 'display-message', '-p', '#{pid}')));
  const coordinator = product.coordinator();
  expect(await ask(product, 'shutdown')).toMatchObject({ ok: true, code: 0 });
  expect(processes.map((identity) => probeProcess(identity))).toEqual(processes.map(() => 'dead'));
  expect(server && probeProcess(server)).toBe('dead');
  expect(coordinator && probeProcess(coordinator)).toBe('dead');
  for (const file of [...homes, ...sockets, ...real, ...real.map((s) => `${s}.lock`), product.paths.sockets])
    expect([file, fs.existsSync(file)]).toEqual([file, false]);
  expect(fs.readdirSync(path.join(product.home.claude, 'sessions'))).toEqual([]);
});

test('G15 I08 the command of a Claude Code that is stopped ends with it; that of one which is killed goes on, and is told', async () => {
  expect(await ask(product, 'restart', '--allow-fresh')).toMatchObject({ ok: true });
  const command = async (seconds: number): Promise<ProcessIdentity> => {
    await deliver(product, 'claire', `go [[background sleep ${seconds}]] [[say went]]`, '--expects', 'nothing');
    const pid = () => pidsOf(`sleep\0${seconds}\0`)[0];
    return eventually('the command to run', () => identifyProcess(pid() ?? 0));
  };
  const first = await command(600_000 + process.pid);
  expect(await ask(product, 'stop-agent', 'claire')).toMatchObject({ ok: true, goes_on: [] });
  expect(probeProcess(first)).toBe('dead');

  expect(await ask(product, 'start-agent', 'claire')).toMatchObject({ ok: true });
  const second = await command(1_200_000 + process.pid);
  try {
    const { incarnation, handle } = lifeOf(product, 'claire');
    process.kill(Number(handle.details.pid), 'SIGKILL');
    const [notice] = await eventually('the leader to be told', () => {
      const found = product.rows(`select body from messages where dedupe_key = 'exited:${incarnation}'`);
      return found.length > 0 && found;
    });
    expect(notice?.body).toContain(`${second.pid} (sleep)`);
    expect(probeProcess(second)).toBe('alive');
  } finally {
    signalProcess(second, 'SIGKILL');
  }
});
