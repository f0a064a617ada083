import fs from 'node:fs';
import path from 'node:path';
import { interleaved, median, type Row, row } from '../figures.ts';
import { emptyNode } from '../floors.ts';
import { agents, Project } from '../project.ts';
import type { Scene, Stage } from './scene.ts';

const ROUNDS = 21;

/** What a person waits for at each command: it and an empty Node process in turn. */
export const commands: Scene = {
  title: 'commands',
  play: async ({ ground }: Stage): Promise<readonly Row[]> => {
    const project = new Project(ground, 'commands', agents(3));
    await project.start();
    const kinds = {
      node: () => emptyNode(ground),
      version: async () => (await project.command('--version')).ms,
      status: async () => (await project.command('status')).ms,
      send: async () => (await project.command('send', 'a1', 'hello', '--expects', 'nothing')).ms,
    };
    const samples = await interleaved(ROUNDS, kinds);
    const floor = { name: 'node', value: median(samples.node) };
    const rows = [
      row('an empty Node process', 'ms', samples.node),
      row('--version', 'ms', samples.version, { floor, budget: { limit: 1.6, of: 'floor' } }),
      row('status', 'ms', samples.status, { floor, budget: { limit: 2, of: 'floor' } }),
      row('send, stored', 'ms', samples.send, { floor, budget: { limit: 2, of: 'floor' } }),
      row('status starts processes', 'count', [await childrenOf(project, 'status')], NONE),
      row('send starts processes', 'count', [await childrenOf(project, 'send', 'a1', 'hi')], NONE),
    ];
    await project.end();
    return rows;
  },
};

const NONE = { budget: { limit: 0, of: 'value' } } as const;

/** Runs as the program ends: has this process waited for a child, or does it have one? Threads do not count. */
const PROBE = `const fs = require('node:fs');
process.on('exit', () => {
  const stat = fs.readFileSync('/proc/self/stat', 'utf8');
  const faultsOfChildren = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[8]);
  const living = fs.readdirSync('/proc/self/task').some((task) => {
    const file = '/proc/self/task/' + task + '/children';
    return fs.existsSync(file) && fs.readFileSync(file, 'utf8').trim() !== '';
  });
  fs.writeFileSync(process.env.BENCH_PROBE, String(faultsOfChildren > 0 || living ? 1 : 0));
});`;

/**
 * 1 when the command or, meanwhile, the coordinator started a process, else 0: a process that was waited for leaves its page
 * faults with its parent, through every `exec`.
 */
async function childrenOf(project: Project, ...args: string[]): Promise<number> {
  const { ground } = project;
  if (!fs.existsSync('/proc/self/stat')) return Number.NaN;
  const probe = path.join(ground.folder, 'probe.cjs');
  const said = path.join(ground.folder, 'probe.txt');
  fs.writeFileSync(probe, PROBE);
  const coordinator = project.coordinator()?.pid ?? 0;
  const before = faultsOfChildren(coordinator);
  const environment = { NODE_OPTIONS: `--require=${probe}`, BENCH_PROBE: said };
  const ran = await ground.run([ground.program, ...args], { cwd: project.workspace, environment });
  if (ran.code !== 0) throw new Error(`${args.join(' ')} failed`);
  const theirs = faultsOfChildren(coordinator) > before ? 1 : 0;
  return Math.max(theirs, Number(fs.readFileSync(said, 'utf8')));
}

/** Minor page faults of the children that a process has waited for. */
export function faultsOfChildren(pid: number): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[8]);
}
