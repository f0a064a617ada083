/** The scene `real`, played inside the namespace by `bench/scenes/real.ts`; prints its rows as JSON. */
import '../../test/real/world/only-loopback.ts';
import type { Row } from '../figures.ts';
import type { RealRows } from '../scenes/real.ts';
import type { Stage } from '../scenes/scene.ts';
import { agentRows } from './agents.ts';
import { leaderRows } from './leaders.ts';
import { startRows } from './starts.ts';
import { openWorld, type World } from './world.ts';

type Part = (world: World, stage: Stage) => Promise<readonly Row[]>;

const PARTS: readonly Part[] = [agentRows, leaderRows, startRows];

async function main(): Promise<void> {
  const { floors, long }: Pick<Stage, 'floors' | 'long'> = JSON.parse(process.argv[2] ?? '{}');
  const world = await openWorld();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void world.end().finally(() => process.exit(130)));
  }
  try {
    const rows: Row[] = [];
    const stage = { ground: world.ground, floors, long, tell: (line: string) => console.error(line) };
    for (const part of PARTS) rows.push(...(await part(world, stage)));
    const answer: RealRows = { rows };
    process.stdout.write(JSON.stringify(answer));
  } finally {
    await world.end();
  }
}

await main();
