import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { identifyProcess, probeProcess, sessionMembers } from '../../src/kernel/index.ts';
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
      { id: 'claire', provider: 'claude' },
      { id: 'cody', provider: 'codex' },
    ]),
  );
  for (const agent of AGENTS) await deliver(product, agent, 'hello [[say hello]]', '--expects', 'nothing');
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
    if (file !== own) expect([file, fs.readFileSync(file).includes(token)]).toEqual([file, false]);
  }
  for (const folder of [product.home.claude, product.home.codex]) {
    for (const file of filesBelow(folder)) expect([file, fs.readFileSync(file).includes(token)]).toEqual([file, false]);
  }
  const lines = fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => commandLine(pid));
  expect(lines.filter((line) => line.includes(token))).toEqual([]);
  const environments = [['-g'], ['-t', 'team-crew']].map((which) => tmux(product, 'show-environment', ...which));
  for (const text of environments) expect(text).not.toMatch(/TEAM_AGENT_TOKEN|planted/);
  const said = [
    tmux(product, 'list-panes', '-a', '-F', '#{pane_start_command}'),
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

test.each(AGENTS)('C10 the processes of %s see only what is on the list', (agent) => {
  const pids = processesOf(agent);
  expect(pids.length).toBeGreaterThan(1);
  for (const pid of pids) {
    const environment = new Map(environmentOf(pid));
    for (const name of Object.keys(PLANTED)) {
      // tmux tells a pane where it is: on the team's own server.
      const value = environment.get(name);
      expect([name, value === PLANTED[name as keyof typeof PLANTED]]).toEqual([name, false]);
    }
  }
});

function environmentOf(pid: number): [string, string][] {
  return fs
    .readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    });
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
    .filter((file) => fs.lstatSync(file).isFile());
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
