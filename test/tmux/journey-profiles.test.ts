import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freshFolder } from '../support/files.ts';
import { Product } from '../support/product.ts';
import { ask, deliver, LISTENER, lifeOf, start, tmux } from './journey.ts';

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(() => product.end());

// Every process of this machine is looked through: the keys are this run's own.
const CANARY = `sk-CANARY0123456789abcdef${process.pid}`;
const NEWER = `sk-CANARYnewer0123456789ab${process.pid}`;

/** Writes a profile of a team that is not started yet, beside its documents. */
function writeProfile(folder: string, name: string, text: string): string {
  const file = path.join(folder, 'profiles', `${name}.env`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text, { mode: 0o600 });
  return file;
}

/** Every file below a folder that holds a text. */
function filesWith(folder: string, text: string): string[] {
  if (!fs.existsSync(folder)) return [];
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names
    .map((name) => path.join(folder, name))
    .filter((file) => fs.lstatSync(file).isFile() && fs.readFileSync(file).includes(text))
    .sort();
}

/** Process ids with a text in this file of /proc. */
function processesWith(file: 'environ' | 'cmdline', text: string): number[] {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => pid !== process.pid && readProc(pid, file).includes(text));
}

function readProc(pid: number, file: 'environ' | 'cmdline' | 'status'): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it has ended, or is somebody else's
  }
}

const parentOf = (pid: number): number => Number(/^PPid:\s*(\d+)/m.exec(readProc(pid, 'status'))?.[1]);

/** All that a person or an agent can have said to them. */
async function everythingTold(): Promise<string> {
  const commands = [
    ['status', '--detail'],
    ['events'],
    ['ledger', 'dump'],
    ['sessions'],
    ['why', 'ann'],
    ['why', 'bob'],
  ];
  const told: string[] = [];
  for (const command of commands) {
    const { stdout, stderr, code } = await product.run(['--json', ...command]);
    expect(code, `${command.join(' ')}: ${stdout}${stderr}`).toBe(0);
    told.push(stdout, stderr);
  }
  return told.join('\n');
}

/** What the private tmux server tells whoever asks it. */
function toldByTmux(): string {
  const clients = tmux(product, 'list-clients', '-F', '#{client_name}').split('\n').filter(Boolean);
  return [
    tmux(product, 'show-environment', '-g'),
    tmux(product, 'show-environment', '-t', '=team-crew:'),
    tmux(product, 'list-panes', '-a', '-F', '#{pane_start_command}'),
    ...clients.map((client) => tmux(product, 'show-messages', '-t', client)),
  ].join('\n');
}

test('A09 B07 Z07 a key reaches the process of its agent, and nothing else', async () => {
  const head = 'auth_mode: compatible_api\nprofile: kimi\n';
  const folder = product.writeTeam('crew', [
    { id: 'ann', script: LISTENER, head },
    { id: 'bob', script: LISTENER, head: 'auth_mode: official_api\nprofile: plain\n' },
    { id: 'cid', script: LISTENER },
  ]);
  const proxy = `http://me:${CANARY}@proxy.invalid:3128`;
  writeProfile(
    folder,
    'kimi',
    `AUTH_MODE=compatible_api\nBASE_URL=http://h.invalid/v1\nAPI_KEY="${CANARY}"\nMODEL=k2\nHTTPS_PROXY=${proxy}\n`,
  );
  writeProfile(folder, 'plain', `AUTH_MODE=official_api\nAPI_KEY=${CANARY}\n`);
  const { stdout } = await product.run(['quick-start', folder]);
  expect(stdout).toContain('ann');

  const holders = processesWith('environ', CANARY);
  const wrappers = ['ann', 'bob'].map((agent) => lifeOf(product, agent).handle.pane.process.pid);
  expect(holders.map(parentOf).sort()).toEqual([...wrappers].sort());
  const [ann = ''] = holders.filter((pid) => parentOf(pid) === wrappers[0]).map((pid) => readProc(pid, 'environ'));
  expect(ann.split('\0')).toEqual(
    expect.arrayContaining([
      `TEAM_AGENT_PROVIDER_API_KEY=${CANARY}`,
      'TEAM_AGENT_PROVIDER_BASE_URL=http://h.invalid/v1',
      `HTTPS_PROXY=${proxy}`,
      'NO_PROXY=127.0.0.1',
    ]),
  );
  await deliver(product, 'ann', 'hello');

  expect(processesWith('cmdline', CANARY)).toEqual([]);
  expect(toldByTmux()).not.toContain('CANARY');
  const { sessions } = await product.json<{ sessions: { agent_id: string; profile: string | null }[] }>(['sessions']);
  expect(sessions.map(({ agent_id, profile }) => [agent_id, profile])).toEqual([
    ['ann', 'kimi'],
    ['bob', 'plain'],
    ['cid', null],
  ]);
  expect(stdout + (await everythingTold())).not.toContain('CANARY');
  const kept = ['kimi', 'plain'].flatMap((name) =>
    [folder, path.join(product.paths.team, 'crew')].map((home) => path.join(home, 'profiles', `${name}.env`)),
  );
  expect(filesWith(product.workspace, 'CANARY')).toEqual(kept.sort());
  expect(filesWith(path.dirname(product.paths.sockets), 'CANARY')).toEqual([]);
  expect(kept.map((file) => fs.statSync(file).mode & 0o777)).toEqual([0o600, 0o600, 0o600, 0o600]);
  const home = path.join(product.paths.team, 'crew', 'profiles');
  expect(fs.statSync(home).mode & 0o777).toBe(0o700);
  expect(fs.readFileSync(path.join(home, '.gitignore'), 'utf8')).toBe('*.env*\n!*.example.env\n');
});

