import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import { type Answer, ask, callTool, deliver, inputsOf, LISTENER, type Result, reached, start } from './journey.ts';

interface Collected extends Answer {
  readonly partial?: boolean;
  readonly collected: readonly Record<string, unknown>[];
  readonly collected_results: readonly (Result & { readonly scope: string })[];
  readonly invalid_results: readonly Record<string, unknown>[];
  readonly delivered_messages: readonly string[];
  readonly state_file: string;
  readonly coordinator: { readonly status: string };
}
type Counts = { readonly results: { readonly total: number; readonly collected: number; readonly invalid: number } };

let product: Product;
beforeAll(async () => {
  product = new Product();
  const listeners = ['plain', 'files', 'asks', 'idle'].map((id) => ({ id, script: LISTENER }));
  await start(product, product.writeTeam('crew', [...listeners, { id: 'done' }]));
});
afterAll(() => product.end());

const collect = (...args: readonly string[]) => product.json<Collected & Counts>(['collect', ...args]);

function envelope(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const lists = { changes: [], tests: [], risks: [], artifacts: [], next_actions: [] };
  return { schema_version: 'result_envelope_v1', status: 'success', summary: 'from a file', ...lists, ...facts };
}

function file(name: string, content: unknown): string {
  const place = path.join(product.workspace, name);
  fs.writeFileSync(place, typeof content === 'string' ? content : JSON.stringify(content));
  return place;
}

const stateFile = (): string => path.join(product.paths.team, 'crew', 'export', 'team_state.md');
const summaryShows = (text: string): Promise<string> =>
  eventually(`team_state.md to show ${text}`, () => {
    const summary = fs.existsSync(stateFile()) ? fs.readFileSync(stateFile(), 'utf8') : '';
    return summary.includes(text) ? summary : undefined;
  });

test('F04 F06 collect shows what was collected already, each time, with and without a coordinator', async () => {
  await ask(product, 'send', 'done', 'the job', '--task', 'f04', '--wait=result');
  const plain = await deliver(product, 'plain', 'without a task');
  await callTool(product, 'plain', 'report_result', { summary: 'here', tests: [{ command: 'make', status: 'ok' }] });
  await callTool(product, 'idle', 'report_result', { summary: 'by the way' });
  const first = await collect();
  expect(first.collected_results).toEqual([
    expect.objectContaining({ agent_id: 'done', task_id: 'f04', scope: 'task', tests: [] }),
    expect.objectContaining({
      ...{ agent_id: 'plain', task_id: null, scope: 'message', message_id: plain.message_id },
      tests: [{ command: 'make', status: 'passed' }],
    }),
    expect.objectContaining({ agent_id: 'idle', scope: 'none' }),
  ]);
  expect(first).toMatchObject({
    ...{ code: 0, ok: true, delivered_messages: [], invalid_results: [], state_file: stateFile() },
    results: { total: 3, uncollected: 0, collected: 3, invalid: 0, by_status: { success: 3 } },
    coordinator: { status: 'running' },
  });
  expect(await collect()).toEqual(first);
  for (const one of first.collected) {
    expect(await product.json(['validate-result', JSON.stringify(one)])).toMatchObject({ code: 0, ok: true });
  }
  await product.run(['coordinator', 'stop']);
  await eventually('the coordinator to end', () => product.coordinator() === undefined);
  expect(await collect()).toEqual({ ...first, coordinator: { status: 'absent' } });
  expect(product.coordinator()).toBeUndefined();
  await product.run(['coordinator', 'start']);
});

test('F08 a result from a file answers the request, ends its task and reaches the leader, once', async () => {
  const { message_id } = await deliver(product, 'files', 'write it to a file', '--task', 'f08');
  const place = file('one.json', envelope({ task_id: 'f08', agent_id: 'files', status: 'blocked' }));
  const brought = await collect('--result-file', place);
  expect(brought).toMatchObject({ code: 0, ok: true, invalid_results: [] });
  expect(brought.collected_results).toEqual([
    expect.objectContaining({ agent_id: 'files', task_id: 'f08', message_id, status: 'blocked', scope: 'task' }),
  ]);
  const [result] = brought.collected_results;
  expect(await collect('--result-file', place)).toEqual(brought);
  expect(product.rows(`select source, incarnation from results where task_id = 'f08'`)).toEqual([
    { source: 'file', incarnation: null },
  ]);
  expect((await reached(product, message_id, ['answered']))[0]?.state).toBe('answered');
  expect((await ask(product, 'wait', '--message', message_id, '--timeout', '10')).results).toHaveLength(1);
  expect(product.rows(`select status from tasks where task_id = 'f08'`)).toEqual([{ status: 'blocked' }]);
  const { messages } = await ask(product, 'inbox', 'leader', '--limit', '100');
  expect(messages.filter(({ body }) => body.includes(result?.result_id ?? '?'))).toHaveLength(1);
  await summaryShows('- f08 (blocked): from a file');
});

