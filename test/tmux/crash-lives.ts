import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { probeProcess } from '../../src/kernel/index.ts';
import type { AgentHandle } from '../../src/providers/index.ts';
import { eventually } from '../support/eventually.ts';
import type { CrashScene, Daemon } from './crash-scene.ts';

/** One life of an agent as the ledger has it. */
export interface Life {
  readonly agent_id: string;
  readonly incarnation: string;
  readonly handle: string | null;
  readonly ended_at: number | null;
}

export const lives = (made: CrashScene): Life[] =>
  made.rows(
    'select agent_id, incarnation, handle, ended_at from incarnations order by incarnation',
  ) as unknown as Life[];

export const openLives = (made: CrashScene, agent: string): Life[] =>
  lives(made).filter(({ agent_id, ended_at }) => agent_id === agent && ended_at === null);

export const handleOf = ({ handle }: Life): AgentHandle | undefined =>
  handle === null ? undefined : JSON.parse(handle);

/** The verb is cut off; the coordinator comes back by itself and settles what it finds. */
export async function cutOff(made: CrashScene, daemon: Daemon, ...verb: string[]): Promise<void> {
  const sibling = openLives(made, 'two');
  expect(await made.json(verb)).toMatchObject({ ok: false, reason: 'coordinator_lost', code: 4 });
  await made.crashedAndRevived(daemon, verb.join(' '));
  await settled(made);
  expect(openLives(made, 'two')).toEqual(sibling);
}

/** No journal is open, nobody lives twice, and every pane, folder and process is one of a life that is open. */
export async function settled(made: CrashScene): Promise<void> {
  const cut = 'select * from sagas where ended_at is null';
  await eventually('what was cut off to be settled', () => made.rows(cut).length === 0);
  const open = lives(made).filter(({ ended_at }) => ended_at === null);
  expect(new Set(open.map(({ agent_id }) => agent_id)).size).toBe(open.length);
  for (const life of lives(made)) {
    const handle = handleOf(life);
    if (handle) expect(probeProcess(handle.process)).toBe(life.ended_at === null ? 'alive' : 'dead');
  }
  const folder = path.join(made.paths.run, 'agents');
  const folders = fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];
  expect(folders).toEqual(open.map(({ incarnation }) => incarnation).sort());
  const panes = open.map((life) => handleOf(life)?.pane?.pane);
  if (open.length > 0) {
    const shown = made
      .tmux('list-panes', '-a', '-f', '#{==:#{pane_dead},0}', '-F', '#{pane_id} #{window_name}')
      .trim()
      .split('\n');
    const agents = shown.filter((line) => /^%\d+ (?!.*-server$)/.test(line)).map((line) => line.split(' ')[0]);
    expect(agents.sort()).toEqual(panes.sort());
  }
  const owned = new Set(open.map(({ incarnation }) => incarnation));
  await eventually('processes of ended lives to end', () => made.processes().every((pid) => ownedBy(pid, owned)));
}

/** False for a process that a life brought with it which is over. */
function ownedBy(pid: number, open: ReadonlySet<string>): boolean {
  try {
    const environment = fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    const [, life] = environment.find((one) => one.startsWith('TEAM_AGENT_INCARNATION='))?.split('=') ?? [];
    return life === undefined || open.has(life);
  } catch {
    return true; // it has ended meanwhile
  }
}