test('B08 each start reads the profile anew, and one that cannot be used is refused before any effect', async () => {
  const head = 'auth_mode: official_api\nprofile: plain\n';
  const folder = product.writeTeam('crew', [{ id: 'ann', head }, { id: 'bob' }]);
  writeProfile(folder, 'plain', `API_KEY=${CANARY}\n`);
  await start(product, folder);
  const file = path.join(product.paths.team, 'crew', 'profiles', 'plain.env');
  const first = lifeOf(product, 'ann').incarnation;

  fs.writeFileSync(file, 'API_KEY=\n');
  const missing = await ask(product, 'start-agent', 'ann', '--force');
  expect(missing).toMatchObject({ code: 1, reason: 'profile_required_values_missing' });
  expect(missing.message).toContain(`fill in API_KEY in ${file}`);
  fs.writeFileSync(file, `AUTH_MODE=compatible_api\nAPI_KEY=${CANARY}\n`);
  expect(await ask(product, 'reset-agent', 'ann', '--discard-session')).toMatchObject({ reason: 'auth_mode_mismatch' });
  const [doctor = ''] = missing.next ?? [];
  expect(doctor).toBe('team-agent profile doctor plain --team crew');
  expect((await product.run(doctor.split(' ').slice(1))).code).toBe(0);
  expect(lifeOf(product, 'ann').incarnation).toBe(first);
  expect(processesWith('environ', CANARY)).toHaveLength(1);

  fs.writeFileSync(file, `API_KEY=${NEWER}\n`);
  expect(await ask(product, 'start-agent', 'ann', '--force')).toMatchObject({ ok: true });
  expect(lifeOf(product, 'ann').incarnation).not.toBe(first);
  expect(processesWith('environ', CANARY)).toEqual([]);
  expect(processesWith('environ', NEWER)).toHaveLength(1);

  await ask(product, 'shutdown');
  fs.rmSync(file);
  const gone = await ask(product, 'restart');
  expect(gone).toMatchObject({ code: 1, reason: 'profile_missing' });
  expect(gone.message).toMatch(/ann\.md:\d+: profile: there is no profile "plain"/);
  expect(product.rows('select incarnation from incarnations where ended_at is null')).toEqual([]);
});

