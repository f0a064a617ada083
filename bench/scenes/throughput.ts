import { type Row, row } from '../figures.ts';
import { agents, Project } from '../project.ts';
import type { Scene, Stage } from './scene.ts';

const TEAM = 8;
const ROUNDS = 5;

/** As many durable messages as go: one sender per agent, each message stored, offered, taken and proved. */
export const throughput: Scene = {
  title: `throughput, ${TEAM} agents`,
  play: async ({ ground, floors, long }: Stage): Promise<readonly Row[]> => {
    const each = long ? 250 : 60;
    const project = new Project(ground, 'throughput', agents(TEAM, 'rules: [{ do: [] }]'));
    await project.start();
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) rates.push(await rate(project, each));
    await project.end();
    const commits = 1_000 / floors.commit;
    return [
      row('messages stored to consumed', '/s', rates, {
        budget: { limit: 300, of: 'value', least: true },
        detail: { commits_per_second: Math.round(commits) },
      }),
    ];
  },
};

async function rate(project: Project, each: number): Promise<number> {
  const followed = project.follow();
  const began = performance.now();
  const sent = Array.from({ length: TEAM }, async (_, index) => {
    const client = project.client();
    for (let count = 0; count < each; count++) await project.send(client, `a${index + 1}`, `message ${count}`);
  });
  await Promise.all(sent);
  const last = await followed.next('all receipts', () => consumed(followed.events) === TEAM * each);
  const ended = followed.events.findLast((event) => event.type === 'delivery.consumed') ?? last;
  return (TEAM * each) / ((ended.heard - began) / 1_000);
}

function consumed(events: readonly { readonly type: string }[]): number {
  return events.filter((event) => event.type === 'delivery.consumed').length;
}
