import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  identifyProcess,
  type ProcessIdentity,
  probeProcess,
  processStat,
  signalProcess,
} from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import { ask, deliver, LISTENER, lifeOf, programOf, start, tmux } from './journey.ts';

/** How agents end that nobody asked to end, alone or in the same moment, and what is left of them then. */

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(() => product.end());

/** Hangs over a text of many `a`: nothing that is asked of it reaches it any more, no signal but the last one. */
const HANGS = `rules:\n  - { match: '^(a+)+$', do: [{ say: "never" }] }\n${LISTENER}`;

/** Kills processes; tmux looks only when all that runs in their panes has ended, so that it learns of all of it in one moment. */
async function killAtOnce(killed: readonly ProcessIdentity[], all: readonly ProcessIdentity[]): Promise<void> {
  const server = Number(tmux(product, 'display-message', '-p', '#{pid}'));
  process.kill(server, 'SIGSTOP');
  try {
    for (const one of killed) signalProcess(one, 'SIGKILL');
    await eventually('everything to end', () => all.every((one) => probeProcess(one) === 'dead'));
  } finally {
    process.kill(server, 'SIGCONT');
  }
}

describe('programs of one team that end in the same moment', () => {
  test('I08 each end is told at once with its code, and the agents of another team live on', async () => {
    const agents = ['a', 'b', 'c'].map((id) => ({ id, script: LISTENER }));
    await start(product, product.writeTeam('crew', agents));
    await start(product, product.writeTeam('other', [{ id: 'z', script: LISTENER }]));
    const other = lifeOf(product, 'z');
    for (const victim of ['programs', 'wrappers', 'programs'] as const) {
      const lives = agents.map(({ id }) => lifeOf(product, id));
      const programs = agents.map(({ id }) => programOf(product, id));
      const wrappers = lives.map(({ handle }) => handle.process);
      await killAtOnce(victim === 'programs' ? programs : wrappers, [...programs, ...wrappers]);
      await eventually('all ends to be written down', () =>
        lives.every(({ incarnation }) => {
          const [row] = product.rows(`select ended_at, exit from incarnations where incarnation = '${incarnation}'`);
          return row?.ended_at !== null && (victim === 'wrappers' || String(row?.exit).startsWith('code 137'));
        }),
      );
      expect(lifeOf(product, 'z')).toEqual(other);
      expect(probeProcess(other.handle.process)).toBe('alive');
      await deliver(product, 'other/z', 'you still hear');
      expect(await ask(product, 'restart', '--team', 'crew')).toMatchObject({ ok: true });
    }
  });
});

describe('a program that outlives its wrapper', () => {
  const crew = async (): Promise<void> => {
    await start(
      product,
      product.writeTeam('crew', [
        { id: 'a', script: HANGS },
        { id: 'b', script: LISTENER },
      ]),
    );
  };

  /** The program of `a`, whose wrapper was killed while it hung. */
  async function outlived(): Promise<{ program: ProcessIdentity; wrapper: ProcessIdentity }> {
    const { handle } = lifeOf(product, 'a');
    const program = programOf(product, 'a');
    const worked = (): number => processStat(program.pid)?.ticks ?? 0;
    const before = worked();
    await ask(product, 'send', 'a', `${'a'.repeat(60)}!`);
    await eventually('it to hang', () => worked() > before + 30);
    signalProcess(handle.process, 'SIGKILL');
    await eventually(
      'its pane to close',
      () => !tmux(product, 'list-panes', '-a', '-F', '#{pane_id}').includes(`${handle.pane.pane}\n`),
    );
    expect(probeProcess(handle.process)).toBe('dead');
    expect(probeProcess(program)).toBe('alive');
    return { program, wrapper: handle.process };
  }

  test('G01 G03 stop-agent and start-agent --force end it, and nobody else', async () => {
    await crew();
    const b = lifeOf(product, 'b');
    const stranger = identifyProcess(process.pid);
    const first = await outlived();
    expect(await ask(product, 'stop-agent', 'a')).toMatchObject({ ok: true, stopped: true });
    expect(probeProcess(first.program)).toBe('dead');
    expect(await ask(product, 'start-agent', 'a')).toMatchObject({ ok: true });
    const second = await outlived();
    expect(await ask(product, 'start-agent', 'a', '--force')).toMatchObject({ ok: true });
    expect(probeProcess(second.program)).toBe('dead');
    expect(programOf(product, 'a')).not.toEqual(second.program);
    expect(lifeOf(product, 'b')).toEqual(b);
    expect(stranger && probeProcess(stranger)).toBe('alive');
  });

  test('G11 G15 it is in the way of a restart until the shutdown has ended it', async () => {
    await crew();
    const { program } = await outlived();
    const refused = await ask(product, 'restart');
    expect(refused).toMatchObject({ ok: false, reason: 'team_already_running' });
    expect(await ask(product, 'shutdown')).toMatchObject({
      ok: true,
      agents: [{ agent_id: 'a', ended: true, left: [] }, { ended: true }],
    });
    expect(probeProcess(program)).toBe('dead');
    expect(fs.readdirSync(path.join(product.paths.run, 'agents'))).toEqual([]);
    expect(await ask(product, 'restart')).toMatchObject({ ok: true });
  });
});

