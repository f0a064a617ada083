import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { agentWrapper } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';

const running: ChildProcess[] = [];

afterEach(() => {
  for (const child of running.splice(0)) if (child.pid) kill(-child.pid, 'SIGKILL');
});

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended by itself
  }
}

/** The wrapper around a shell command that writes its pid down each time that it starts. */
function wrap(command: string, restarts?: string, secrets?: string) {
  const folder = freshFolder('wrapper');
  const file = (name: string) => path.join(folder, name);
  fs.writeFileSync(file('token'), 'secret\n');
  if (secrets !== undefined) fs.writeFileSync(file('secrets'), secrets);
  const script = `echo $$ >> '${file('starts')}'; ${command}`;
  const child = spawn(agentWrapper, [file('token'), file('exit'), 'sh', '-c', script], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', ...(restarts === undefined ? {} : { TEAM_AGENT_RESTARTS: restarts }) },
    detached: true,
    stdio: 'ignore',
  });
  running.push(child);
  const lines = (name: string) =>
    fs.existsSync(file(name)) ? fs.readFileSync(file(name), 'utf8').split('\n').filter(Boolean) : [];
  return {
    child,
    ended: once(child, 'exit'),
    secretsLeft: () => fs.existsSync(file('secrets')),
    starts: () => lines('starts').map(Number),
    restarts: () => lines('restarts'),
    exit: () => lines('exit'),
  };
}

test('a command that fails is started again until its number is used up', async () => {
  const { ended, starts, restarts, exit } = wrap('exit 7', '3/600');
  await ended;
  expect(starts()).toHaveLength(4);
  expect(restarts()).toHaveLength(3);
  expect(restarts()[0]).toMatch(/^code 7 at \d+$/);
  expect(exit()[0]).toMatch(/^code 7 at \d+$/);
});

test('a command that is killed is started again, with the token and without the variable', async () => {
  const { starts, restarts, ended, exit } = wrap(
    '[ "$TEAM_AGENT_TOKEN" = secret ] || exit 0; env | grep -q TEAM_AGENT_RESTARTS && exit 0; exec sleep 60',
    '1/600',
  );
  for (const count of [1, 2]) {
    await eventually(`start ${count}`, () => starts().length === count);
    const pid = starts().at(-1) ?? 0;
    await eventually('it sleeps', () => fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'sleep');
    kill(pid, 'SIGKILL');
  }
  await ended;
  expect([starts().length, restarts().length]).toEqual([2, 1]);
  expect(exit()[0]).toMatch(/^code 137 /);
});

test('a command that ends well, or was interrupted, is not started again', async () => {
  const good = wrap('exit 0', '3/600');
  await good.ended;
  expect(good.starts()).toHaveLength(1);
  const interrupted = wrap('exec sleep 60', '3/600');
  await eventually('it runs', () => interrupted.starts().length === 1);
  const pid = interrupted.starts()[0] ?? 0;
  await eventually('it sleeps', () => fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'sleep');
  kill(-(interrupted.child.pid ?? 0), 'SIGINT');
  await interrupted.ended;
  expect(interrupted.starts()).toHaveLength(1);
  expect(interrupted.exit()[0]).toMatch(/^code 130 /);
});

test.each(['SIGTERM', 'SIGHUP'] as const)('%s ends it for good', async (signal) => {
  const { child, starts, ended } = wrap('exec sleep 60', '3/600');
  await eventually('it runs', () => starts().length === 1);
  kill(-(child.pid ?? 0), signal);
  await ended;
  expect(starts()).toHaveLength(1);
});

test('without the variable nothing is ever started again', async () => {
  const { ended, starts, restarts } = wrap('exit 7');
  await ended;
  expect([starts().length, restarts().length]).toEqual([1, 0]);
});

test('a command that fails while it is waited for ends too when nobody reads its screen', async () => {
  const { child, ended, exit } = wrap('touch starting; exit 7');
  await ended;
  expect(child.exitCode).toBe(7);
  expect(exit()[0]).toMatch(/^code 7 at \d+$/);
});

test('A09 B08 what is secret comes from a file that is gone when the command runs, also when it is started again', async () => {
  const secrets = "export KEY='a $b `c` '\\''d'\\'' \"e\"'\nexport OTHER=x\n";
  const holds = `[ "$KEY" = "a \\$b \\\`c\\\` 'd' \\"e\\"" ] && [ "$OTHER" = x ] && exit 7; exit 1`;
  const { ended, starts, restarts, exit, secretsLeft } = wrap(holds, '1/600', secrets);
  await ended;
  expect(starts()).toHaveLength(2);
  expect(restarts()[0]).toMatch(/^code 7 /);
  expect(exit()[0]).toMatch(/^code 7 /);
  expect(secretsLeft()).toBe(false);
});
