import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { identifyProcess, signalProcess } from '../../src/kernel/index.ts';
import { cutOff, openLives, settled } from './crash-lives.ts';
import { ADD, CrashScene, type Daemon, deliveryIs, inputsOf, REMOVE, START } from './crash-scene.ts';

const scenes: CrashScene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.end();
});

/** A team of two whose coordinator will kill itself at `crashAt`, and a role document for a third. */
async function team(crashAt: string): Promise<{ made: CrashScene; daemon: Daemon; role: string }> {
  const made = new CrashScene('crash');
  scenes.push(made);
  const daemon = await made.daemon(crashAt);
  expect(await made.run(['quick-start', made.writeTeam('alpha', [{ id: 'one' }, { id: 'two' }])])).toMatchObject({
    code: 0,
  });
  const role = path.join(made.workspace, 'three.md');
  fs.writeFileSync(role, '---\nname: three\nrole: helper\nprovider: scripted\ntools: []\n---\nHelp.\n');
  return { made, daemon, role };
}

const added = (made: CrashScene): string => path.join(made.paths.team, 'alpha', 'added');

const members = async (made: CrashScene): Promise<string[]> =>
  Object.keys((await made.json<{ agents: object }>(['status'])).agents);

async function works(made: CrashScene, agent: string): Promise<void> {
  expect(await made.json(['send', agent, 'a word'])).toMatchObject({ ok: true });
  await deliveryIs(made, 'a word', 'answered');
  expect(inputsOf(made, agent).filter(({ text }) => text.includes('a word'))).toHaveLength(1);
  expect((await made.run(['shutdown'])).code).toBe(0);
  await made.nothingLeft();
}

describe('M10 kill -9 of the coordinator while an agent joins', () => {
  const ways = [
    ['added', (role: string) => ['add-agent', 'three', '--role-file', role]],
    ['forked', () => ['fork-agent', 'one', '--as', 'three']],
  ] as const;
  describe.each(ways)('one that is %s', (_, verb) => {
    test.each([...START, ...ADD])(
      'M10 G06 G10 at %s: it is undone, nothing is left of it, and the next try succeeds',
      async (at) => {
        const { made, daemon, role } = await team(at);
        await cutOff(made, daemon, ...verb(role));
        expect(await members(made)).toEqual(['one', 'two']);
        expect(made.rows('select * from member_changes')).toEqual([]);
        expect(fs.existsSync(added(made))).toBe(false);
        expect(made.rows(`select outcome from sagas where verb = 'add'`)).toEqual([{ outcome: 'undone' }]);
        expect(await made.json([...verb(role)])).toMatchObject({ ok: true, new_agent_id: 'three' });
        await settled(made);
        expect(await members(made)).toEqual(['one', 'two', 'three']);
        expect(openLives(made, 'three')).toHaveLength(1);
        await works(made, 'three');
      },
    );
  });
});

describe('M10 kill -9 of the coordinator while an agent is removed', () => {
  test.each(REMOVE)(
    'M10 G08 at %s: boot completes it: no member, no process, no document, its mail is dead',
    async (at) => {
      const { made, daemon, role } = await team(at);
      expect(await made.json(['add-agent', 'three', '--role-file', role])).toMatchObject({ ok: true });
      expect(await made.json(['send', 'three', 'too late', '--in', '3600'])).toMatchObject({ ok: true });
      await cutOff(made, daemon, 'remove-agent', 'three', '--force');
      expect(openLives(made, 'three')).toEqual([]);
      expect(await members(made)).toEqual(['one', 'two']);
      expect(fs.existsSync(added(made))).toBe(false);
      expect(await deliveryIs(made, 'too late', 'dead')).toMatchObject({ reason: 'recipient_removed' });
      expect(made.rows(`select outcome from sagas where verb = 'remove'`)).toEqual([{ outcome: 'done' }]);
      expect(await made.json(['remove-agent', 'three', '--force'])).toMatchObject({ reason: 'agent_not_found' });
      await works(made, 'two');
    },
  );

  test.each(REMOVE)(
    'M10 G09 at %s, of one that the documents describe: boot completes it, and it stays so',
    async (at) => {
      const { made, daemon } = await team(at);
      await cutOff(made, daemon, 'remove-agent', 'one', '--from-spec', '--confirm', '--force');
      expect(await members(made)).toEqual(['two']);
      expect(made.rows('select agent_id, kind from member_changes')).toEqual([{ agent_id: 'one', kind: 'removed' }]);
      expect((await made.run(['shutdown'])).code).toBe(0);
      expect(await made.json(['restart'])).toMatchObject({ ok: true, agents: [{ agent_id: 'two' }] });
      await works(made, 'two');
    },
  );
});

