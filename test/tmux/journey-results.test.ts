import { afterAll, beforeAll, expect, test } from 'vitest';
import { Product } from '../support/product.ts';
import { ask, callTool, deliver, inputsOf, LISTENER, reached, start } from './journey.ts';

let product: Product;
beforeAll(async () => {
  product = new Product();
  const agents = [
    ...['f01', 'f03', 'f06', 'many', 'peer', 'again', 'boss', 'idle', 'retry'].map((id) => ({ id, script: LISTENER })),
    { id: 'done' },
  ];
  await start(product, product.writeTeam('crew', agents));
});
afterAll(() => product.end());

const noticesOf = (result: string): unknown[] =>
  product.rows(
    `select d.recipient, m.dedupe_key from messages m join deliveries d using (message_id)
     where m.dedupe_key like 'result:${result}%' order by d.recipient`,
  );

test('F01 a sloppy report is understood and collected in the transaction that stores it', async () => {
  const { message_id } = await deliver(product, 'f01', 'fix it', '--task', 'f01-task');
  const reported = await callTool(product, 'f01', 'report_result', {
    summary: '  fixed  ',
    status: 'OK',
    changes: '[{"file":"src/a.ts","details":"added a check"}]',
    tests: ['npm test', { cmd: 'npm run lint', status: 'passed', output: 'clean' }],
    risks: [{ level: 'critical', message: 'none tried on macOS' }],
    artifacts: 'report.md',
    next_actions: ['tell somebody'],
    mood: 'good',
  });
  expect(reported).toMatchObject({ ok: true, status: 'success', task_id: 'f01-task', message_id, unattributed: false });
  const [row] = product.rows(`select envelope from results where result_id = '${reported.result_id}'`);
  expect(JSON.parse(String(row?.envelope))).toMatchObject({
    changes: [{ path: 'src/a.ts', description: 'added a check' }],
    tests: [
      { command: 'npm test', status: 'not_run' },
      { command: 'npm run lint', status: 'passed', detail: 'clean' },
    ],
    risks: [{ severity: 'high' }],
    artifacts: [{ path: 'report.md' }],
    next_actions: [{ description: 'tell somebody' }],
    agent_id: 'f01',
  });
  const seqs = product.rows(`select type, at from events where data like '%${reported.result_id}%' order by seq`);
  expect(seqs.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['result.reported', 'delivery.answered', 'task.collected']),
  );
  expect(new Set(seqs.map(({ at }) => at)).size).toBe(1);
  expect(product.rows(`select status, accepted_result_id from tasks where task_id = 'f01-task'`)).toEqual([
    { status: 'done', accepted_result_id: reported.result_id },
  ]);
  expect((await reached(product, message_id, ['answered']))[0]?.state).toBe('answered');
});

test('F03 F05 the default agent: task done, one result, one notice', async () => {
  const answer = await ask(product, 'send', 'done', 'the job', '--task', 'f03-task', '--wait=result');
  expect(answer.results).toHaveLength(1);
  expect(answer.deliveries[0]?.state).toBe('answered');
  const [result] = answer.results;
  expect(noticesOf(result?.result_id ?? '')).toEqual([
    { recipient: 'leader', dedupe_key: `result:${result?.result_id}` },
  ]);
  const { messages } = await ask(product, 'inbox', 'leader', '--limit', '100');
  expect(messages.filter(({ body }) => body.includes(result?.result_id ?? '?'))).toHaveLength(1);
});

test('F06 a result without a task belongs to its message', async () => {
  const { message_id } = await deliver(product, 'f06', 'no task named');
  const reported = await callTool(product, 'f06', 'report_result', { summary: 'ok' });
  expect(reported).toMatchObject({ task_id: null, message_id, unattributed: false });
  const waited = await ask(product, 'wait', '--message', message_id, '--timeout', '10');
  expect(waited.results).toEqual([expect.objectContaining({ result_id: reported.result_id, message_id })]);
});