test('B08 G12 a conversation is not handed to the endpoint of another profile; another key of the same kind is told', async () => {
  const head = 'auth_mode: compatible_api\nprofile: kimi\n';
  const folder = product.writeTeam('crew', [{ id: 'ann', head, script: LISTENER }]);
  const endpointOf = (name: string) => `BASE_URL=http://127.0.0.1:9/${name}\nMODEL=${name}\nAPI_KEY=${CANARY}\n`;
  writeProfile(folder, 'kimi', endpointOf('kimi'));
  await start(product, folder);
  const kept = path.join(product.paths.team, 'crew');
  writeProfile(kept, 'glm', endpointOf('glm'));
  writeProfile(kept, 'key', `API_KEY=${CANARY}\n`);
  await deliver(product, 'ann', 'remember me');
  const document = path.join(kept, 'agents', 'ann.md');
  const change = (from: string, to: string) =>
    fs.writeFileSync(document, fs.readFileSync(document, 'utf8').replace(from, to));

  await ask(product, 'shutdown');
  change('profile: kimi', 'profile: glm');
  const refused = await ask(product, 'restart');
  expect(refused).toMatchObject({
    code: 1,
    reason: 'resume_atomicity',
    next: [expect.stringMatching(/--allow-fresh$/)],
  });
  expect(refused.message).toMatch(/profile kimi, and the one of now is glm/);
  expect(product.rows('select incarnation from incarnations where ended_at is null')).toEqual([]);

  change('auth_mode: compatible_api\nprofile: glm', 'auth_mode: official_api\nprofile: key');
  const told =
    'ann goes on with the profile key (official_api): its conversation began with the profile kimi (compatible_api).';
  expect(await product.json(['restart'])).toMatchObject({ ok: true, warnings: expect.arrayContaining([told]) });
  expect(await product.json(['start-agent', 'ann', '--force'])).toMatchObject({ start_mode: 'resumed', warnings: [] });
});

/** A Claude Code that says its version and does nothing else: what comes before a start needs no more of it. */
function silentClaude(): NodeJS.ProcessEnv {
  const bin = freshFolder('bin');
  const script = '#!/bin/sh\n[ "$1" = --version ] && echo "2.1.330 (Claude Code)" && exit 0\nexit 3\n';
  fs.writeFileSync(path.join(bin, 'claude'), script, { mode: 0o755 });
  return { PATH: `${bin}${path.delimiter}${process.env.PATH}` };
}

function claudeTeam(): string {
  const folder = path.join(product.workspace, 'docs', 'crew');
  fs.mkdirSync(path.join(folder, 'agents'), { recursive: true });
  fs.writeFileSync(
    path.join(folder, 'TEAM.md'),
    '---\nname: crew\ndefault_auth_mode: compatible_api\ndefault_profile: kimi\n---\nA team.\n',
  );
  for (const id of ['ann', 'bob']) {
    const head = `name: ${id}\nrole: worker\nprovider: claude\ntools: []\n`;
    fs.writeFileSync(path.join(folder, 'agents', `${id}.md`), `---\n${head}---\nWork.\n`);
  }
  return folder;
}

