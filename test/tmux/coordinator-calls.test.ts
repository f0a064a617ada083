import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { CrashScene, deliveryIs, provedOnce, reportedOnce } from './crash-scene.ts';

const scenes: CrashScene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.end();
});

/** Steps that the agent plays once the file `go` stands in the workspace. */
const when = (steps: string): string =>
  `rules:\n  - match: work\n    do:\n      - run: "until [ -e {{workspace}}/go ]; do sleep 0.02; done"\n${steps}`;

async function scene(script: string, crashAt?: string) {
  const made = new CrashScene('away');
  scenes.push(made);
  const daemon = crashAt === undefined ? undefined : await made.daemon(crashAt);
  const docs = made.writeTeam('alpha', [{ id: 'worker', script }]);
  expect((await made.run(['quick-start', docs])).code).toBe(0);
  return { made, daemon };
}

/** The worker has read its work, the coordinator is stopped in order (so nobody revives it), and now the worker may go on. */
async function goesOnAlone(made: CrashScene): Promise<void> {
  expect(await made.json(['send', 'worker', 'work', '--task', 't1', '--wait=consumed'])).toMatchObject({ ok: true });
  expect((await made.run(['coordinator', 'stop'])).code).toBe(0);
  expect(made.coordinator()).toBeUndefined();
  fs.writeFileSync(path.join(made.workspace, 'go'), '');
}

function recordOf(made: CrashScene): string {
  return String(made.rows('select record from sessions')[0]?.record);
}

/** Waits until the agent's own record tells of `count` calls that reached nobody. */
async function missed(made: CrashScene, count: number): Promise<void> {
  await eventually(
    'the calls to fail',
    () => fs.readFileSync(recordOf(made), 'utf8').split('"unreached":true').length === count + 1,
  );
}

async function restart(made: CrashScene): Promise<void> {
  expect((await made.run(['coordinator', 'start'])).code).toBe(0);
}

