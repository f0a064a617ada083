import { INITIALIZE } from '../calls.ts';
import { type Row, row, timed } from '../figures.ts';
import { repeated } from '../floors.ts';
import { agents, Project } from '../project.ts';
import type { Scene, Stage } from './scene.ts';

/** What an agent's tool calls cost, and how soon its leader has what it reported. */
export const tools: Scene = {
  title: "an agent's tools",
  play: async ({ ground, floors }: Stage): Promise<readonly Row[]> => {
    const project = new Project(ground, 'tools', agents(2, 'rules: [{ do: [] }]'));
    await project.start();
    const client = project.tools('a1');
    const floor = { name: 'round trip', value: floors.round };
    await repeated(30, () => timed(() => client.tool('hello', {})));
    const rows = [
      row('tools/call (hello)', 'ms', await repeated(200, () => timed(() => client.tool('hello', {}))), {
        floor,
        budget: { limit: 2, of: 'value' },
      }),
      row(
        'tools/call (send_message, stored)',
        'ms',
        await repeated(60, () => timed(() => client.tool('send_message', { to: 'leader', content: 'hello' }))),
        { floor: { name: 'commit', value: floors.commit } },
      ),
      row(
        'initialize + tools/list',
        'ms',
        await repeated(30, () =>
          timed(async () => {
            await client.ask('initialize', INITIALIZE);
            await client.ask('tools/list', {});
          }),
        ),
        { floor },
      ),
      ...(await reports(project)),
    ];
    await project.end();
    return rows;
  },
};

/** A task is given to an agent that stays silent; its report is made here, with its token. */
async function reports(project: Project): Promise<Row[]> {
  const client = project.client();
  const tools = project.tools('a1');
  const followed = project.follow();
  const told: number[] = [];
  for (let round = 0; round < 20; round++) {
    const id = await project.send(client, 'a1', 'do it', { expects: 'result', task: `task-${round}` });
    await followed.next('its receipt', (event) => event.type === 'delivery.consumed' && event.data.message_id === id);
    const seen = followed.events.length;
    const began = performance.now();
    await tools.tool('report_result', { summary: 'done', status: 'success', task: `task-${round}` });
    const notice = await followed.next(
      'its notice',
      (event) =>
        event.type === 'message.stored' &&
        String(event.data.notice).startsWith('result:') &&
        event.seq > (followed.events[seen - 1]?.seq ?? 0),
    );
    told.push(notice.heard - began);
  }
  const collected = project.rows(
    `select tasks.updated_at - results.created_at as ms from tasks join results on results.result_id = tasks.accepted_result_id
     where tasks.task_id like 'task-%'`,
  );
  return [
    row("report_result -> in the leader's mailbox", 'ms', told, { budget: { limit: 50, of: 'value' } }),
    row(
      'result -> task collected',
      'ms',
      collected.map((line) => Number(line.ms)),
      { budget: { limit: 0, of: 'value' } },
    ),
  ];
}
