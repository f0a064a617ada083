import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { BOUNDARIES, identifyProcess, probeProcess, signalProcess } from '../../src/kernel/index.ts';
import type { AgentHandle } from '../../src/providers/index.ts';
import { eventually } from '../support/eventually.ts';
import {
  ADD,
  CrashScene,
  deliveryIs,
  LAUNCH,
  provedOnce,
  REMOVE,
  RESET,
  reportedOnce,
  SHUTDOWN,
  STOP,
} from './crash-scene.ts';

const scenes: CrashScene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.end();
});

const AGENTS = [{ id: 'one' }, { id: 'two', script: 'channel: paste\n' }];

async function scene(crashAt: string) {
  const made = new CrashScene('crash');
  scenes.push(made);
  const daemon = await made.daemon(crashAt);
  return { made, daemon, docs: made.writeTeam('alpha', AGENTS) };
}

test('M10 every boundary of the verbs that start and end agents is swept', () => {
  const concerned = BOUNDARIES.filter((name) => !/^(send|offer|receipt|requeue|release|result)\./.test(name));
  expect(['launch.journalled', ...LAUNCH, ...ADD, ...STOP, ...RESET, ...REMOVE, ...SHUTDOWN].sort()).toEqual(
    [...concerned].sort(),
  );
});

describe('M10 kill -9 of the coordinator while a team starts', () => {
  test.each([...LAUNCH, 'launch.spawned#2', 'launch.attached#2'])(
    'M10 at %s: the half-started team is undone with nobody typing, and the next start succeeds',
    async (boundary) => {
      const { made, daemon, docs } = await scene(boundary);
      expect(await made.json(['quick-start', docs])).toMatchObject({ ok: false, reason: 'coordinator_lost', code: 4 });
      await made.crashedAndRevived(daemon, boundary);
      await undone(made);
      await startsAndWorks(made, docs, 2);
    },
  );

  test('M10 at launch.journalled: no tmux server is there yet to revive it, the next command undoes', async () => {
    const { made, daemon, docs } = await scene('launch.journalled');
    expect(await made.json(['quick-start', docs])).toMatchObject({ ok: false, reason: 'coordinator_lost', code: 4 });
    await made.crashed(daemon);
    await startsAndWorks(made, docs, 2);
    expect(made.rows(`select outcome from sagas where verb = 'launch' order by started_at`)).toEqual([
      { outcome: 'undone' },
      { outcome: 'done' },
    ]);
  });
});

/** Waits until boot has undone the launch: no life is open, no agent runs, no pane and no file of it is left. */
async function undone(made: CrashScene): Promise<void> {
  await eventually('the launch to be undone', () => made.rows('select outcome from sagas')[0]?.outcome === 'undone');
  expect(made.rows('select * from incarnations where ended_at is null')).toEqual([]);
  expect(made.rows('select intent from teams')).toEqual([{ intent: 'stopped' }]);
  const own = made.coordinator()?.pid;
  await eventually('all but the coordinator to end', () => made.processes().every((pid) => pid === own));
  const agents = path.join(made.paths.run, 'agents');
  expect(fs.existsSync(agents) ? fs.readdirSync(agents) : []).toEqual([]);
  expect(fs.readdirSync(made.paths.sockets).filter((name) => name !== 'tmux.sock')).toEqual(['coordinator.sock']);
}

async function startsAndWorks(made: CrashScene, docs: string, boots: number): Promise<void> {
  expect(await made.json(['quick-start', docs])).toMatchObject({ ok: true, code: 0 });
  expect(made.epoch()).toBe(boots);
  expect(made.rows('select * from incarnations where ended_at is null')).toHaveLength(2);
  expect(await made.json(['send', 'one', 'after the crash'])).toMatchObject({ ok: true });
  const row = await deliveryIs(made, 'after the crash', 'answered');
  provedOnce(made, row, 'one');
  reportedOnce(made, row.message_id);
  expect(await made.json(['shutdown'])).toMatchObject({ ok: true, code: 0 });
  await made.nothingLeft();
}

test('M10 it is revived although tmux owes it an answer when it is killed', async () => {
  const { made, daemon, docs } = await scene('');
  expect((await made.run(['quick-start', docs])).code).toBe(0);
  const server = identifyProcess(Number(made.tmux('display-message', '-p', '#{pid}')));
  if (!server) throw new Error('no tmux server');
  signalProcess(server, 'SIGSTOP');
  try {
    // The line asks tmux about the pane before it offers anything; the answer will find nobody.
    expect(await made.json(['send', 'two', 'unanswered'])).toMatchObject({ ok: true });
    expect(await made.json(['coordinator', 'status'])).toMatchObject({ ok: true });
    await made.killCoordinator();
  } finally {
    signalProcess(server, 'SIGCONT');
  }
  await made.crashedAndRevived(daemon, 'answer pending');
  provedOnce(made, await deliveryIs(made, 'unanswered', 'answered'), 'two');
});

describe('M10 kill -9 of the coordinator while a team is shut down', () => {
  test.each(SHUTDOWN)('M10 Z34 at %s: the next shutdown completes it', async (boundary) => {
    const { made, daemon, docs } = await scene(boundary);
    expect((await made.run(['quick-start', docs])).code).toBe(0);
    expect(await made.json(['shutdown'])).toMatchObject({ ok: false, reason: 'coordinator_lost', code: 4 });
    await made.crashed(daemon);
    expect(await made.json(['shutdown'])).toMatchObject({ ok: true, code: 0 });
    await completed(made);
  });

  test.each(SHUTDOWN)('M10 Z34 at %s: boot completes it', async (boundary) => {
    const { made, daemon, docs } = await scene(boundary);
    expect((await made.run(['quick-start', docs])).code).toBe(0);
    expect((await made.run(['shutdown'])).code).toBe(4);
    await made.crashed(daemon);
    expect((await made.run(['coordinator', 'start'])).code).toBe(0);
    expect((await made.run(['coordinator', 'stop'])).code).toBe(0);
    await completed(made);
  });
});

/** Every life is written down as ended and truly is; the shutdown is done, once. */
async function completed(made: CrashScene): Promise<void> {
  await made.nothingLeft();
  const lives = made.rows('select handle, ended_at from incarnations');
  expect(lives).toHaveLength(2);
  for (const life of lives) {
    expect(life.ended_at).not.toBeNull();
    expect(probeProcess((JSON.parse(String(life.handle)) as AgentHandle).process)).toBe('dead');
  }
  expect(made.rows(`select outcome from sagas where verb = 'shutdown'`)).toEqual([{ outcome: 'done' }]);
  expect(made.rows(`select type from events where type = 'team.stopped'`)).toHaveLength(1);
  expect(made.rows('select intent from teams')).toEqual([{ intent: 'stopped' }]);
}