describe('what an agent starts and that goes away from its terminal', () => {
  const left: ProcessIdentity[] = [];
  afterEach(() => {
    for (const one of left.splice(0)) signalProcess(one, 'SIGKILL');
  });

  /** Lets `a` start something that takes a session of its own, as a server in the background does. */
  async function detached(): Promise<ProcessIdentity> {
    const file = path.join(product.workspace, 'pid');
    fs.rmSync(file, { force: true });
    await deliver(product, 'a', 'serve');
    const pid = await eventually('it to run', () => fs.existsSync(file) && Number(fs.readFileSync(file, 'utf8')));
    const found = await eventually('it to be itself', () => processStat(pid)?.name === 'sleep' && identifyProcess(pid));
    left.push(found);
    return found;
  }

  test('G15 I08 goes on; whoever ends the agent is told, and the leader when it ends by itself', async () => {
    const serve = `setsid sh -c 'echo $$ > pid.new; mv pid.new pid; exec sleep 600' </dev/null >/dev/null 2>&1 &`;
    const script = `rules:\n  - { match: serve, do: [{ run: "${serve}" }] }\n${LISTENER}`;
    await start(
      product,
      product.writeTeam('crew', [
        { id: 'a', script },
        { id: 'b', script: LISTENER },
      ]),
    );
    const first = await detached();
    const told = ({ pid, start: began }: ProcessIdentity) => ({ pid, start: began, name: 'sleep' });
    expect(await ask(product, 'stop-agent', 'b')).toMatchObject({ ok: true, goes_on: [] });
    expect(await ask(product, 'stop-agent', 'a')).toMatchObject({ ok: true, stopped: true, goes_on: [told(first)] });

    expect(await ask(product, 'start-agent', 'a')).toMatchObject({ ok: true, goes_on: [] });
    const forced = await detached();
    expect(await ask(product, 'start-agent', 'a', '--force')).toMatchObject({ ok: true, goes_on: [told(forced)] });
    const kept = await detached();
    const reset = await ask(product, 'reset-agent', 'a', '--discard-session');
    expect(reset).toMatchObject({ ok: true, stopped: true, goes_on: [told(kept)] });
    const second = await detached();
    const { incarnation, handle } = lifeOf(product, 'a');
    await killAtOnce([programOf(product, 'a'), handle.process], [programOf(product, 'a'), handle.process]);
    await eventually('its end to be written down', () => {
      const [row] = product.rows(`select ended_at from incarnations where incarnation = '${incarnation}'`);
      return row?.ended_at !== null;
    });
    const [notice] = product.rows(`select body from messages where dedupe_key = 'exited:${incarnation}'`);
    expect(notice?.body).toContain(`a started what goes on without it: process ${second.pid} (sleep).`);

    expect(await ask(product, 'start-agent', 'a')).toMatchObject({ ok: true });
    const third = await detached();
    const { stdout } = await product.run(['shutdown']);
    const lines = [`process ${third.pid} (sleep) goes on; a started it`, `next: ps -o pid,lstart,args -p ${third.pid}`];
    expect(stdout).toContain(lines.join('\n'));
    for (const one of [first, second, third]) expect(probeProcess(one)).toBe('alive');
  });
});
