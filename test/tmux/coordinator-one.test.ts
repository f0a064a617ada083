import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { identifyProcess, probeProcess, signalProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { CrashScene, deliveryIs } from './crash-scene.ts';

const scenes: CrashScene[] = [];
const undo: (() => void)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0)) step();
  for (const scene of scenes.splice(0)) await scene.end();
});

async function scene(teams = ['alpha']) {
  const made = new CrashScene('one');
  scenes.push(made);
  for (const team of teams) {
    const docs = made.writeTeam(team, [{ id: 'worker' }]);
    expect((await made.run(['quick-start', docs, '--team-id', team])).code).toBe(0);
  }
  return made;
}

function coordinatorOf(made: CrashScene) {
  const found = made.coordinator();
  if (!found) throw new Error('no coordinator lives');
  return found;
}

/** Processes that run as a coordinator of this workspace, whoever they say they are. */
function daemons(made: CrashScene): number[] {
  return made.processes().filter((pid) => {
    const words = fs.existsSync(`/proc/${pid}/cmdline`) ? fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';
    return words.includes('\0coordinator\0run\0');
  });
}

const lifeOf = (made: CrashScene) => made.rows('select incarnation, ended_at from incarnations order by launched_at');

describe('one coordinator per workspace', () => {
  test('I01 ten starts at once make one coordinator, and all ten find it', async () => {
    const made = await scene();
    expect((await made.run(['coordinator', 'stop'])).code).toBe(0);
    const before = made.epoch();
    const starts = await Promise.all(Array.from({ length: 10 }, () => made.json(['coordinator', 'start'])));
    expect(starts.map((start) => [start.ok, start.code, start.pid])).toEqual(
      starts.map(() => [true, 0, coordinatorOf(made).pid]),
    );
    await eventually('the others to end', () => daemons(made).length === 1);
    expect(daemons(made)).toEqual([coordinatorOf(made).pid]);
    expect(made.epoch()).toBe(before + 1);
  });

  test('I01 of ten first starts of a team one wins, and the others are refused', async () => {
    const made = new CrashScene('one');
    scenes.push(made);
    const docs = made.writeTeam('alpha', [{ id: 'worker' }]);
    const starts = await Promise.all(Array.from({ length: 10 }, () => made.json(['quick-start', docs])));
    expect(starts.filter((start) => start.ok)).toHaveLength(1);
    const refused = starts.filter((start) => !start.ok).map((start) => start.reason);
    expect(new Set(refused)).toEqual(new Set(['team_already_running']));
    expect(lifeOf(made)).toHaveLength(1);
    await eventually('the others to end', () => daemons(made).length === 1);
    expect(daemons(made)).toEqual([coordinatorOf(made).pid]);
    expect(made.epoch()).toBe(1);
  });

  test('I01 the next command that needs one starts it again when it is dead', async () => {
    const made = await scene();
    made.forbidRevival();
    const [life] = lifeOf(made);
    await made.killCoordinator();
    expect(await made.json(['send', 'worker', 'are you there'])).toMatchObject({ ok: true, code: 0 });
    await deliveryIs(made, 'are you there', 'answered');
    expect(lifeOf(made)).toEqual([life]);
  });

  test('I01 a crash counts once, however many sessions it cuts off', async () => {
    const made = await scene(['alpha', 'beta', 'gamma']);
    const before = coordinatorOf(made);
    await made.killCoordinator();
    await made.revived(before);
    await eventually('only the coordinator to be left of the revival', () => daemons(made).length === 1);
    await eventually('every hook to have run', () => !ensures(made));
    expect(JSON.parse(fs.readFileSync(made.paths.revivals, 'utf8'))).toHaveLength(1);
  });
});

/** Does a revival run now? */
function ensures(made: CrashScene): boolean {
  return made.processes().some((pid) => {
    const words = fs.existsSync(`/proc/${pid}/cmdline`) ? fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';
    return words.includes('\0coordinator\0ensure\0');
  });
}

