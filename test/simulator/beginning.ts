import { type AgentId, LEADER, type TaskId } from '../../src/kernel/index.ts';
import { type Change, putTeam, type TeamRow, upsertAgent } from '../../src/ledger/index.ts';
import { defineTasks } from '../../src/results/index.ts';
import type { Random } from './world/random.ts';

/** A task of the team, and those that it builds on. */
export interface Work {
  readonly id: TaskId;
  readonly deps: readonly TaskId[];
}

/** The team as its documents have it. */
export interface Beginning {
  readonly members: readonly AgentId[];
  readonly notify: TeamRow['notify'];
  readonly tasks: readonly Work[];
}

/** Tasks that build on one another, in a way that ends. */
export function plan(random: Random, members: readonly AgentId[]): Beginning {
  const tasks: Work[] = [];
  for (let index = random.between(3, 6); index > 0; index--) {
    const deps = tasks.length > 0 && random.chance(0.7) ? random.some(tasks, random.between(1, 2)) : [];
    tasks.push({ id: `task-${tasks.length + 1}` as TaskId, deps: deps.map(({ id }) => id) });
  }
  return { members, notify: random.pick(['each', 'quiet', 'digest'] as const), tasks };
}

/** Puts the team into the ledger. */
export async function begin(change: Change, { members, notify, tasks }: Beginning): Promise<void> {
  await putTeam(change, {
    name: 'Simulated',
    session_name: 'simulated',
    documents: '.team/simulated',
    objective: 'to lose nothing',
    intent: 'running',
    notify,
  });
  for (const id of members) if (id !== LEADER) await addMember(change, id, 1);
  await defineTasks(
    change,
    tasks.map(({ id, deps }) => ({
      id,
      title: id,
      deps: [...deps],
      files: [],
      requiresTools: [],
      humanConfirmation: false,
      retryLimit: 1,
    })),
  );
}

/** Somebody of this name is a member from now on. */
export async function addMember(change: Change, agent_id: AgentId, generation: number): Promise<void> {
  await upsertAgent(change, {
    team: change.team,
    agent_id,
    generation,
    provider: 'scripted',
    role: 'simulated',
    model: null,
    folder: '.',
    script: null,
    prompt: '',
    position: 0,
    intent: 'running',
    interacted_at: null,
  });
  await change.event('agent.added', { agent_id, generation });
}
