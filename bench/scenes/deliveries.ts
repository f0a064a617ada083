import fs from 'node:fs';
import { type Row, row } from '../figures.ts';
import { agents, type Followed, type Heard, Project } from '../project.ts';
import type { Scene, Stage } from './scene.ts';

const IDLE_ROUNDS = 40;
const BUSY_ROUNDS = 10;

/** How long a turn of a busy agent lasts, ms. */
const TURN = 150;

const TURNS = `rules:
  - match: slow
    do:
      - wait: ${TURN}
`;

/** From the commit of a message to the proof that its recipient has it. */
export const deliveries: Scene = {
  title: 'deliveries (scripted agents)',
  play: async ({ ground, floors }: Stage): Promise<readonly Row[]> => {
    const project = new Project(ground, 'deliveries', [
      ...agents(1, TURNS),
      { id: 'typed', script: `channel: paste\n${TURNS}` },
    ]);
    await project.start();
    const floor = { name: 'commit', value: floors.commit };
    const protocol = await idle(project, 'a1');
    const paste = await idle(project, 'typed');
    const rows = [
      row('stored -> consumed, protocol, idle', 'ms', protocol.heard, {
        floor,
        budget: { limit: 30, of: 'value', p95: 60 },
      }),
      row("turn's end -> consumed, protocol, busy", 'ms', await busy(project, 'a1'), {
        budget: { limit: 35, of: 'value', p95: 70 },
      }),
      row('stored -> typed and taken, paste, idle', 'ms', await taken(project, paste.ids), {
        floor,
        budget: { limit: 15, of: 'value' },
      }),
      row('stored -> consumed, paste, idle', 'ms', paste.heard, { floor }),
      row("turn's end -> consumed, paste, busy", 'ms', await busy(project, 'typed')),
      row('pastes per message', 'count', attempts(project, paste.ids), { budget: { limit: 1, of: 'value' } }),
    ];
    await project.end();
    return rows;
  },
};

/** The two events as they come in here, so that parts of a ms count; a message waits for the one before it. */
async function idle(project: Project, agent: string): Promise<{ heard: number[]; ids: string[] }> {
  const client = project.client();
  const followed = project.follow();
  const heard: number[] = [];
  const ids: string[] = [];
  for (let round = 0; round < IDLE_ROUNDS; round++) {
    const id = await project.send(client, agent, `quick ${round}`);
    const stored = await of(followed, id, 'message.stored');
    const consumed = await of(followed, id, 'delivery.consumed');
    if (round > 0) heard.push(consumed.heard - stored.heard);
    if (round > 0) ids.push(id);
    await client.request('/verbs/wait', { idle: true, timeout_s: 10 });
  }
  return { heard, ids };
}

function of(followed: Followed, id: string, type: string): Promise<Heard> {
  return followed.next(`${type} of ${id}`, (event) => event.type === type && event.data.message_id === id);
}

/** By the clocks of the agent's own record and of the ledger: whole ms. */
async function busy(project: Project, agent: string): Promise<number[]> {
  const client = project.client();
  const followed = project.follow();
  const samples: number[] = [];
  for (let round = 0; round < BUSY_ROUNDS; round++) {
    const slow = await project.send(client, agent, 'slow');
    await of(followed, slow, 'delivery.consumed');
    const next = await project.send(client, agent, 'quick');
    const consumed = await of(followed, next, 'delivery.consumed');
    await client.request('/verbs/wait', { idle: true, timeout_s: 10 });
    const ended = record(project, agent)
      .filter((line) => line.type === 'turn' && line.state === 'ended' && Number(line.at) <= consumed.at)
      .at(-1);
    samples.push(Math.max(0, consumed.at - Number(ended?.at)));
  }
  return samples;
}

/** The agent's own word for when it had taken what was typed: Enter was sent before that. Whole ms. */
async function taken(project: Project, ids: readonly string[]): Promise<number[]> {
  const lines = record(project, 'typed').filter((line) => line.type === 'user');
  const rows = project.rows('select message_id, delivery_id, stored_at from deliveries');
  return ids.map((id) => {
    const delivery = rows.find((candidate) => candidate.message_id === id);
    const line = lines.find((candidate) => String(candidate.text).includes(String(delivery?.delivery_id)));
    if (!delivery || !line) throw new Error(`no record of ${id}`);
    return Number(line.at) - Number(delivery.stored_at);
  });
}

function attempts(project: Project, ids: readonly string[]): number[] {
  const rows = project.rows('select message_id, attempts from deliveries');
  return ids.map((id) => Number(rows.find((candidate) => candidate.message_id === id)?.attempts));
}

function record(project: Project, agent: string): Record<string, unknown>[] {
  const [session] = project.rows(`select record from sessions where agent_id = '${agent}' and closed_at is null`);
  return fs
    .readFileSync(String(session?.record), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