test('F06 a result that nobody asked for is kept, marked, and told', async () => {
  const reported = await callTool(product, 'idle', 'report_result', { summary: 'by the way' });
  expect(reported).toMatchObject({ ok: true, message_id: null, unattributed: true });
  const { results } = await ask(product, 'results', '--agent', 'idle');
  expect(results).toEqual([expect.objectContaining({ result_id: reported.result_id, unattributed: true })]);
  expect(noticesOf(reported.result_id)).toHaveLength(1);
});

test('F02 with several requests open the report names one; else it is refused, with the candidates, and nothing is stored', async () => {
  const first = await deliver(product, 'many', 'one', '--task', 'm1');
  const second = await deliver(product, 'many', 'two', '--task', 'm2');
  const count = (): unknown => product.rows(`select count(*) as n from results where agent_id = 'many'`)[0]?.n;
  const refused = await callTool(product, 'many', 'report_result', { summary: 'which?' });
  expect(refused).toMatchObject({ isError: true, reason: 'task_ambiguous' });
  expect(refused.evidence?.candidates).toEqual([
    { task: 'm1', message_id: first.message_id },
    { task: 'm2', message_id: second.message_id },
  ]);
  const foreign = await callTool(product, 'many', 'report_result', { summary: 'x', task: 'f01-task' });
  expect(foreign).toMatchObject({ isError: true, reason: 'task_unknown' });
  expect(count()).toBe(0);
  const named = await callTool(product, 'many', 'report_result', { summary: 'two is done', task: 'm2' });
  expect(named).toMatchObject({ task_id: 'm2', message_id: second.message_id });
  const left = await callTool(product, 'many', 'report_result', { summary: 'one failed', status: 'failed' });
  expect(left).toMatchObject({ task_id: 'm1', message_id: first.message_id, status: 'failed' });
  expect(product.rows(`select task_id, status from tasks where task_id in ('m1', 'm2') order by task_id`)).toEqual([
    { task_id: 'm1', status: 'failed' },
    { task_id: 'm2', status: 'done' },
  ]);
});

test('F05 a peer who asked for a result gets it too', async () => {
  const asked = await callTool(product, 'boss', 'send_message', { to: 'peer', content: 'look', expects: 'result' });
  await reached(product, asked.message_id);
  const reported = await callTool(product, 'peer', 'report_result', { summary: 'seen' });
  expect(reported).toMatchObject({ message_id: asked.message_id, unattributed: false });
  expect(noticesOf(reported.result_id)).toEqual([
    { recipient: 'boss', dedupe_key: `result:${reported.result_id}:boss` },
    { recipient: 'leader', dedupe_key: `result:${reported.result_id}` },
  ]);
  const [notice] = product.rows(
    `select message_id from messages where dedupe_key = 'result:${reported.result_id}:boss'`,
  );
  await reached(product, String(notice?.message_id));
  expect(inputsOf(product, 'boss').filter(({ text }) => text.includes(reported.result_id))).toHaveLength(1);
});

test.each(['claudecode/toolUseId', 'callId', 'team-agent/call'])(
  'M08 the same call twice, known by %s, is one message and one result',
  async (key) => {
    const meta = { [key]: `call-of-${key}` };
    const one = await callTool(product, 'again', 'send_message', { to: 'boss', content: 'once' }, meta);
    const two = await callTool(product, 'again', 'send_message', { to: 'boss', content: 'once' }, meta);
    expect(two.message_id).toBe(one.message_id);
    expect(two.deliveries.map(({ delivery_id }) => delivery_id)).toEqual(
      one.deliveries.map(({ delivery_id }) => delivery_id),
    );
    const other = await callTool(product, 'again', 'send_message', { to: 'boss', content: 'other' }, meta);
    expect(other).toMatchObject({ isError: true, reason: 'message_conflict' });
    const result = { [key]: `result-of-${key}` };
    const first = await callTool(product, 'again', 'report_result', { summary: key }, result);
    const second = await callTool(product, 'again', 'report_result', { summary: key }, result);
    expect(second.result_id).toBe(first.result_id);
    expect(product.rows(`select result_id from results where summary = '${key}'`)).toHaveLength(1);
    expect(noticesOf(first.result_id)).toHaveLength(1);
  },
);

