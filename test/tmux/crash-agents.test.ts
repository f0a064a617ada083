import { afterEach, describe, expect, test } from 'vitest';
import { cutOff, handleOf, type Life, lives, openLives, settled } from './crash-lives.ts';
import { CrashScene, type Daemon, deliveryIs, inputsOf, LAUNCH, RESET, START, STOP } from './crash-scene.ts';

const scenes: CrashScene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.end();
});

const AGENTS = [{ id: 'one' }, { id: 'two', script: 'channel: paste\n' }];

/** A team in which `one` has something to lose; its coordinator will kill itself at `crashAt`. */
async function team(crashAt: string): Promise<{ made: CrashScene; daemon: Daemon; old: string }> {
  const made = new CrashScene('crash');
  scenes.push(made);
  const daemon = await made.daemon(crashAt);
  const started = await made.run(['quick-start', made.writeTeam('alpha', AGENTS)]);
  expect(started).toMatchObject({ code: 0 });
  expect((await made.run(['send', 'one', 'remember me'])).code).toBe(0);
  await deliveryIs(made, 'remember me', 'answered');
  const old = String(made.rows(`select session_id from sessions where agent_id = 'one'`)[0]?.session_id);
  return { made, daemon, old };
}

/** How often `one` took a text, over all its conversations. */
const taken = (made: CrashScene, text: string): number =>
  inputsOf(made, 'one').filter((line) => line.text.includes(text)).length;

/** The agent works, on the conversation that is expected, and its mail came once. */
async function works(made: CrashScene, conversation: { is?: string; isNot?: string }): Promise<void> {
  await deliveryIs(made, 'it waited', 'answered');
  expect(taken(made, 'it waited')).toBe(1);
  expect(taken(made, 'remember me')).toBe(1);
  expect(openLives(made, 'one')).toHaveLength(1);
  expect(openLives(made, 'two')).toHaveLength(1);
  const session = handleOf(openLives(made, 'one')[0] as Life)?.session;
  if (conversation.is !== undefined) expect(session).toBe(conversation.is);
  if (conversation.isNot !== undefined) expect(session).not.toBe(conversation.isNot);
  expect((await made.run(['shutdown'])).code).toBe(0);
  await made.nothingLeft();
}

describe('M10 kill -9 of the coordinator while one agent starts', () => {
  test.each(START)(
    'M10 at %s: it is stopped, keeps its conversation and its mail; the next start goes on',
    async (at) => {
      const { made, daemon, old } = await team(at);
      expect(await made.json(['stop-agent', 'one'])).toMatchObject({ ok: true });
      expect(await made.json(['send', 'one', 'it waited'])).toMatchObject({ ok: true });
      await cutOff(made, daemon, 'start-agent', 'one');
      expect(openLives(made, 'one')).toEqual([]);
      expect(made.rows(`select outcome from sagas where verb = 'start'`)).toEqual([{ outcome: 'undone' }]);
      expect(await made.json(['start-agent', 'one'])).toMatchObject({
        ok: true,
        start_mode: 'resumed',
        session_id: old,
      });
      await works(made, { is: old });
    },
  );

  test.each([...STOP, ...START])(
    'M10 Z34 at %s of a replacement: it is stopped, the next start goes on',
    async (at) => {
      const { made, daemon, old } = await team(at);
      await cutOff(made, daemon, 'start-agent', 'one', '--force');
      expect(openLives(made, 'one')).toEqual([]);
      expect(await made.json(['send', 'one', 'it waited'])).toMatchObject({ ok: true });
      expect(await made.json(['start-agent', 'one'])).toMatchObject({ ok: true, start_mode: 'resumed' });
      await works(made, { is: old });
    },
  );
});

describe('M10 kill -9 of the coordinator while one agent stops', () => {
  test.each(STOP)('M10 at %s: boot completes it, a second stop finds nothing to do', async (at) => {
    const { made, daemon, old } = await team(at);
    await cutOff(made, daemon, 'stop-agent', 'one');
    expect(openLives(made, 'one')).toEqual([]);
    expect(made.rows(`select outcome from sagas where verb = 'stop'`)).toEqual([{ outcome: 'done' }]);
    expect(made.rows(`select body from messages where sender = 'team-agent' and body like '%by itself%'`)).toEqual([]);
    expect(await made.json(['stop-agent', 'one'])).toMatchObject({ ok: true, stopped: false });
    expect(await made.json(['send', 'one', 'it waited'])).toMatchObject({ ok: true });
    expect(await made.json(['start-agent', 'one'])).toMatchObject({ ok: true, start_mode: 'resumed' });
    await works(made, { is: old });
  });
});

describe('M10 kill -9 of the coordinator while one agent is reset', () => {
  test.each([...STOP, ...RESET, ...START])('M10 Z34 at %s: the next reset completes it', async (at) => {
    const { made, daemon, old } = await team(at);
    await cutOff(made, daemon, 'reset-agent', 'one', '--discard-session');
    expect(openLives(made, 'one')).toEqual([]);
    expect(await made.json(['send', 'one', 'it waited'])).toMatchObject({ ok: true });
    const kept = made.rows(`select 1 from sessions where session_id = '${old}' and discarded_at is null`);
    expect(kept).toHaveLength(['stop.journalled', 'stop.ended', 'reset.stopped'].includes(at) ? 1 : 0);
    // What was given up stays so: a start begins anew. What was not, the reset gives up when it is asked for again.
    const next = kept.length > 0 ? ['reset-agent', 'one', '--discard-session'] : ['start-agent', 'one'];
    expect(await made.json(next)).toMatchObject({ ok: true, start_mode: 'fresh' });
    await works(made, { isNot: old });
  });
});

describe('M10 kill -9 of the coordinator while a team is started again', () => {
  const shutDown = async (crashAt: string) => {
    const { made, old } = await team('');
    expect(await made.json(['shutdown'])).toMatchObject({ ok: true, code: 0 });
    await made.nothingLeft();
    return { made, old, daemon: await made.daemon(crashAt) };
  };
  const again = async (made: CrashScene, old: string): Promise<void> => {
    expect(await made.json(['restart'])).toMatchObject({
      ok: true,
      agents: [
        { agent_id: 'one', restart_mode: 'resumed' },
        { agent_id: 'two', restart_mode: 'resumed' },
      ],
    });
    await settled(made);
    expect(await made.json(['send', 'one', 'it waited'])).toMatchObject({ ok: true });
    await works(made, { is: old });
    const outcomes = made.rows(`select outcome from sagas where verb = 'restart' order by started_at`);
    expect(outcomes).toEqual([{ outcome: 'undone' }, { outcome: 'done' }]);
  };

  test.each([...LAUNCH, 'launch.spawned#2', 'launch.attached#2'])(
    'M10 at %s: it is undone with nobody typing, the next restart goes on with every conversation',
    async (at) => {
      const { made, daemon, old } = await shutDown(at);
      expect(await made.json(['restart'])).toMatchObject({ ok: false, reason: 'coordinator_lost', code: 4 });
      await made.crashedAndRevived(daemon, at);
      await settled(made);
      expect(lives(made).filter(({ ended_at }) => ended_at === null)).toEqual([]);
      expect(made.rows('select intent from teams')).toEqual([{ intent: 'stopped' }]);
      await again(made, old);
    },
  );

  test('M10 at launch.journalled: the next restart undoes it and goes on with every conversation', async () => {
    const { made, daemon, old } = await shutDown('launch.journalled');
    expect(await made.json(['restart'])).toMatchObject({ ok: false, reason: 'coordinator_lost', code: 4 });
    await made.crashed(daemon);
    await again(made, old);
  });
});