describe('a coordinator that cannot go on', () => {
  test('I11 a frozen one is told by status, is never joined by a second, and ends by force', async () => {
    const made = await scene();
    const frozen = coordinatorOf(made);
    signalProcess(frozen, 'SIGSTOP');
    undo.push(() => signalProcess(frozen, 'SIGCONT'));
    const asked = performance.now();
    const status = await made.json(['status']);
    console.log(`frozen: told after ${Math.round(performance.now() - asked)} ms`);
    expect(status).toMatchObject({ ok: false, reason: 'coordinator_frozen', code: 4 });
    expect(status).toMatchObject({ evidence: { pid: frozen.pid, process_state: 'T' } });
    for (const args of [
      ['coordinator', 'start'],
      ['send', 'worker', 'into the void'],
      ['coordinator', 'stop'],
    ]) {
      expect(await made.json(args)).toMatchObject({ ok: false, reason: 'coordinator_frozen', code: 4 });
    }
    expect(daemons(made)).toEqual([frozen.pid]);
    expect(probeProcess(frozen)).toBe('alive');

    expect(await made.json(['coordinator', 'stop', '--force'])).toMatchObject({ ok: true, pid: frozen.pid, code: 0 });
    await eventually('the frozen one to end', () => probeProcess(frozen) === 'dead');
    await eventually('every hook to have run', () => !ensures(made));
    expect(daemons(made)).toEqual([]);
    // Its agents live on, and the next command works with them.
    const [life] = lifeOf(made);
    expect(await made.json(['send', 'worker', 'thawed'])).toMatchObject({ ok: true, code: 0 });
    await deliveryIs(made, 'thawed', 'answered');
    expect(lifeOf(made)).toEqual([life]);
  });

  test('I11 one that dies again and again is left down after three revivals, and status says so', async () => {
    const made = await scene();
    for (let crash = 1; crash <= 3; crash++) {
      const before = coordinatorOf(made);
      await made.killCoordinator();
      await made.revived(before);
      await eventually('it to answer', async () => (await made.run(['coordinator', 'status'])).code === 0);
    }
    await made.killCoordinator();
    const status = await eventually('status to say that it is left down', async () => {
      const said = await made.json(['status']);
      return said.coordinator && 'gave_up' in (said.coordinator as object) ? said : undefined;
    });
    expect(status).toMatchObject({
      observed: 'none',
      coordinator: { status: 'absent', gave_up: expect.stringContaining('ended 4 times within five minutes') },
    });
    await eventually('every hook to have run', () => !ensures(made));
    expect(daemons(made)).toEqual([]);
    expect((await made.run(['status'])).stdout).toContain('is left down');
    // A person starts it again; the agent has lived on.
    expect((await made.run(['coordinator', 'start'])).code).toBe(0);
    expect(await made.json(['send', 'worker', 'once more'])).toMatchObject({ ok: true });
    await deliveryIs(made, 'once more', 'answered');
    expect(lifeOf(made)).toHaveLength(1);
  });
});

describe('a start that is not possible', () => {
  test('I01 inside a tool sandbox no coordinator is started, and one that lives serves', async () => {
    const made = await scene();
    const inside = { environment: { CODEX_SANDBOX: '1' } };
    expect(await made.json(['send', 'worker', 'from inside'], inside)).toMatchObject({ ok: true, code: 0 });
    await deliveryIs(made, 'from inside', 'answered');
    expect((await made.run(['coordinator', 'stop'])).code).toBe(0);
    for (const args of [['send', 'worker', 'x'], ['coordinator', 'start'], ['shutdown']]) {
      expect(await made.json(args, inside)).toMatchObject({
        ok: false,
        reason: 'sandboxed_caller',
        next: ['team-agent coordinator start'],
        code: 4,
      });
    }
    expect(daemons(made)).toEqual([]);
    expect(await made.json(['status'], inside)).toMatchObject({ ok: true, observed: 'none', code: 0 });
  });

  test('I01 a port that another program took meanwhile is told; once it is free all goes on', async () => {
    const made = await scene();
    const port = Number(made.rows('select port from workspaces')[0]?.port);
    expect((await made.run(['coordinator', 'stop'])).code).toBe(0);
    const other = net.createServer().listen(port, '127.0.0.1');
    undo.push(() => other.close());
    await eventually('the port to be taken', () => other.listening);
    expect(await made.json(['coordinator', 'start'])).toMatchObject({
      ok: false,
      reason: 'port_taken',
      evidence: { port },
      code: 4,
    });
    await eventually('the refused one to end', () => daemons(made).length === 0);
    await new Promise((resolve) => other.close(resolve));
    expect((await made.run(['coordinator', 'start'])).code).toBe(0);
    expect(await made.json(['send', 'worker', 'again'])).toMatchObject({ ok: true });
    await deliveryIs(made, 'again', 'answered');
  });

  test('I01 a file in the place of the socket is told and left alone', async () => {
    const made = await scene();
    expect((await made.run(['coordinator', 'stop'])).code).toBe(0);
    fs.rmSync(made.paths.socket, { force: true });
    fs.writeFileSync(made.paths.socket, 'mine');
    expect(await made.json(['coordinator', 'start'])).toMatchObject({ ok: false, reason: 'socket_taken', code: 4 });
    expect(fs.readFileSync(made.paths.socket, 'utf8')).toBe('mine');
    await eventually('the refused one to end', () => daemons(made).length === 0);
    fs.rmSync(made.paths.socket);
    expect((await made.run(['coordinator', 'start'])).code).toBe(0);
  });

  test.runIf(process.getuid?.() === 0)(
    'I01 a folder for sockets that belongs to somebody else is refused',
    async () => {
      const made = new CrashScene('one');
      scenes.push(made);
      const docs = made.writeTeam('alpha', [{ id: 'worker' }]);
      fs.mkdirSync(made.paths.sockets, { recursive: true, mode: 0o700 });
      fs.chownSync(made.paths.sockets, 12_345, 12_345);
      expect(await made.json(['quick-start', docs])).toMatchObject({ ok: false, reason: 'folder_not_private' });
      await eventually('the refused one to end', () => daemons(made).length === 0);
      fs.rmdirSync(made.paths.sockets);
      expect((await made.run(['quick-start', docs])).code).toBe(0);
      expect(path.dirname(made.paths.socket)).toBe(made.paths.sockets);
      expect(identifyProcess(coordinatorOf(made).pid)).toBeDefined();
    },
  );
});
