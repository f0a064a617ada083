import { setTimeout as pause } from 'node:timers/promises';
import type { ToolClient } from '../calls.ts';
import { type Row, row } from '../figures.ts';
import { type Followed, type Project, until } from '../project.ts';
import { consumed, delivered, turnEnds } from './deliveries.ts';
import { Terminal } from './terminal.ts';
import type { World } from './world.ts';

const ROUNDS = 30;

/** The product hands Claude Code 20 messages of one sender at once, then one in 2 s: so far apart, 30 are not held up, ms. */
const APART = 750;

const AGENT = 'ada';

/** What our launcher starts with each provider, in a person's terminal. */
const LEADERS = {
  codex: [],
  claude: ['--permission-mode', 'manual', '--model', 'claude-sonnet-5'],
} as const;

/** From a result that is stored until the leader's own conversation holds its notice. */
export async function leaderRows(world: World): Promise<readonly Row[]> {
  const project = world.project('led', [{ id: AGENT, script: 'rules: [{ do: [] }]' }]);
  await project.start();
  const tools = project.tools(AGENT);
  const codex = await results(project, tools, 'codex');
  const claude = await results(project, tools, 'claude');
  await project.end();
  return [
    row('result -> in the Codex leader', 'ms', codex, { budget: { limit: 50, of: 'value' } }),
    row('result -> in the Claude leader', 'ms', claude, { budget: { limit: 180, of: 'value', p95: 350 } }),
  ];
}

/** The agent's report is made here, with its token; the leader is idle. By the clock of the ledger. */
async function results(project: Project, tools: ToolClient, provider: keyof typeof LEADERS): Promise<number[]> {
  const words = [project.ground.program, provider, ...LEADERS[provider]];
  const terminal = await Terminal.open(project.ground, project.workspace, words);
  await until(`the ${provider} to lead`, async () => (await receiver(project)) === provider, 100);
  const [leader] = project.rows('select handle from leaders where ended_at is null');
  const { record }: { record: string } = JSON.parse(String(leader?.handle));
  const followed = project.follow();
  const notices: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const apart = pause(APART);
    const turns = turnEnds(record).length;
    notices.push(await report(project, tools, followed, `${provider}-${round}`));
    await until('the turn of the leader to end', () => turnEnds(record).length > turns, 20);
    await apart;
  }
  await terminal.end();
  await until('the mailbox to take over', async () => (await receiver(project)) === 'mailbox', 100);
  return delivered(project, { to: 'leader', ids: notices }).map((one) => one.consumed_at - one.stored_at);
}

/** Resolves with the id of the notice once the leader has it. */
async function report(project: Project, tools: ToolClient, followed: Followed, task: string): Promise<string> {
  const given = await project.send(project.client(), AGENT, 'do it', { expects: 'result', task });
  await consumed(followed, given);
  const seen = followed.events.length;
  await tools.tool('report_result', { summary: 'done', status: 'success', task });
  const stored = await followed.next(
    'its notice',
    (event) =>
      event.type === 'message.stored' &&
      String(event.data.notice).startsWith('result:') &&
      followed.events.indexOf(event) >= seen,
  );
  const id = String(stored.data.message_id);
  await consumed(followed, id);
  return id;
}

async function receiver(project: Project): Promise<string> {
  const status: { leader: { receiver: string } } = JSON.parse((await project.command('status', '--json')).stdout);
  return status.leader.receiver;
}