test('F03 wait: for a task, an agent, a message, the idle team; and a timeout says so', async () => {
  const waiting = ask(product, 'wait', '--task', 'w-task', '--timeout', '20');
  const sent = await ask(product, 'send', 'done', 'waited for', '--task', 'w-task');
  expect((await waiting).results).toEqual([
    expect.objectContaining({ task_id: 'w-task', message_id: sent.message_id }),
  ]);
  const byAgent = await ask(product, 'wait', '--agent', 'done', '--timeout', '20');
  expect(byAgent.results.at(-1)).toMatchObject({ task_id: 'w-task' });
  expect((await ask(product, 'wait', '--message', sent.message_id, '--timeout', '20')).results).toHaveLength(1);
  expect(await ask(product, 'wait', '--idle', '--timeout', '20')).toMatchObject({ ok: true, waited_for: 'idle' });
  expect(await ask(product, 'wait', '--task', 'never', '--timeout', '0.3')).toMatchObject({
    code: 1,
    reason: 'timeout',
  });
  expect(await ask(product, 'wait', '--agent', 'ghost', '--timeout', '1')).toMatchObject({
    code: 1,
    reason: 'agent_not_found',
  });
  expect(await ask(product, 'wait', '--message', 'm_000000000000000000000000', '--timeout', '5')).toMatchObject({
    code: 1,
    reason: 'message_not_found',
  });
  expect(await ask(product, 'send', 'idle', 'no result comes', '--wait=result', '--timeout', '0.5')).toMatchObject({
    code: 1,
    reason: 'timeout',
    deliveries: [{ to: 'idle' }],
  });
});

test('F03 a task that was given out again: its last failure is no answer, with a coordinator or without one', async () => {
  await deliver(product, 'retry', 'do it', '--task', 'R');
  const failed = await callTool(product, 'retry', 'report_result', { summary: 'no luck', status: 'failed' });
  expect((await ask(product, 'wait', '--task', 'R', '--timeout', '5')).results).toMatchObject([
    { result_id: failed.result_id },
  ]);
  const { message_id } = await deliver(product, 'retry', 'do it again', '--task', 'R');
  expect(await ask(product, 'wait', '--task', 'R', '--timeout', '0.3')).toMatchObject({ code: 1, reason: 'timeout' });
  expect((await ask(product, 'coordinator', 'stop')).ok).toBe(true);
  const nobody = { code: 4, reason: 'coordinator_absent' };
  expect(await ask(product, 'wait', '--task', 'R', '--timeout', '5')).toMatchObject(nobody);
  expect(await ask(product, 'wait', '--message', message_id, '--timeout', '5')).toMatchObject(nobody);
  expect(await ask(product, 'wait', '--idle', '--timeout', '5')).toMatchObject(nobody);
  // What came before is there without anybody to ask.
  const first = await ask(product, 'wait', '--message', String(failed.message_id), '--timeout', '5');
  expect(first).toMatchObject({ code: 0, results: [{ result_id: failed.result_id }] });
  expect((await product.run(['coordinator', 'start'])).code).toBe(0);
  const waiting = ask(product, 'wait', '--task', 'R', '--timeout', '20');
  await callTool(product, 'retry', 'report_result', { summary: 'done now' });
  expect((await waiting).results).toMatchObject([{ summary: 'done now' }]);
  const cancelled = await ask(product, 'send', 'retry', 'never mind', '--in', '60');
  await ask(product, 'cancel', cancelled.message_id);
  const lost = await product.run(['wait', '--message', cancelled.message_id, '--timeout', '5']);
  expect(lost.code).toBe(1);
  expect(lost.stderr).toContain('taken back from retry');
});