test('F07 F08 a bad result in a file is kept and explained, and the good one beside it is taken in', async () => {
  await deliver(product, 'files', 'again', '--task', 'f07');
  const before = await collect();
  const good = envelope({ task_id: 'f07', agent_id: 'files' });
  const place = file('mixed.json', [{ ...good, status: 'fine' }, { ...good, agent_id: 'ghost' }, good]);
  const mixed = await collect('--result-file', place);
  expect(mixed).toMatchObject({ code: 3, ok: false, partial: true, reason: 'result_invalid' });
  expect(mixed.collected_results).toEqual([expect.objectContaining({ task_id: 'f07', agent_id: 'files' })]);
  expect(mixed.invalid_results).toEqual([
    expect.objectContaining({
      ...{ agent_id: 'files', task_id: 'f07', path: place },
      error: 'status: must be one of success, blocked, failed, partial',
    }),
    expect.objectContaining({ agent_id: 'ghost', error: 'agent_id: nobody in the team is called ghost' }),
  ]);
  const bad = await collect('--result-file', file('bad.json', { ...good, summary: ' ' }));
  expect(bad).toMatchObject({ code: 1, ok: false, reason: 'result_invalid' });
  const after = await collect();
  expect(after.collected).toHaveLength(before.collected.length + 1);
  expect(after.invalid_results).toHaveLength(before.invalid_results.length + 3);
  expect(after.results.total).toBe(after.results.collected + after.results.invalid);
  const status = await product.json<{ results: { total: number }; latest_results: readonly Result[] }>(['status']);
  expect(status.results.total).toBe(after.results.collected);
  expect((await ask(product, 'results', '--task', 'f07')).results).toHaveLength(1);
  expect((await ask(product, 'wait', '--agent', 'ghost', '--timeout', '1')).reason).toBe('agent_not_found');
});

test('F08 a file that is no JSON, holds nothing or is not there is refused, and nothing is stored', async () => {
  const count = (): unknown => product.rows('select count(*) as n from results')[0]?.n;
  const before = count();
  for (const text of ['{', '', '\u0000', '[]']) {
    const refused = await collect('--result-file', file('none.json', text));
    expect(refused).toMatchObject({ code: 1, ok: false, reason: 'result_invalid' });
  }
  const bytes = path.join(product.workspace, 'bytes.json');
  fs.writeFileSync(bytes, Buffer.from([0x22, 0xff, 0x22]));
  expect(await collect('--result-file', bytes)).toMatchObject({ code: 1, reason: 'result_invalid' });
  expect(await collect('--result-file', 'absent.json')).toMatchObject({ code: 2, reason: 'usage' });
  expect(count()).toBe(before);
});

test('F09 validate-result: a word, a file or standard input, in any folder', async () => {
  const good = envelope({ task_id: 't', agent_id: 'ann' });
  const answer = { code: 0, ok: true, task_id: 't', agent_id: 'ann', status: 'success' };
  const cwd = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'elsewhere-'));
  const text = JSON.stringify(good);
  expect(await product.json(['validate-result', text], { cwd })).toEqual(answer);
  expect(await product.json(['validate-result', '--file', file('good.json', good)], { cwd })).toEqual(answer);
  expect(await product.json(['validate-result'], { cwd, input: text })).toEqual(answer);
  const wrong = JSON.stringify({ ...good, tests: [{ command: 'x', status: 'fine' }] });
  const refused = await product.run(['validate-result'], { cwd, input: wrong });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('tests.0.status: must be one of passed, failed, not_run, skipped');
  expect(await product.json(['validate-result', '{'], { cwd })).toMatchObject({ code: 1, reason: 'result_invalid' });
  expect(await product.json(['validate-result', text, '--file', 'x'], { cwd })).toMatchObject({ code: 2 });
  expect(fs.readdirSync(cwd)).toEqual([]);
});

test('F13 settle tells how the team stands and keeps all of it in a file', async () => {
  const settled = await product.json<{
    readonly ok: boolean;
    readonly summary: string;
    readonly next_actions: readonly string[];
    readonly details_log: string;
    readonly collect: Collected;
  }>(['settle']);
  expect(settled).toMatchObject({ code: 0, ok: true, summary: expect.stringMatching(/^crew: \d+ results/) });
  expect(settled.next_actions).toContain('team-agent inbox leader --take');
  expect(path.basename(settled.details_log)).toMatch(/^settle-\d{8}T\d{6}\.\d{3}Z\.json$/);
  expect(path.dirname(settled.details_log)).toBe(product.paths.run);
  expect(fs.statSync(settled.details_log).mode & 0o777).toBe(0o600);
  const kept = JSON.parse(fs.readFileSync(settled.details_log, 'utf8'));
  expect(Object.keys(kept.status.agents)).toEqual(['asks', 'done', 'files', 'idle', 'plain']);
  expect(kept.collect).toEqual(settled.collect);
  expect(settled.collect.collected_results).toEqual((await collect()).collected_results);
});

