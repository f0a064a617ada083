import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { agentWrapper, identifyProcess, isRefusal, mint, probeProcess } from '../../src/kernel/index.ts';
import { type OpenPane, openTerminals, type PaneHandle, type Terminals, tmuxVersion } from '../../src/tmux/index.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';

const READER = path.join(import.meta.dirname, 'raw-reader.ts');
const OWNER = path.join(import.meta.dirname, 'owner.ts');
const PATH = process.env.PATH ?? '';
const [PASTE_START, PASTE_END] = ['\u001b[200~', '\u001b[201~'];

interface World {
  readonly folder: string;
  readonly socket: string;
  readonly terminals: Terminals;
  readonly gone: string[];
}
const worlds: World[] = [];

function world(folder = freshFolder('tmux')): World {
  const socket = path.join(folder, 's');
  const log = { info: () => undefined, warn: () => undefined };
  const terminals = openTerminals({ socket, folder: path.join(folder, 'paste'), environment: process.env, log });
  const made: World = { folder, socket, terminals, gone: [] };
  terminals.onGone((incarnation) => made.gone.push(incarnation));
  worlds.push(made);
  return made;
}

/** A word with tmux by somebody else than the driver. */
function tmux(world: World, ...argv: string[]): string {
  return execFileSync('tmux', ['-S', world.socket, ...argv], { encoding: 'utf8' }).trim();
}

/** The control client of a session, once it is there and another than `before`. One that was killed may still be listed. */
function clientPid(world: World, before = 0): Promise<number> {
  const pids = () => tmux(world, 'list-clients', '-t', '=team-a', '-F', '#{client_pid}').split('\n').map(Number);
  return eventually('a client is attached', () => pids().find((pid) => pid !== before && identifyProcess(pid)));
}

function serverLives(world: World): boolean {
  return spawnSync('tmux', ['-S', world.socket, 'list-sessions']).status === 0;
}

afterEach(async () => {
  for (const { terminals, ...rest } of worlds.splice(0)) {
    await terminals.reviveWith('');
    for (const pane of (await terminals.panes()) ?? []) expect(await terminals.close(pane)).toBe(true);
    await terminals.detach();
    await eventually('the server ends with its last pane', () => !serverLives({ terminals, ...rest }));
  }
});

async function open(
  world: World,
  argv: readonly string[],
  options: Partial<Omit<OpenPane, 'argv' | 'window'>> = {},
): Promise<PaneHandle> {
  const incarnation = options.incarnation ?? mint.incarnation();
  const handle = await world.terminals.open({
    session: 'team-a',
    window: 'worker',
    folder: world.folder,
    environment: { PATH },
    argv,
    ...options,
    incarnation,
  });
  if (isRefusal(handle)) throw new Error(JSON.stringify(handle));
  return handle;
}

/** A pane with a program that writes what it gets to a file. */
async function openReader(world: World, name = 'got'): Promise<{ pane: PaneHandle; got: () => Buffer }> {
  const file = path.join(world.folder, name);
  const pane = await open(world, [process.execPath, READER, file]);
  await eventually('the reader reads', () => fs.existsSync(file));
  return { pane, got: () => fs.readFileSync(file) };
}

function wrapped(world: World, name: string, ...argv: string[]): { argv: string[]; exit: string } {
  const token = path.join(world.folder, `${name}.token`);
  const exit = path.join(world.folder, `${name}.exit`);
  fs.writeFileSync(token, `token-of-${name}\n`, { mode: 0o600 });
  return { argv: [agentWrapper, token, exit, ...argv], exit };
}

function everyCommandLine(): string {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch (error) {
        return String(error).includes('ENOENT') || String(error).includes('ESRCH') ? '' : String(error);
      }
    })
    .join('\n');
}

