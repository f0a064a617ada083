import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
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