test('F13 F08 agents may neither settle nor bring results', async () => {
  const environment = { TEAM_AGENT_TOKEN: tokenOf('idle') };
  for (const words of [['settle'], ['collect'], ['collect', '--result-file', file('mine.json', envelope({}))]])
    expect(await product.json(words, { environment })).toMatchObject({ code: 1, reason: 'worker_may_not' });
});

function tokenOf(agent: string): string {
  const [row] = product.rows(`select incarnation from incarnations where agent_id = '${agent}' and ended_at is null`);
  return fs.readFileSync(path.join(product.paths.run, 'agents', String(row?.incarnation), 'token'), 'utf8').trim();
}

test('F12 the summary follows: agents, tasks, results, questions and their answers', async () => {
  const asked = await callTool(product, 'asks', 'request_human', { question: 'may I?\n# Team evil' });
  const open = await summaryShows('asks a person: may I? # Team evil');
  expect(open).toContain(`Answer what waits: \`team-agent send asks "text" --reply-to ${asked.message_id}\`.`);
  expect(open.match(/^# .*$/gm)).toEqual(['# Team crew']);
  expect(open).toContain('- asks: worker on scripted (running)');
  await ask(product, 'send', 'asks', 'you may', '--reply-to', asked.message_id);
  await eventually('the question to leave', () => !fs.readFileSync(stateFile(), 'utf8').includes('may I?'));
  await deliver(product, 'files', 'a long job', '--task', 'f12');
  await summaryShows('- f12: running, with files. a long job');
  await callTool(product, 'files', 'report_result', { summary: 'all of it', task: 'f12' });
  await summaryShows('- f12: done, with files. a long job: all of it');
});

test('F12 the summary is no document: not for git, not for a team that is read again', async () => {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: product.workspace, encoding: 'utf8' });
  git('init', '-q');
  const ignored = path.relative(product.workspace, stateFile());
  expect(git('check-ignore', ignored).trim()).toBe(ignored);
  expect(await ask(product, 'shutdown')).toMatchObject({ ok: true });
  expect(fs.readFileSync(stateFile(), 'utf8')).toContain('- files: worker on scripted (stopped)');
  await start(product, path.join(product.paths.team, 'crew'), '--fresh');
  await summaryShows('- files: worker on scripted (running)');
});

test('E23 send --no-wait, --no-ack and --watch-result are accepted and do nothing else', async () => {
  const flags = ['--no-wait', '--no-ack', '--watch-result'];
  const sent: Answer[] = [];
  for (const given of [[], ...flags.map((flag) => [flag]), flags])
    sent.push(await ask(product, 'send', 'done', 'the same', ...given));
  for (const answer of sent) {
    expect(Object.keys(answer)).toEqual(Object.keys(sent[0] ?? {}));
    expect(answer).toMatchObject({ code: 0, ok: true, to: ['done'] });
    await reached(product, answer.message_id, ['answered']);
  }
  const columns = 'expects, task_id, reply_to, due_at, expires_at, batched, confirmation, authority';
  expect(product.rows(`select distinct ${columns} from messages where body = 'the same'`)).toHaveLength(1);
  const results = product.rows(
    `select result_id from results where message_id in (select message_id from messages where body = 'the same')`,
  );
  expect(results).toHaveLength(sent.length);
  expect(inputsOf(product, 'done').filter(({ text }) => text.includes('the same'))).toHaveLength(sent.length);
  expect((await product.run(['send', '--help'])).stdout).not.toMatch(/--no-wait|--no-ack|--watch-result/);
});

test('allow-peer-talk is accepted and changes nothing; whoever is not there is refused', async () => {
  const before = product.rows('select max(seq) as seq from events');
  const answer = { a: 'plain', b: 'files', status: 'compat_noop', reason: 'team_scoped_peer_messages_enabled' };
  expect(await ask(product, 'allow-peer-talk', 'plain', 'files')).toEqual({
    code: 0,
    ok: true,
    team: 'crew',
    ...answer,
  });
  expect(await ask(product, 'allow-peer-talk', 'plain', 'ghost')).toMatchObject({ code: 1, reason: 'agent_not_found' });
  expect(await ask(product, 'allow-peer-talk', 'plain')).toMatchObject({ code: 2, reason: 'usage' });
  expect(product.rows('select max(seq) as seq from events')).toEqual(before);
  expect((await product.run(['--help'])).stdout).not.toContain('allow-peer-talk');
});