function variables(pane: PaneHandle): Map<string, string> {
  const entries = fs.readFileSync(`/proc/${pane.process.pid}/environ`, 'utf8').split('\0');
  return new Map(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
}

test('8 panes open concurrently in one new session, each with its own environment, and nothing else is in it', async () => {
  const here = world();
  const names = [...'abcdefgh'];
  const panes = await Promise.all(
    names.map((name) =>
      open(here, ['sleep', '600'], {
        incarnation: `i_${name}`,
        environment: { PATH, MINE: name, [`ONLY_${name}`]: '1' },
      }),
    ),
  );
  expect(new Set(panes.map((pane) => pane.pane)).size).toBe(8);
  const listed = await here.terminals.panes();
  expect(listed?.map((pane) => pane.incarnation).sort()).toEqual(names.map((name) => `i_${name}`));
  expect(listed).toEqual(expect.arrayContaining(panes));
  expect(tmux(here, 'list-windows', '-a', '-F', '#{window_name} #{window_width}x#{window_height}').split('\n')).toEqual(
    [...names.map(() => 'worker 200x50'), 'keeper 200x50'],
  );
  for (const [index, pane] of panes.entries()) {
    await eventually('sleep runs', () => variables(pane).get('MINE') === names[index]);
    expect([...variables(pane).keys()].filter((name) => name.startsWith('ONLY_'))).toEqual([`ONLY_${names[index]}`]);
  }
  expect(tmux(here, 'show-environment', '-t', '=team-a:')).not.toMatch(/MINE|ONLY_/);
});

test('environment, folder and arguments arrive whole, and no value is in a command line', async () => {
  const here = world();
  const odd = `#{pane_id} ##[x] $HOME \\ " ' ; {x} ~ %1\n\ttab ünï 😀`;
  const folder = path.join(here.folder, `odd #{x} ##y #[z] $HOME "q' ü`);
  fs.mkdirSync(folder);
  const out = path.join(here.folder, 'out');
  const script = `require('fs').writeFileSync(${JSON.stringify(out)}, JSON.stringify({
    odd: process.env.ODD, token: process.env.TEAM_AGENT_TOKEN, argv: process.argv.slice(1), cwd: process.cwd() }));
    setInterval(() => {}, 1000)`;
  for (const name of ['first', 'second']) {
    const secret = `secret-of-${name}-${mint.nonce()}`;
    const { argv } = wrapped(here, name, process.execPath, '-e', script, odd, name);
    await open(here, argv, { folder, environment: { PATH, ODD: odd, SECRET: secret } });
    const seen = await eventually('the program writes', () => {
      const text = fs.existsSync(out) ? fs.readFileSync(out, 'utf8') : '';
      return text.endsWith('}') && JSON.parse(text);
    });
    fs.rmSync(out);
    expect(seen).toEqual({ odd, token: `token-of-${name}`, argv: [odd, name], cwd: folder });
    const visible = everyCommandLine() + tmux(here, 'list-panes', '-a', '-F', '#{pane_start_command}');
    expect(visible).toContain(name);
    expect(visible).not.toContain(secret);
    expect(visible).not.toContain(`token-of-${name}`);
  }
});

test('Z20 sessions whose names begin alike are independent', async () => {
  const here = world();
  const long = await open(here, ['sleep', '600'], { session: 'team-ab' });
  const short = await open(here, ['sleep', '600'], { session: 'team-a' });
  expect(tmux(here, 'list-sessions', '-F', '#{session_name}').split('\n').sort()).toEqual(['team-a', 'team-ab']);
  expect(await here.terminals.close(short)).toBe(true);
  await here.terminals.closeSession('team-a');
  await here.terminals.closeSession('team-ab');
  expect(await here.terminals.panes()).toEqual([long]);
  expect(here.gone).toEqual([short.incarnation]);
});

test('a whole session is closed at once beside another one, whose agents live on', async () => {
  const here = world();
  const stays = await open(here, ['sleep', '600'], { session: 'team-b' });
  for (let round = 1; round <= 5; round++) {
    const panes = await Promise.all([1, 2, 3].map(() => open(here, ['sleep', '600'])));
    expect(await Promise.all(panes.map((pane) => here.terminals.close(pane)))).toEqual([true, true, true]);
    await here.terminals.closeSession('team-a');
    expect(await here.terminals.panes()).toEqual([stays]);
  }
});

/** Kills processes while the server cannot look: it learns of all of them in the same moment. */
function killAtOnce(world: World, pids: readonly number[]): void {
  const server = Number(tmux(world, 'display-message', '-p', '#{pid}'));
  process.kill(server, 'SIGSTOP');
  try {
    for (const pid of pids) process.kill(pid, 'SIGKILL');
  } finally {
    process.kill(server, 'SIGCONT');
  }
}

test('programs of one session that end in the same moment take nobody else along', async () => {
  const here = world();
  const stays = await open(here, ['sleep', '600'], { session: 'team-b' });
  for (let round = 1; round <= 5; round++) {
    const panes = await Promise.all([1, 2, 3].map(() => open(here, ['sleep', '600'])));
    killAtOnce(
      here,
      panes.map((pane) => pane.process.pid),
    );
    await eventually('each end is told', () => panes.every((pane) => here.gone.includes(pane.incarnation)));
    expect(await here.terminals.panes()).toEqual([stays]);
    await eventually('the session has ended', () => tmux(here, 'list-sessions', '-F', '#{session_name}') === 'team-b');
  }
  expect(here.gone).not.toContain(stays.incarnation);
});

test('a session ends with its last agent when nobody is attached, and its server with it', async () => {
  const here = world();
  const panes = await Promise.all([1, 2].map(() => open(here, ['sleep', '600'])));
  const person = tmux(here, 'new-window', '-d', '-P', '-F', '#{pane_pid}', '-t', '=team-a:', 'sleep 600');
  await here.terminals.detach();
  killAtOnce(
    here,
    panes.map((pane) => pane.process.pid),
  );
  await eventually('only the window of a person is left', () => {
    return tmux(here, 'list-windows', '-F', '#{window_name}').split('\n').length === 2;
  });
  process.kill(Number(person), 'SIGKILL');
  await eventually('the server has ended', () => !serverLives(here));
});

test('what is set for a revival can be set aside and back', async () => {
  const here = world();
  await open(here, ['sleep', '600']);
  expect(await here.terminals.reviveWith('true one')).toBe('');
  expect(await here.terminals.reviveWith('')).toBe('true one');
  expect(tmux(here, 'show-hooks', '-g', 'client-detached')).not.toContain('true one');
  expect(await here.terminals.reviveWith('true one')).toBe('');
  expect(tmux(here, 'show-hooks', '-g', 'client-detached')).toContain('true one');
});

test('somebody who closes the keeper ends no agent', async () => {
  const here = world();
  const pane = await open(here, ['sleep', '600']);
  const other = await open(here, ['sleep', '600']);
  tmux(here, 'kill-window', '-t', '=team-a:=keeper');
  expect(await here.terminals.close(other)).toBe(true);
  expect(await here.terminals.panes()).toEqual([pane]);
});

test('the end of a program is noticed, with its exit code there', async () => {
  const here = world();
  const stays = await open(here, ['sleep', '600']);
  // Not before it was seen alive.
  const go = path.join(here.folder, 'go');
  const then = (end: string): string[] => ['sh', '-c', `until [ -e ${go} ]; do sleep 0.02; done; ${end}`];
  const quits = wrapped(here, 'quits', ...then('exit 7'));
  const killed = wrapped(here, 'killed', ...then('kill -9 $$'));
  const pane = await here.terminals.open({
    session: 'team-a',
    window: 'quits',
    incarnation: 'i_quits',
    folder: here.folder,
    environment: { PATH },
    argv: quits.argv,
  });
  expect(isRefusal(pane)).toBe(false);
  fs.writeFileSync(go, '');
  await eventually('the end is told', () => here.gone.includes('i_quits'));
  fs.rmSync(go);
  expect(fs.readFileSync(quits.exit, 'utf8')).toMatch(/^code 7 at \d{10}\n$/);
  await open(here, killed.argv, { incarnation: 'i_killed' });
  fs.writeFileSync(go, '');
  await eventually('the end is told', () => here.gone.includes('i_killed'));
  expect(fs.readFileSync(killed.exit, 'utf8')).toMatch(/^code 137 at \d{10}\n$/);
  expect(here.gone).toEqual(['i_quits', 'i_killed']);
  expect(await here.terminals.panes()).toEqual([stays]);
});

test('a typed interrupt is for the program, and closing the pane ends both', async () => {
  const here = world();
  const { argv, exit } = wrapped(here, 'a', 'sh', '-c', 'trap "exit 9" INT; echo ready; while :; do sleep 1; done');
  const pane = await open(here, argv);
  await eventually('it runs', async () => (await here.terminals.screen(pane))?.includes('ready'));
  expect(await here.terminals.keys(pane, ['C-c'])).toBe(true);
  await eventually('the end is told', () => here.gone.includes(pane.incarnation));
  expect(fs.readFileSync(exit, 'utf8')).toMatch(/^code 9 /);
  expect(await here.terminals.keys(pane, ['C-c'])).toBe(false);

  const pidFile = path.join(here.folder, 'pid');
  const stubborn = wrapped(
    here,
    'b',
    'sh',
    '-c',
    'trap "" HUP TERM; echo $$ > "$0"; while :; do sleep 1; done',
    pidFile,
  );
  const other = await open(here, stubborn.argv);
  const child = await eventually('it runs', () => {
    const pid = fs.existsSync(pidFile) && Number(fs.readFileSync(pidFile, 'utf8'));
    return pid ? identifyProcess(pid) : undefined;
  });
  expect(await here.terminals.close(other)).toBe(true);
  await eventually('both have ended', () => probeProcess(child) === 'dead' && probeProcess(other.process) === 'dead');
});

test('E20 long, unicode and multi-line text arrives byte-equal through a paste', async () => {
  const here = world();
  const { pane, got } = await openReader(here);
  const texts = [
    'one line',
    'ends with line breaks\n\n\n',
    '\n\tnon-ascii: ünï 漢字 😀 e\u0301\u200d \u0007\u0001 "$HOME" \'#{pane_id}\' ; \\ %1 `x`\r\n -dash',
    `${'0123456789 äöü 漢字 😀\n'.repeat(4_000)}end`,
    '!'.repeat(300_000),
  ];
  let before = 0;
  const took: number[] = [];
  for (const [index, text] of texts.entries()) {
    const started = performance.now();
    expect(await here.terminals.paste(pane, text, `text-${index}`)).toEqual({ pasted: true });
    took.push(performance.now() - started);
    const expected = `${PASTE_START}${text}${PASTE_END}\r`;
    const size = Buffer.byteLength(expected);
    await eventually('it arrives', () => got().length >= before + size);
    expect(got().subarray(before).toString() === expected).toBe(true);
    before += size;
  }
  expect(Buffer.byteLength(texts[3] ?? '')).toBeGreaterThan(100_000);
  expect(tmux(here, 'list-buffers')).toBe('');
  expect(fs.readdirSync(path.join(here.folder, 'paste'))).toEqual([]);
  const sizes = texts.map((text) => `${Buffer.byteLength(text)} bytes`);
  console.info(`paste latency: ${took.map((ms, index) => `${sizes[index]} ${ms.toFixed(2)} ms`).join(', ')}`);
});

test('E21 100 parallel pastes leave no buffer behind and each arrives whole', async () => {
  const here = world();
  const readers = [await openReader(here, 'one'), await openReader(here, 'two')];
  const bodies = Array.from({ length: 100 }, (_, index) => `${index}\n${`body ${index} `.repeat(50)}`);
  const started = performance.now();
  const outcomes = await Promise.all(
    bodies.map((body, index) => {
      const reader = readers[index % 2];
      if (!reader) throw new Error('no reader');
      return here.terminals.paste(reader.pane, body, mint.delivery());
    }),
  );
  console.info(`100 parallel pastes: ${(performance.now() - started).toFixed(1)} ms`);
  expect(outcomes.filter((outcome) => outcome.pasted !== true)).toEqual([]);
  for (const [parity, { got }] of readers.entries()) {
    const expected = bodies
      .filter((_, index) => index % 2 === parity)
      .map((body) => `${PASTE_START}${body}${PASTE_END}`)
      .sort();
    const arrived = () =>
      got()
        .toString()
        .split('\r')
        .filter((body) => body !== '');
    const size = expected.reduce((sum, body) => sum + Buffer.byteLength(body) + 1, 0);
    await eventually('all arrive', () => got().length >= size);
    expect(arrived().sort()).toEqual(expected);
  }
  expect(tmux(here, 'list-buffers')).toBe('');
  expect(fs.readdirSync(path.join(here.folder, 'paste'))).toEqual([]);
});

test('E16 a pane in copy-mode is refused, and nothing of the text is in the composer afterwards', async () => {
  const here = world();
  const { pane, got } = await openReader(here);
  tmux(here, 'copy-mode', '-t', pane.pane);
  expect(await here.terminals.facts(pane)).toMatchObject({ inMode: true, mode: 'copy-mode', dead: false, width: 200 });
  expect(await here.terminals.paste(pane, 'lost', 'x')).toMatchObject({ pasted: false, why: 'pane_in_mode' });
  expect(await here.terminals.keys(pane, ['Enter'])).toBe(false);
  expect(tmux(here, 'list-buffers')).toBe('');
  tmux(here, 'send-keys', '-X', '-t', pane.pane, 'cancel');
  expect(await here.terminals.paste(pane, 'kept', 'x')).toEqual({ pasted: true });
  await eventually('it arrives', () => got().length > 0);
  expect(got().toString()).toBe(`${PASTE_START}kept${PASTE_END}\r`);
});

test('M10 a paste is ruled out before it is begun, for good, and never after', async () => {
  const here = world();
  const { pane, got } = await openReader(here);
  const ruleOut = (name: string, where: PaneHandle = pane) => here.terminals.ruleOutPaste(where, name);
  for (const _ of 'twice') expect(await ruleOut('first')).toBe('ruled_out');
  expect(await ruleOut('second')).toBe('ruled_out');
  // As when the request of a coordinator that was killed is still on its way.
  for (const late of ['first', 'second']) {
    expect(await here.terminals.paste(pane, 'too late', late)).toMatchObject({ pasted: false });
  }
  expect(await here.terminals.paste(pane, 'third', 'third')).toEqual({ pasted: true });
  expect(await ruleOut('third')).toBe('begun');
  await eventually('it arrives', () => got().length > 0);
  expect(got().toString()).toBe(`${PASTE_START}third${PASTE_END}\r`);
  expect(tmux(here, 'list-buffers')).toBe('');
  expect(await ruleOut('fourth', { ...pane, incarnation: 'i_other' })).toBeUndefined();
  expect(await ruleOut('fourth', { ...pane, pane: '%9999' })).toBeUndefined();
  // A pane that bears no marks was opened by a build that left none, or in the place of one that closed.
  tmux(here, 'set-option', '-pu', '-t', pane.pane, '@team_agent_typed');
  expect(await ruleOut('fourth')).toBeUndefined();
  const other = await open(here, ['sleep', '600'], { again: true });
  expect(await ruleOut('fourth', other)).toBeUndefined();
  expect(await here.terminals.paste(other, 'fifth', 'fifth')).toEqual({ pasted: true });
  expect(await ruleOut('fifth', other)).toBe('begun');
});

test('M10 it is ruled out or begun, never both, when both are asked for at once', async () => {
  const here = world();
  const { pane, got } = await openReader(here);
  const begun: string[] = [];
  for (let round = 0; round < 60; round++) {
    const pasting = here.terminals.paste(pane, `round ${round}`, `p${round}`);
    // From long before tmux is asked for it to long after.
    for (let asked = 0; asked < round % 20; asked++) await here.terminals.facts(pane);
    const said = await here.terminals.ruleOutPaste(pane, `p${round}`);
    const pasted = await pasting;
    expect([pasted.pasted, said], `round ${round}`).toEqual(pasted.pasted ? [true, 'begun'] : [false, 'ruled_out']);
    if (pasted.pasted) begun.push(`${PASTE_START}round ${round}${PASTE_END}\r`);
  }
  expect([begun.length > 0, begun.length < 60]).toEqual([true, true]);
  await eventually('all that was begun arrives', () => got().length >= begun.join('').length);
  expect(got().toString()).toBe(begun.join(''));
});

test('a paste to a pane that has just died, or is not ours any more, is refused and the server lives', async () => {
  const here = world();
  const stays = await open(here, ['sleep', '600']);
  for (let round = 0; round < 30; round++) {
    const pane = await open(here, ['cat', '-']);
    process.kill(pane.process.pid, 'SIGKILL');
    if (round % 2) await eventually('it has ended', () => probeProcess(pane.process) === 'dead');
    const outcome = await here.terminals.paste(pane, 'too late', `late-${round}`);
    // The kernel may let the paste win the race against the signal; after the process's end it never does.
    if (round % 2) expect(outcome).toMatchObject({ pasted: false, why: 'pane_dead' });
    await eventually('the pane has gone', async () => (await here.terminals.facts(pane)) === undefined);
    const unaware: PaneHandle = { ...stays, pane: pane.pane, incarnation: pane.incarnation };
    expect(await here.terminals.paste(unaware, 'gone', `gone-${round}`)).toMatchObject({
      pasted: false,
      why: 'pane_gone',
    });
  }
  const reused: PaneHandle = { ...stays, incarnation: 'i_other' };
  expect(await here.terminals.paste(reused, 'not yours', 'x')).toMatchObject({ pasted: false, why: 'pane_reused' });
  const nowhere: PaneHandle = { ...stays, pane: '%9999' };
  expect(await here.terminals.paste(nowhere, 'nobody', 'x')).toMatchObject({ pasted: false, why: 'pane_gone' });
  for (const wrong of [reused, nowhere]) {
    expect(await here.terminals.keys(wrong, ['Enter'])).toBe(false);
    expect(await here.terminals.facts(wrong)).toBeUndefined();
    expect(await here.terminals.screen(wrong)).toBeUndefined();
  }
  expect(tmux(here, 'list-buffers')).toBe('');
  expect(await here.terminals.panes()).toEqual([stays]);
});

test('a pane that is dead but still shown is refused', async () => {
  const here = world();
  const stays = await open(here, ['sleep', '600']);
  const pane = await open(here, ['sh', '-c', 'sleep 600']);
  tmux(here, 'set-option', '-p', '-t', pane.pane, 'remain-on-exit', 'on');
  process.kill(pane.process.pid, 'SIGKILL');
  await eventually(
    'tmux shows it as dead',
    () => tmux(here, 'display-message', '-p', '-t', pane.pane, '#{pane_dead}') === '1',
  );
  // As if the process were there: so that tmux's own guard decides.
  const self = identifyProcess(process.pid);
  if (!self) throw new Error('no self');
  const claimed: PaneHandle = { ...pane, process: { ...self, pid: pane.process.pid } };
  expect(await here.terminals.paste(claimed, 'to the dead', 'x')).toMatchObject({ pasted: false, why: 'pane_dead' });
  expect(await here.terminals.panes()).toEqual([stays]);
  tmux(here, 'kill-pane', '-t', pane.pane);
});

test('the control client is replaced when it is killed, and deaths are still noticed', async () => {
  const here = world();
  const pane = await open(here, ['sleep', '600']);
  const other = await open(here, ['sleep', '600']);
  for (let round = 0; round < 3; round++) {
    const before = await clientPid(here);
    process.kill(before, 'SIGKILL');
    // At once: the one that was killed is perhaps not known to have ended.
    expect(await here.terminals.facts(pane)).toMatchObject({ dead: false });
    await clientPid(here, before);
  }
  expect(here.gone).toEqual([]);
  process.kill(other.process.pid, 'SIGKILL');
  await eventually('the end is told', () => here.gone.includes(other.incarnation));
});

test('a paste whose connection breaks is unknown or refused, never claimed, and leaves no buffer', async () => {
  const here = world();
  const { pane, got } = await openReader(here);
  for (let round = 0; round < 10; round++) {
    const size = got().length;
    const client = await clientPid(here);
    const pasting = here.terminals.paste(pane, `round ${round}`, `round-${round}`);
    process.kill(client, 'SIGKILL');
    const outcome = await pasting;
    if (outcome.pasted === true) await eventually('it arrives', () => got().length > size);
    if (outcome.pasted === false) expect(outcome.why).toBe('tmux_unreachable');
    await eventually('connected again', async () => (await here.terminals.facts(pane)) !== undefined);
    if (outcome.pasted === 'unknown') {
      // It may have been made: whatever comes of it comes before this.
      expect(await here.terminals.paste(pane, `after ${round}`, `after-${round}`)).toEqual({ pasted: true });
      await eventually('it arrives', () => got().subarray(size).toString().includes(`after ${round}`));
    }
    if (outcome.pasted === false) {
      expect(await here.terminals.paste(pane, 'again', `again-${round}`)).toEqual({ pasted: true });
      await eventually('it arrives', () => got().subarray(size).toString().includes('again'));
      expect(got().subarray(size).toString()).toBe(`${PASTE_START}again${PASTE_END}\r`);
    }
  }
  await here.terminals.attach();
  expect(tmux(here, 'list-buffers')).toBe('');
});

test('kill -9 of the owner runs the revive command, and a new owner finds the agents', async () => {
  const here = world(freshFolder('owner'));
  const folder = path.join(here.folder, `it's "odd" #{x}`);
  fs.mkdirSync(folder);
  const revived = path.join(folder, 'revived');
  const ready = path.join(here.folder, 'ready');
  const revive = `echo "$HOME" > '${revived.replaceAll("'", `'\\''`)}'`;
  const owner = spawn(process.execPath, [OWNER, here.socket, here.folder, revive, ready], { stdio: 'inherit' });
  const handle = JSON.parse(
    await eventually('the owner is ready', () => fs.existsSync(ready) && fs.readFileSync(ready, 'utf8')),
  );
  const started = performance.now();
  owner.kill('SIGKILL');
  await eventually('the hook ran', () => fs.existsSync(revived) && fs.readFileSync(revived, 'utf8') !== '');
  console.info(`revive hook: ${(performance.now() - started).toFixed(1)} ms`);
  expect(fs.readFileSync(revived, 'utf8')).toBe(`${process.env.HOME}\n`);
  await here.terminals.attach();
  expect(await here.terminals.panes()).toEqual([handle]);
  await here.terminals.reviveWith('');
  expect(tmux(here, 'show-hooks', '-g', 'client-detached')).toBe('client-detached');
  process.kill(handle.process.pid, 'SIGKILL');
  await eventually('the end is told', () => here.gone.includes('i_owned'));
});

test('detach leaves the agents alive; after the last close the server is gone', async () => {
  const here = world();
  const pane = await open(here, ['sleep', '600']);
  const server = identifyProcess(Number(tmux(here, 'display-message', '-p', '#{pid}')));
  if (!server) throw new Error('no server');
  await here.terminals.detach();
  expect(tmux(here, 'list-clients')).toBe('');
  expect(probeProcess(pane.process)).toBe('alive');
  const next = world(here.folder);
  await next.terminals.attach();
  expect(await next.terminals.panes()).toEqual([pane]);
  expect(await next.terminals.close(pane)).toBe(true);
  await next.terminals.closeSession('team-a');
  await eventually('the server ends', () => probeProcess(server) === 'dead');
  expect(await next.terminals.panes()).toEqual([]);
  expect(next.gone).toEqual([pane.incarnation]);
  expect(here.gone).toEqual([]);
});

test('the server killed as a whole: all panes are gone, and a new one opens', async () => {
  const here = world();
  const panes = await Promise.all([open(here, ['sleep', '600']), open(here, ['sleep', '600'])]);
  process.kill(Number(tmux(here, 'display-message', '-p', '#{pid}')), 'SIGKILL');
  await eventually('both ends are told', () => here.gone.length === 2);
  expect([...here.gone].sort()).toEqual(panes.map((pane) => pane.incarnation).sort());
  expect(await here.terminals.panes()).toEqual([]);
  const pane = await open(here, ['sleep', '600']);
  expect(await here.terminals.panes()).toEqual([pane]);
});

test('a session whose only agent has just ended is opened again at once', async () => {
  const here = world();
  for (let round = 0; round < 40; round++) {
    const pane = await open(here, ['sleep', '600']);
    process.kill(pane.process.pid, 'SIGKILL');
    if (round % 2) await eventually('it has ended', () => probeProcess(pane.process) === 'dead');
  }
  await eventually('all ends are told', () => here.gone.length === 40);
  expect(await here.terminals.panes()).toEqual([]);
});

test('a server that has outlived its last session has no panes, and opens the next session', async () => {
  const here = world();
  try {
    for (let round = 0; round < 10; round++) {
      const pane = await open(here, ['sleep', '600']);
      // A server that still has a client to let go is like this for a moment.
      tmux(here, 'set-option', '-s', 'exit-empty', 'off');
      process.kill(pane.process.pid, 'SIGKILL');
      if (round % 2) continue;
      await eventually('it has no panes', async () => (await here.terminals.panes())?.length === 0);
      expect(serverLives(here)).toBe(true);
    }
    const last = await open(here, ['sleep', '600']);
    expect(await here.terminals.panes()).toEqual([last]);
  } finally {
    tmux(here, 'set-option', '-s', 'exit-empty', 'on');
  }
});

test('a tmux that does not answer is unknown, not empty', async () => {
  const here = world();
  expect(await here.terminals.panes()).toEqual([]);
  const stranger = net.createServer((connection) => connection.destroy());
  await new Promise<void>((resolve) => stranger.listen(here.socket, resolve));
  expect(await here.terminals.panes()).toBeUndefined();
  const request = { session: 'team-a', window: 'a', incarnation: 'i_1', folder: here.folder, environment: { PATH } };
  expect(await here.terminals.open({ ...request, argv: ['cat', '-'] })).toMatchObject({ reason: 'tmux_failed' });
  await new Promise((resolve) => stranger.close(resolve));
  expect(await here.terminals.panes()).toEqual([]);
});

test('Z13 what is in the way is refused and left as it is', async () => {
  const request = { session: 'team-a', window: 'a', incarnation: 'i_1', environment: { PATH }, argv: ['sleep', '600'] };
  const here = world();
  fs.writeFileSync(here.socket, 'mine');
  const refusal = await here.terminals.open({ ...request, folder: here.folder });
  expect(refusal).toMatchObject({ ok: false, reason: 'socket_taken' });
  expect(fs.readFileSync(here.socket, 'utf8')).toBe('mine');
  fs.rmSync(here.socket);

  tmux(here, '-f', '/dev/null', 'new-session', '-d', '-s', 'team-a', 'sleep', '600');
  expect(await here.terminals.open({ ...request, folder: here.folder })).toMatchObject({
    reason: 'session_name_taken',
  });
  await here.terminals.closeSession('team-a');
  expect(tmux(here, 'list-sessions', '-F', '#{session_name}')).toBe('team-a');
  tmux(here, 'kill-session', '-t', '=team-a');
  await here.terminals.open({ ...request, folder: here.folder, argv: ['/no/such/program', 'x'] });
  await eventually('a program that is not there leaves no pane', async () => {
    return (await here.terminals.panes())?.length === 0;
  });
});

test('the version of tmux is known, and a missing one is refused', async () => {
  expect(await tmuxVersion(process.env)).toEqual({ version: expect.stringMatching(/\d/) });
  const empty = freshFolder('path');
  expect(await tmuxVersion({ PATH: empty })).toMatchObject({ ok: false, reason: 'tmux_missing' });
  fs.writeFileSync(path.join(empty, 'tmux'), '#!/bin/sh\necho tmux 3.1c\n', { mode: 0o755 });
  const old = await tmuxVersion({ PATH: empty });
  expect(old).toMatchObject({ ok: false, reason: 'tmux_too_old', next: expect.arrayContaining(['tmux -V']) });
});

test('the wrapper needs a token, and says so', () => {
  const folder = freshFolder('wrapper');
  const exit = path.join(folder, 'exit');
  const ran = spawnSync(agentWrapper, [path.join(folder, 'none'), exit, 'true'], { encoding: 'utf8' });
  expect(ran.status).toBe(126);
  expect(ran.stderr).toContain('no token');
  expect(fs.readFileSync(exit, 'utf8')).toMatch(/^code 126 at \d+\n$/);
  expect(fs.readdirSync(folder)).toEqual(['exit']);
});
