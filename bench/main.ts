/** Measures the product on this machine and prints it beside what this machine can do: `./script/bench [--json] [--long] [--only=SCENE,...]`. */
import { type Row, ratioOf, verdictOf } from './figures.ts';
import { type Floors, measureFloors } from './floors.ts';
import { Ground } from './ground.ts';
import { commands } from './scenes/commands.ts';
import { deliveries } from './scenes/deliveries.ts';
import { crowds, messages } from './scenes/growth.ts';
import { idle } from './scenes/idle.ts';
import { real } from './scenes/real.ts';
import type { Scene } from './scenes/scene.ts';
import { teams } from './scenes/teams.ts';
import { throughput } from './scenes/throughput.ts';
import { tools } from './scenes/tools.ts';
import { HEADING, rowLine } from './table.ts';

const SCENES: Readonly<Record<string, Scene>> = {
  commands,
  messages,
  deliveries,
  tools,
  teams,
  idle,
  throughput,
  crowds,
  real,
};

interface Asked {
  readonly json: boolean;
  readonly long: boolean;
  readonly scenes: readonly Scene[];
}

/** `--only=NAME,NAME` plays some scenes. undefined: the words were not understood. */
function asked(argv: readonly string[]): Asked | undefined {
  const only = argv.find((word) => word.startsWith('--only='))?.slice('--only='.length);
  const names = only === undefined ? Object.keys(SCENES) : only.split(',');
  const scenes = names.flatMap((name) => SCENES[name] ?? []);
  const known = argv.every((word) => word === '--json' || word === '--long' || word.startsWith('--only='));
  if (!known || scenes.length !== names.length) return undefined;
  return { json: argv.includes('--json'), long: argv.includes('--long'), scenes };
}

async function play({ scenes, long }: Asked, ground: Ground, tell: (line: string) => void): Promise<[Floors, Row[]]> {
  const floors = await measureFloors(ground);
  tell(
    `floors: Node ${floors.node.toFixed(1)} ms, commit ${floors.commit.toFixed(2)} ms, round trip ${floors.round.toFixed(2)} ms, tmux ${floors.tmux.toFixed(1)} ms`,
  );
  const rows: Row[] = [];
  for (const scene of scenes) {
    tell('');
    tell(`${scene.title.padEnd(37)}${HEADING.slice(37)}`);
    for (const row of await scene.play({ ground, floors, long, tell })) {
      rows.push(row);
      tell(rowLine(row));
    }
  }
  return [floors, rows];
}

async function main(): Promise<number> {
  const request = asked(process.argv.slice(2));
  if (!request) {
    console.error(`usage: bench [--json] [--long] [--only=${Object.keys(SCENES).join(',')}]`);
    return 2;
  }
  const began = performance.now();
  const ground = new Ground();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void ground.end().finally(() => process.exit(130)));
  }
  const tell = request.json ? () => undefined : (line: string) => console.log(line);
  try {
    const [floors, rows] = await play(request, ground, tell);
    const failed = rows.filter((row) => verdictOf(row) === 'fails');
    if (request.json) console.log(JSON.stringify(report(floors, rows, failed.length === 0), null, 2));
    const seconds = Math.round((performance.now() - began) / 1_000);
    tell(`\n${rows.length} figures in ${seconds} s, ${failed.length} miss a budget by more than two times`);
    return failed.length === 0 ? 0 : 1;
  } finally {
    await ground.end();
  }
}

function report(floors: Floors, rows: readonly Row[], ok: boolean): object {
  return {
    ok,
    node: process.version,
    floors,
    rows: rows.map((row) => ({ ...row, ratio: ratioOf(row) ?? null, verdict: verdictOf(row) })),
  };
}

process.exitCode = await main();
