import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { loopbackOnly } from '../../script/loopback.ts';
import { pinnedProgram } from '../../test/real/world/command-lines.ts';
import type { Row } from '../figures.ts';
import type { Ground } from '../ground.ts';
import type { Scene, Stage } from './scene.ts';

/** What `bench/real/main.ts` prints. */
export interface RealRows {
  readonly rows: readonly Row[];
}

/**
 * The real Claude Code and Codex, against scripted models. They look up hosts as soon as they run, so this scene is played by
 * a process of its own in a network namespace that has loopback alone; where there is none, or where they are not
 * installed, it is left out.
 */
export const real: Scene = {
  title: 'real Claude Code and Codex',
  play: async ({ ground, floors, long, tell }: Stage): Promise<readonly Row[]> => {
    const inside = enter(ground);
    if (typeof inside === 'string') {
      tell(`not measured: ${inside}`);
      return [];
    }
    const words = [path.join(import.meta.dirname, '..', 'real', 'main.ts'), JSON.stringify({ floors, long })];
    return playedBy([...inside, process.execPath, ...words], ground);
  },
};

/** The words that enter the namespace, or why this scene cannot be played here. */
function enter(ground: Ground): readonly string[] | string {
  try {
    for (const cli of ['claude', 'codex'] as const) pinnedProgram(cli);
    return loopbackOnly(path.join(ground.folder, 'namespace'), (line) => console.error(line));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function playedBy(argv: readonly string[], ground: Ground): Promise<readonly Row[]> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  ground.atEnd(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    stdout += part;
  });
  await ended;
  if (child.exitCode !== 0) throw new Error(`the scene of the real command lines ended with ${child.exitCode}`);
  const { rows }: RealRows = JSON.parse(stdout);
  return rows;
}