describe('M11 F calls that were made while the coordinator was away', () => {
  test('M11 a report is taken in once: one result, one notice, also after one more restart', async () => {
    const { made } = await scene(when('      - report: { summary: "made alone" }\n'));
    await goesOnAlone(made);
    await missed(made, 1);
    expect(made.rows('select * from results')).toEqual([]);
    await restart(made);
    const row = await deliveryIs(made, 'work', 'answered');
    provedOnce(made, row, 'worker');
    reportedOnce(made, row.message_id);
    expect((await made.run(['coordinator', 'stop'])).code).toBe(0);
    await restart(made);
    reportedOnce(made, row.message_id);
    expect(await made.json(['inbox', 'leader'])).toMatchObject({ waiting: 1 });
  });

  test('M11 a message is taken in once, and goes out', async () => {
    const { made } = await scene(when('      - send: { to: leader, text: "found alone" }\n'));
    await goesOnAlone(made);
    await missed(made, 1);
    await restart(made);
    const stored = `select recipient from messages join deliveries using (message_id) where body = 'found alone'`;
    await eventually('the message to be stored', () => made.rows(stored).length > 0);
    expect((await made.run(['coordinator', 'stop'])).code).toBe(0);
    await restart(made);
    expect(made.rows(stored)).toEqual([{ recipient: 'leader' }]);
  });

  test('M11 what an agent makes again because it failed counts once', async () => {
    const calls = `      - report: { summary: "made alone" }\n      - send: { to: leader, text: "found alone" }\n`;
    const back = `      - run: "until [ -e {{workspace}}/back ]; do sleep 0.02; done"\n`;
    const { made } = await scene(when(`${calls}${calls}${back}${calls}      - say: "all said"\n`));
    await goesOnAlone(made);
    await missed(made, 4);
    await restart(made);
    fs.writeFileSync(path.join(made.workspace, 'back'), '');
    await eventually('its turn to end', () => fs.readFileSync(recordOf(made), 'utf8').includes('all said'));
    const row = await deliveryIs(made, 'work', 'answered');
    reportedOnce(made, row.message_id);
    const stored = `select recipient from messages join deliveries using (message_id) where body = 'found alone'`;
    expect(made.rows(stored)).toEqual([{ recipient: 'leader' }]);
    expect((await made.run(['coordinator', 'stop'])).code).toBe(0);
    await restart(made);
    reportedOnce(made, row.message_id);
    expect(made.rows(stored)).toEqual([{ recipient: 'leader' }]);
  });

  test('M11 a report of an agent that has ended since is not lost', async () => {
    const { made } = await scene(when('      - report: { summary: "my last word" }\n      - exit: 0\n'));
    await goesOnAlone(made);
    await missed(made, 1);
    await eventually('the agent to end', () => fs.readFileSync(recordOf(made), 'utf8').includes('"type":"exit"'));
    await restart(made);
    const row = await deliveryIs(made, 'work', 'answered');
    provedOnce(made, row, 'worker');
    expect(made.rows('select message_id, summary from results')).toEqual([
      { message_id: row.message_id, summary: 'my last word' },
    ]);
    expect(made.rows(`select * from messages where dedupe_key like 'result:%'`)).toHaveLength(1);
  });

  test('M11 a report about what a person typed into its pane is stored unattributed, and told once', async () => {
    const { made } = await scene('rules: [{ match: typed, do: [{ report: { summary: "as you typed" } }] }]\n');
    const pane = made.tmux('list-panes', '-a', '-f', '#{==:#{pane_dead},0}', '-F', '#{pane_id}').trim();
    expect((await made.run(['coordinator', 'stop'])).code).toBe(0);
    made.tmux('send-keys', '-t', pane, '-l', 'typed by hand');
    made.tmux('send-keys', '-t', pane, 'Enter');
    await missed(made, 1);
    await restart(made);
    await eventually('the report to be taken in', () => made.rows('select * from results').length > 0);
    expect(made.rows('select summary, unattributed from results')).toEqual([
      { summary: 'as you typed', unattributed: 1 },
    ]);
    expect(made.rows(`select * from messages where dedupe_key like 'result:%'`)).toHaveLength(1);
  });

  test.each(['send.before_commit#2', 'send.committed#2'])(
    'M11 an agent that is cut off while it sends, at %s, has sent one message',
    async (boundary) => {
      const { made, daemon } = await scene(
        'rules: [{ match: work, do: [{ send: { to: leader, text: "cut off" } }] }]\n',
        boundary,
      );
      expect(await made.json(['send', 'worker', 'work', '--expects', 'nothing'])).toMatchObject({ ok: true });
      if (!daemon) throw new Error('no daemon');
      await made.crashedAndRevived(daemon, boundary);
      const sent = `select recipient from messages join deliveries using (message_id) where body = 'cut off'`;
      await eventually('the message to be stored', () => made.rows(sent).length > 0);
      await missed(made, 1);
      // The boot has read all of the record before it answers.
      expect((await made.run(['coordinator', 'stop'])).code).toBe(0);
      await restart(made);
      expect(made.rows(sent)).toEqual([{ recipient: 'leader' }]);
    },
  );

  test('M11 a failed call that stands in the record only after boot has read it is taken in as well, once', async () => {
    const { made } = await scene('rules: [{ match: work, do: [{ say: "later" }] }]\n');
    expect(await made.json(['send', 'worker', 'work', '--wait=consumed'])).toMatchObject({ ok: true });
    const before = made.coordinator();
    if (!before) throw new Error('no coordinator');
    await made.killCoordinator();
    await made.revived(before);
    expect(await made.json(['status'])).toMatchObject({ ok: true, results: { total: 0 } });
    // What a slow client writes about the second in which nobody listened.
    const call = { type: 'tool', call: randomUUID(), name: 'report_result', arguments: { summary: 'too early' } };
    fs.appendFileSync(recordOf(made), `${JSON.stringify({ ...call, ok: false, unreached: true, at: Date.now() })}\n`);
    const row = await deliveryIs(made, 'work', 'answered');
    reportedOnce(made, row.message_id);
    expect((await made.run(['coordinator', 'stop'])).code).toBe(0);
    await restart(made);
    reportedOnce(made, row.message_id);
  });
});
