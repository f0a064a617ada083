import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ask, deliver, tmux } from '../tmux/journey.ts';
import {
  crashedAndRevived,
  crashingAt,
  modelOf,
  processesOf,
  startCoordinator,
  stopCoordinator,
  takenOnce,
} from './crash-stage.ts';
import { call, startPair } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;

beforeAll(async () => {
  product = await RealProduct.open();
  await startPair(product);
});
afterAll(() => product?.end());

const mateOf = (agent: string) => (agent === 'claire' ? 'cody' : 'claire');

/** A request whose turn will report and then write to a mate, `times` over; its model is held before the first of both, each time. */
async function asked(agent: string, task: string, times = 1) {
  const report = call('report_result', { summary: `done ${task}` });
  const letter = call('send_message', { to: mateOf(agent), content: `word of ${task}` });
  const [gate, ...again] = Array.from({ length: times }, (_, done) =>
    modelOf(product, agent).holdAnswers(
      ({ prompt, results }) => prompt.includes(`please ${task}`) && results.length === 2 * done,
    ),
  );
  if (!gate) throw new Error('no calls');
  const calls = `${report} ${letter} `.repeat(times);
  const { message_id } = await deliver(product, agent, `please ${task} ${calls}`, '--task', task);
  return { task, message: message_id, gate, again };
}

/** Waits until both calls have come back to the model, each so many times, and returns what they said. */
async function calledBoth(agent: string, task: string, times = 1): Promise<readonly string[]> {
  const turns = () => modelOf(product, agent).requestsWith(`please ${task}`);
  return eventually(
    'both calls to have come back',
    () => turns().find(({ results }) => results.length === 2 * times)?.results,
  );
}

/** One result that answers its request, one notice of it, and one message to the mate, which has read it once. */
async function takenInOnce(agent: string, task: string, message: string): Promise<void> {
  expect(await ask(product, 'wait', '--task', task, '--timeout', '20')).toMatchObject({ ok: true });
  const letters = () =>
    product.rows(`select message_id, sender from messages where body = 'word of ${task}'`) as { message_id: string }[];
  const letter = await eventually('the message to the mate to be stored', () => letters()[0]);
  await takenOnce(product, mateOf(agent), letter.message_id, `word of ${task}`);
  expect(letters()).toMatchObject([{ sender: agent }]);
  const { results } = await ask(product, 'results', '--task', task);
  expect(results).toMatchObject([{ agent_id: agent, task_id: task, message_id: message, summary: `done ${task}` }]);
  expect(results[0]?.unattributed ?? false).toBe(false);
  expect((await ask(product, 'deliveries', message)).deliveries).toMatchObject([{ state: 'answered', attempts: 1 }]);
  const notices = product.rows(`select dedupe_key from messages where sender = 'team-agent' and task_id = '${task}'`);
  expect(notices).toEqual([{ dedupe_key: `result:${results[0]?.result_id}` }]);
}

describe.each(['claire', 'cody'])('%s', (agent) => {
  test(`M11 ${agent}: what it reports and sends while the coordinator is stopped is taken in at the next start, once`, async () => {
    const before = processesOf(product, agent);
    const { task, message, gate } = await asked(agent, `stopped-${agent}`);
    await stopCoordinator(product);
    gate.release();
    const said = await calledBoth(agent, task);
    for (const words of said) expect(words).toMatch(/ECONNREFUSED|Transport send error/);
    expect(product.rows(`select * from results where task_id = '${task}'`)).toEqual([]);
    await startCoordinator(product);
    await takenInOnce(agent, task, message);
    await stopCoordinator(product);
    await startCoordinator(product);
    await takenInOnce(agent, task, message);
    expect(processesOf(product, agent)).toEqual(before);
  });

  test(`M11 ${agent}: the same when the coordinator was killed and nobody revived it`, async () => {
    const { task, message, gate } = await asked(agent, `killed-${agent}`);
    tmux(product, 'set-hook', '-gu', 'client-detached');
    await product.killCoordinator();
    gate.release();
    await calledBoth(agent, task);
    expect(product.rows(`select * from results where task_id = '${task}'`)).toEqual([]);
    await startCoordinator(product);
    await takenInOnce(agent, task, message);
  });

  test(`M11 ${agent}: the same when it reports in the second in which the coordinator starts`, async () => {
    const { task, message, gate } = await asked(agent, `starting-${agent}`);
    await stopCoordinator(product);
    const starting = startCoordinator(product);
    gate.release();
    await starting;
    await calledBoth(agent, task);
    await takenInOnce(agent, task, message);
  });

  test(`M11 ${agent}: what its model makes again because it failed counts once`, async () => {
    const { task, message, gate, again } = await asked(agent, `again-${agent}`, 2);
    await stopCoordinator(product);
    gate.release();
    await calledBoth(agent, task);
    await startCoordinator(product);
    for (const next of again) next.release();
    const [, , report, letter] = await calledBoth(agent, task, 2);
    // Claude Code connects to a server that came back only after a while.
    const answered = agent === 'cody' ? /\bok\W+true/ : /\bok\W+true|not connected/;
    for (const words of [report, letter]) expect(words).toMatch(answered);
    await takenInOnce(agent, task, message);
    await stopCoordinator(product);
    await startCoordinator(product);
    await takenInOnce(agent, task, message);
  });

  test.each(['result.before_commit', 'result.committed', 'send.before_commit', 'send.committed'] as const)(
    `M11 M10 ${agent}: killed over the call at %s, it counts once`,
    async (moment) => {
      // The first send is the person's request.
      const coordinator = await crashingAt(product, moment.startsWith('send') ? `${moment}#2` : moment);
      const { task, message, gate } = await asked(agent, `${moment.replace('.', '-')}-${agent}`);
      gate.release();
      await crashedAndRevived(product, coordinator);
      await calledBoth(agent, task);
      await takenInOnce(agent, task, message);
    },
  );
});