async function endpoint(status: number) {
  const keys: (string | undefined)[] = [];
  const server = http.createServer((request, response) => {
    keys.push(request.headers.authorization);
    request.resume().on('end', () => response.writeHead(status).end(`{"error":"no ${CANARY}"}`));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await once(server.close(), 'close');
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, keys, close };
}

test.each([
  [401, 'smoke_failed'],
  // Then the CLI itself is started, and this one ends at once.
  [200, 'agents_not_ready'],
])('B08 an endpoint that answers %i is asked once for a whole team, before any window: %s', async (status, reason) => {
  const environment = silentClaude();
  const { url, keys, close } = await endpoint(status);
  const folder = claudeTeam();
  writeProfile(folder, 'kimi', `AUTH_MODE=compatible_api\nBASE_URL=${url}/v1\nAPI_KEY=${CANARY}\nMODEL=k2\n`);
  try {
    const refused = await product.json<{ reason: string; message: string; evidence: object; next: string[] }>(
      ['quick-start', folder, '--trust'],
      { environment },
    );
    expect(refused).toMatchObject({ code: 1, reason });
    expect(keys).toEqual([`Bearer ${CANARY}`]);
    expect(JSON.stringify(refused)).not.toContain('CANARY');
    // What is refused is refused before there is any ledger.
    const ledger = fs.existsSync(product.paths.ledger);
    const opened = ledger ? product.rows('select incarnation from incarnations').length : 0;
    expect(opened).toBe(status === 401 ? 0 : 2);
    if (status !== 401) return;
    expect(refused.evidence).toMatchObject({ status: 'smoke_failed', reason: 'http_error', http_status: 401 });
    expect(fs.existsSync(path.join(product.paths.team, 'crew'))).toBe(false);
    const [doctor = ''] = refused.next;
    const asked = await product.json<{ ok: boolean; smoke: readonly object[] }>(doctor.split(' ').slice(1), {
      environment,
    });
    expect(asked).toMatchObject({
      ok: false,
      code: 1,
      smoke: [{ agent_id: 'ann', http_status: 401 }, { agent_id: 'bob' }],
    });
    expect(keys).toHaveLength(2);
  } finally {
    await close();
  }
});

test('B08 what a profile lacks is told before a coordinator is started, and PROFILE_SMOKE=off asks nobody', async () => {
  const environment = silentClaude();
  const { url, keys, close } = await endpoint(401);
  const folder = claudeTeam();
  const text = `AUTH_MODE=compatible_api\nBASE_URL=${url}\nMODEL=k2\nPROFILE_SMOKE=off\n`;
  const file = writeProfile(folder, 'kimi', text);
  try {
    const missing = await product.json<{ reason: string }>(['quick-start', folder, '--trust'], { environment });
    expect(missing).toMatchObject({ code: 1, reason: 'profile_required_values_missing' });
    expect(fs.existsSync(product.paths.team)).toBe(false);
    fs.appendFileSync(file, `API_KEY=${CANARY}\n`);
    const started = await product.json<{ reason: string }>(['quick-start', folder, '--trust'], { environment });
    expect(started.reason).toBe('agents_not_ready');
    expect(keys).toEqual([]);
  } finally {
    await close();
  }
});

test('B07 a blank profile is made once, with its mode, for a team that is not there yet', async () => {
  const make = ['profile', 'init', 'kimi', '--auth-mode', 'compatible_api', '--team', 'crew'];
  const made = await product.json(make);
  const folder = path.join(product.paths.team, 'crew', 'profiles');
  const file = path.join(folder, 'kimi.env');
  expect(made).toEqual({
    ok: true,
    code: 0,
    profile: 'kimi',
    auth_mode: 'compatible_api',
    path: file,
    template_path: path.join(folder, 'kimi.example.env'),
    created_profile: true,
    created_template: true,
    secret_written: false,
    safe_inspection_command: 'team-agent profile show kimi --team crew',
    raw_file_read_allowed_for_agents: false,
    instruction: expect.stringContaining(file),
  });
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  expect(fs.readdirSync(folder).sort()).toEqual([
    '.gitignore',
    'AGENTS.md',
    'CLAUDE.md',
    'kimi.env',
    'kimi.example.env',
  ]);
  fs.appendFileSync(file, `API_KEY=${CANARY}\n`);
  const before = fs.readFileSync(file, 'utf8');
  expect(await product.json(make)).toMatchObject({ ok: true, created_profile: false, created_template: false });
  const other = ['profile', 'init', 'kimi', '--auth-mode', 'official_api'];
  expect(await product.json(other)).toMatchObject({ ok: false, code: 1, reason: 'auth_mode_mismatch' });
  expect(fs.readFileSync(file, 'utf8')).toBe(before);
  expect(await product.json(make, { environment: { TEAM_AGENT_ID: 'ann' } })).toMatchObject({
    reason: 'worker_may_not',
  });
});

test('B07 A09 showing a profile starts nothing, changes nothing and prints no secret, in 80 columns', async () => {
  await product.run(['profile', 'init', 'kimi', '--auth-mode', 'compatible_api', '--team', 'crew']);
  const file = path.join(product.paths.team, 'crew', 'profiles', 'kimi.env');
  fs.appendFileSync(file, `API_KEY=${CANARY}\nBASE_URL=https://h.example/v1\nMODEL=${'k'.repeat(120)}\nODD LINE\n`);
  const tree = (): string =>
    JSON.stringify(
      fs
        .readdirSync(product.workspace, { recursive: true, encoding: 'utf8' })
        .map((name) => [name, fs.statSync(path.join(product.workspace, name)).mtimeMs]),
    );
  const before = tree();
  for (const command of ['show', 'doctor']) {
    const { code, stdout } = await product.run(['profile', command, 'kimi']);
    expect({ code, command }).toEqual({ code: 0, command });
    expect(stdout).toContain('kimi');
    expect(stdout).not.toContain('CANARY');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect((await product.run(['--json', 'profile', command, 'kimi'])).stdout).not.toContain('CANARY');
    expect(await product.json(['profile', command, 'nobody'])).toMatchObject({ code: 1, reason: 'profile_missing' });
  }
  expect(tree()).toBe(before);
  expect(product.coordinator()).toBeUndefined();
});
