import type { Client } from '../calls.ts';
import { exponent, interleaved, median, type Row, row, timed } from '../figures.ts';
import type { Ground } from '../ground.ts';
import { fillLedger } from '../ledger-fill.ts';
import { agents, Project } from '../project.ts';
import type { Scene, Stage } from './scene.ts';

/** How cost grows with the messages that a ledger holds: the same questions to two projects in turn. */
export const messages: Scene = {
  title: 'with 1k and many messages',
  play: async ({ ground, floors, long }: Stage): Promise<readonly Row[]> => {
    const large = long ? 1_000_000 : 100_000;
    const few = await filled(ground, 'few', 1_000);
    const many = await filled(ground, 'many', large);
    const rows = [...(await commandRows(few, many, large)), ...(await callRows(few, many, large, floors.round))];
    await few.end();
    await many.end();
    return rows;
  },
};

async function filled(ground: Ground, name: string, count: number): Promise<Project> {
  const project = new Project(ground, name, agents(1));
  await project.start();
  await project.command('shutdown');
  fillLedger(project.paths.ledger, count);
  await project.start();
  return project;
}

async function commandRows(few: Project, many: Project, large: number): Promise<Row[]> {
  const samples = await interleaved(9, {
    few: async () => (await few.command('status')).ms,
    many: async () => (await many.command('status')).ms,
  });
  const floor = { name: 'with 1k', value: median(samples.few) };
  return [
    row(`status, ${thousands(large)} messages`, 'ms', samples.many, { floor, budget: { limit: 1.1, of: 'floor' } }),
  ];
}

async function callRows(few: Project, many: Project, large: number, round: number): Promise<Row[]> {
  const kinds: Record<string, (project: Project, client: Client) => Promise<unknown>> = {
    status: (_, client) => client.request('/verbs/status', {}),
    send: (project, client) => project.send(client, 'leader', 'hello'),
    lookup: (_, client) =>
      client.request('/verbs/deliveries', { message_id: `m_${(500).toString(16).padStart(24, '0')}` }),
  };
  const clients = { few: few.client(), many: many.client() };
  const rows: Row[] = [];
  for (const [name, ask] of Object.entries(kinds)) {
    const samples = await interleaved(60, {
      few: () => timed(() => ask(few, clients.few)),
      many: () => timed(() => ask(many, clients.many)),
    });
    const growth = exponent({ size: 1_000, cost: median(samples.few) }, { size: large, cost: median(samples.many) });
    const floor = { name: 'round trip', value: round };
    const lookup = name === 'lookup' ? { budget: { limit: 1 + round, of: 'value' } as const } : {};
    rows.push(
      row(`${name}, one call, 1k`, 'ms', samples.few, { floor }),
      row(`${name}, one call, ${thousands(large)}`, 'ms', samples.many, { floor, ...lookup }),
      row(`${name}, growth with messages`, 'exponent', [Math.max(0, growth)], { budget: { limit: 0.15, of: 'value' } }),
    );
  }
  return rows;
}

const thousands = (count: number): string => (count >= 1_000_000 ? `${count / 1_000_000}M` : `${count / 1_000}k`);

/** How cost grows with the agents of a team. */
export const crowds: Scene = {
  title: 'with 1, 4 and more agents',
  play: async ({ ground, floors, long }: Stage): Promise<readonly Row[]> => {
    const sizes = long ? [1, 4, 16, 64] : [1, 4, 16];
    const floor = { name: 'round trip', value: floors.round };
    const medians: { size: number; status: number; delivery: number }[] = [];
    const rows: Row[] = [];
    for (const size of sizes) {
      const project = new Project(ground, `crowd-${size}`, agents(size));
      await project.start();
      const client = project.client();
      const status: number[] = [];
      const delivery: number[] = [];
      for (let round = 0; round < 30; round++) {
        status.push(await timed(() => client.request('/verbs/status', {})));
        delivery.push(await timed(() => project.send(client, 'a1', 'hello', { wait: 'consumed', timeout_s: 10 })));
      }
      medians.push({ size, status: median(status), delivery: median(delivery) });
      rows.push(
        row(`status, one call, ${size} agents`, 'ms', status, { floor }),
        row(`send to consumed, ${size} agents`, 'ms', delivery, { floor }),
      );
      await project.end();
    }
    const [first, last] = [medians[0], medians.at(-1)];
    if (!first || !last) throw new Error('no sizes');
    const growth = (kind: 'status' | 'delivery'): number =>
      exponent({ size: first.size, cost: first[kind] }, { size: last.size, cost: last[kind] });
    return [
      ...rows,
      row('status, growth with agents', 'exponent', [growth('status')]),
      row('send to consumed, growth with agents', 'exponent', [Math.max(0, growth('delivery'))], {
        budget: { limit: 0.3, of: 'value' },
      }),
    ];
  },
};
