import { identifyProcess, type ProcessIdentity, probeProcess } from '../../src/kernel/index.ts';
import { median, type Row, row } from '../figures.ts';
import type { Project } from '../project.ts';
import type { World } from './world.ts';

const ROUNDS = 5;
const CLAUDE = { id: 'claire', provider: 'claude' };
const CODEX = { id: 'cody', provider: 'codex' };

/** What starting both may cost beyond the slower of them, ms. */
const TOGETHER = 250;

/** Starting and ending a Claude Code and a Codex, in turn with each of them alone: whole commands, until both are ready. */
export async function startRows(world: World): Promise<readonly Row[]> {
  const projects = {
    claude: world.project('claude-alone', [CLAUDE]),
    codex: world.project('codex-alone', [CODEX]),
    both: world.project('both', [CLAUDE, CODEX]),
  };
  const starts = { claude: [] as number[], codex: [] as number[], both: [] as number[] };
  const whole: number[] = [];
  const after: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of ['claude', 'codex', 'both'] as const) {
      starts[name].push((await projects[name].start()).ms);
      const ended = await shutDown(projects[name]);
      if (name !== 'both') continue;
      whole.push(ended.whole);
      after.push(ended.after);
    }
  }
  const slower = Math.max(median(starts.claude), median(starts.codex));
  const ms = (limit: number) => ({ budget: { limit, of: 'value' } as const });
  return [
    row('quick-start, 1 Claude', 'ms', starts.claude),
    row('quick-start, 1 Codex', 'ms', starts.codex),
    row('quick-start, 1 Claude + 1 Codex', 'ms', starts.both, {
      floor: { name: 'slower', value: slower },
      ...ms(Math.round(slower + TOGETHER)),
    }),
    row('shutdown, both', 'ms', whole),
    row("shutdown, after the last CLI's end", 'ms', after, ms(1_000)),
  ];
}

/** The whole command, and its part after the last process of an agent was gone, ms. */
async function shutDown(project: Project): Promise<{ whole: number; after: number }> {
  let left = processes(project);
  let gone = performance.now();
  const look = setInterval(() => {
    const still = left.filter((process) => probeProcess(process) !== 'dead');
    if (still.length < left.length) gone = performance.now();
    left = still;
  }, 2);
  try {
    const { ms } = await project.command('shutdown');
    if (left.some((process) => probeProcess(process) !== 'dead')) throw new Error('a shutdown has left an agent alive');
    return { whole: ms, after: performance.now() - gone };
  } finally {
    clearInterval(look);
  }
}

/** What an agent's handle names: what runs in its pane, the command-line tool itself, a server behind it. */
function processes(project: Project): ProcessIdentity[] {
  return project.rows('select handle from incarnations where ended_at is null').flatMap(({ handle }) => {
    const pids = [...String(handle).matchAll(/"(?:pid|[a-z_]*pid)":"?(\d+)/gi)].map(([, pid]) => Number(pid));
    return [...new Set(pids)].flatMap((pid) => identifyProcess(pid) ?? []);
  });
}