describe('a verb that failed behind its journal', () => {
  const open = (made: CrashScene) => made.rows('select verb from sagas where ended_at is null');
  const intents = (made: CrashScene) =>
    made.rows(`select agent_id, generation, intent from agents where intent <> 'removed' order by agent_id`);

  test('M10 G08 is settled before the next one that touches its agent, and never applied to another one of its name', async () => {
    const { made, daemon, role } = await team('');
    const add = async () => made.json<{ role_file: string }>(['add-agent', 'three', '--role-file', role]);
    const { role_file } = await add();
    const text = fs.readFileSync(role_file);
    fs.rmSync(role_file);
    fs.mkdirSync(role_file);
    expect(await made.json(['remove-agent', 'three', '--force'])).toMatchObject({ reason: 'internal_error' });
    expect(open(made)).toEqual([{ verb: 'remove' }]);
    fs.rmdirSync(role_file);
    fs.writeFileSync(role_file, text);
    // A verb about somebody else is none of its business.
    expect(await made.json(['stop-agent', 'one'])).toMatchObject({ ok: true });
    expect(open(made)).toEqual([{ verb: 'remove' }]);
    // Whoever asks again finds it done.
    expect(await made.json(['remove-agent', 'three', '--force'])).toMatchObject({ reason: 'agent_not_found' });
    expect([open(made), fs.existsSync(role_file)]).toEqual([[], false]);
    expect(await add()).toMatchObject({ ok: true, agent_id: 'three' });
    signalProcess(identifyProcess(daemon.pid) ?? expect.unreachable(), 'SIGKILL');
    await made.crashedAndRevived(daemon, 'a coordinator was killed');
    await settled(made);
    expect(intents(made)).toContainEqual({ agent_id: 'three', generation: 2, intent: 'running' });
    await works(made, 'three');
  });

  test('M10 G08 G13 and that was never settled is over at the next boot without a word to who runs today', async () => {
    const { made, role } = await team('');
    const lives = () => made.rows('select incarnation, agent_id from incarnations where ended_at is null');
    const former = lives().map(({ incarnation }) => incarnation);
    for (const words of [['shutdown'], ['restart'], ['add-agent', 'three', '--role-file', role]])
      expect((await made.run(words)).code).toBe(0);
    const [today, who, file] = [lives(), intents(made), path.join(added(made), 'three.md')];
    const hash = made.rows('select document_hash from member_changes')[0]?.document_hash;
    expect((await made.run(['coordinator', 'stop'])).code).toBe(0);
    const kept = { path: file, written: hash };
    const ledger = new DatabaseSync(made.paths.ledger);
    for (const [verb, plan] of [
      ['launch', { incarnations: former }],
      ['shutdown', { incarnations: former }],
      ['remove', { agent: 'three', generation: 0, native: false, kept, incarnations: [] }],
    ] as const)
      ledger
        .prepare('insert into sagas (saga_id, team, verb, step, plan, started_at) values (?, ?, ?, ?, ?, 1)')
        .run(verb, 'alpha', verb, 'journalled', JSON.stringify(plan));
    ledger.close();
    expect((await made.run(['coordinator', 'start'])).code).toBe(0);
    expect(open(made)).toEqual([]);
    expect([lives(), intents(made), fs.existsSync(file)]).toEqual([today, who, true]);
    expect(made.rows('select intent from teams')).toEqual([{ intent: 'running' }]);
    await works(made, 'three');
  });
});
