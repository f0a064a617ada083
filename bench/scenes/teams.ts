import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { probeProcess, signalProcess } from '../../src/kernel/index.ts';
import { localClient } from '../calls.ts';
import { type Row, row } from '../figures.ts';
import { agents, Project, until } from '../project.ts';
import type { Scene, Stage } from './scene.ts';

const ROUNDS = 5;

/** Starting and ending whole teams, and getting a coordinator back. */
export const teams: Scene = {
  title: 'teams',
  play: async (stage: Stage): Promise<readonly Row[]> => {
    const three = await turns(stage, 3);
    const eight = await turns(stage, 8);
    const single = await oneAgent(stage);
    const revived = await revivals(stage);
    const floor = { name: 'node', value: stage.floors.node };
    const ms = (limit: number) => ({ floor, budget: { limit, of: 'value' } as const });
    return [
      row('quick-start, 3 agents', 'ms', three.start, ms(1_200)),
      row('quick-start, 8 agents', 'ms', eight.start, ms(2_000)),
      row('shutdown, 3 agents', 'ms', three.shutdown, ms(1_000)),
      row('shutdown, 8 agents', 'ms', eight.shutdown, ms(1_000)),
      row('shutdown again, when down', 'ms', three.again, ms(200)),
      row('stop-agent', 'ms', single.stop, ms(300)),
      row('start-agent, on its conversation', 'ms', single.start, ms(500)),
      row('reset-agent', 'ms', single.reset, ms(800)),
      row('add-agent', 'ms', single.add, { floor }),
      row('remove-agent', 'ms', single.remove, { floor }),
      row('restart, 3 agents', 'ms', single.restart, ms(1_500)),
      row('coordinator killed -> answers, 3 agents', 'ms', revived, { floor }),
    ];
  },
};

async function turns({ ground }: Stage, size: number) {
  const project = new Project(ground, `team-${size}`, agents(size));
  const samples: Record<'start' | 'shutdown' | 'again', number[]> = { start: [], shutdown: [], again: [] };
  for (let round = 0; round < ROUNDS; round++) {
    samples.start.push((await project.start()).ms);
    samples.shutdown.push((await project.command('shutdown')).ms);
    samples.again.push((await project.command('shutdown')).ms);
  }
  await project.end();
  return samples;
}

/** One agent of three is stopped, started, reset, and one more comes and goes; then all of them are started again. */
async function oneAgent({ ground }: Stage) {
  const project = new Project(ground, 'one', agents(3));
  await project.start();
  const samples: Record<'stop' | 'start' | 'reset' | 'add' | 'remove' | 'restart', number[]> = {
    stop: [],
    start: [],
    reset: [],
    add: [],
    remove: [],
    restart: [],
  };
  const [{ id } = { id: '' }] = agents(1);
  const role = path.join(project.workspace, 'more.md');
  fs.writeFileSync(role, '---\nname: more\nrole: worker\nprovider: scripted\ntools: []\n---\nWork.\n');
  for (let round = 0; round < ROUNDS; round++) {
    samples.stop.push((await project.command('stop-agent', id)).ms);
    samples.start.push((await project.command('start-agent', id)).ms);
    samples.reset.push((await project.command('reset-agent', id, '--discard-session')).ms);
    samples.add.push((await project.command('add-agent', 'more', '--role-file', role)).ms);
    samples.remove.push((await project.command('remove-agent', 'more', '--force')).ms);
    await project.command('shutdown');
    samples.restart.push((await project.command('restart')).ms);
  }
  await project.end();
  return samples;
}

/** From `kill -9` until a status shows every agent as it is: tmux revives it, and it takes its agents up again. */
async function revivals({ ground }: Stage): Promise<number[]> {
  const project = new Project(ground, 'revivals', agents(3));
  await project.start();
  const samples: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // Only so many revivals in five minutes are tried; the bench needs more of them.
    fs.rmSync(project.paths.revivals, { force: true });
    const before = project.coordinator();
    if (!before) throw new Error('no coordinator lives');
    signalProcess(before, 'SIGKILL');
    const began = performance.now();
    await until('the killed process to be gone', () => probeProcess(before) === 'dead', 1);
    await until('all agents to be seen again', () => allIdle(project), 2);
    samples.push(performance.now() - began);
    await pause(100);
  }
  await project.end();
  return samples;
}

async function allIdle(project: Project): Promise<boolean> {
  const client = localClient(project.paths.socket);
  try {
    const { agents: seen = {} } = JSON.parse(await client.request('/verbs/status', {}));
    const states = Object.values<{ state: string }>(seen).map((agent) => agent.state);
    return states.length === 3 && states.every((state) => state === 'idle');
  } catch {
    return false; // nobody listens yet
  } finally {
    client.close();
  }
}
