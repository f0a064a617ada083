import { afterEach, describe, expect, test } from 'vitest';
import { BOUNDARIES, type Boundary, signalProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { CrashScene, deliveryIs, deliveryOf, inputsOf, provedOnce, reportedOnce } from './crash-scene.ts';
import { recordOf } from './journey.ts';

const scenes: CrashScene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.end();
});

const CHANNELS = ['protocol', 'paste'] as const;
type ChannelName = (typeof CHANNELS)[number];
const BODY = 'one thing to do';

/** A team of one worker that is reached over this channel, with a coordinator that kills itself at `crashAt`. */
async function scene(channel: ChannelName, crashAt: string) {
  const made = new CrashScene('crash');
  scenes.push(made);
  const daemon = await made.daemon(crashAt);
  const docs = made.writeTeam('alpha', [{ id: 'worker', script: `channel: ${channel}\n` }]);
  expect((await made.run(['quick-start', docs])).code).toBe(0);
  return { made, daemon };
}

async function send(made: CrashScene): Promise<Record<string, unknown>> {
  return made.json(['send', 'worker', BODY, '--task', 't1']);
}

/** All is as if nothing had happened: taken once, answered once, told once. */
async function settledOnce(made: CrashScene, boots: number): Promise<void> {
  const row = await deliveryIs(made, BODY, 'answered');
  provedOnce(made, row, 'worker');
  reportedOnce(made, row.message_id);
  expect(made.epoch()).toBe(boots);
  const status = await made.json(['status']);
  expect(status).toMatchObject({ ok: true, observed: 'live', results: { total: 1, unattributed: 0 } });
}

/** The boundaries at which a message in flight can be cut off, but those with an end of their own below. */
const PLAIN = [
  'send.committed',
  'offer.before_commit',
  'offer.written',
  'receipt.before_commit',
  'receipt.committed',
  'result.before_commit',
  'result.committed',
] as const satisfies readonly Boundary[];

const OWN = [
  'send.before_commit',
  'offer.committed',
  'requeue.before_commit',
  'requeue.committed',
  'release.before_commit',
  'release.committed',
] as const;

describe('M10 kill -9 of the coordinator while a message is on its way, nobody types anything', () => {
  test('every boundary of a message is swept', () => {
    const concerned = BOUNDARIES.filter((name) => /^(send|offer|receipt|requeue|release|result)\./.test(name));
    expect([...PLAIN, ...OWN].sort()).toEqual([...concerned].sort());
  });

  for (const channel of CHANNELS) {
    test.each(PLAIN)(`M10 ${channel}: at %s`, async (boundary) => {
      const { made, daemon } = await scene(channel, boundary);
      // Whether the answer got out or was lost, the message is stored, and the sender is told so.
      expect(await send(made)).toMatchObject({ ok: true });
      await made.crashedAndRevived(daemon, `${channel} ${boundary}`);
      await settledOnce(made, 2);
    });

    test(`M10 ${channel}: at send.before_commit nothing is stored, and the sender is told so`, async () => {
      const { made, daemon } = await scene(channel, 'send.before_commit');
      expect(await send(made)).toMatchObject({ ok: false, reason: 'coordinator_lost', stored: false, code: 4 });
      await made.crashedAndRevived(daemon, `${channel} send.before_commit`);
      expect(made.rows('select * from messages')).toEqual([]);
      expect(await send(made)).toMatchObject({ ok: true });
      await settledOnce(made, 2);
    });
  }

  test.each(['offer.written', 'result.before_commit'] as const)(
    'M10 at %s a send that waits for the result goes on waiting, and has it in the end',
    async (boundary) => {
      const { made, daemon } = await scene('protocol', boundary);
      const sent = await made.json(['send', 'worker', BODY, '--task', 't1', '--wait=result', '--timeout', '60']);
      expect(sent).toMatchObject({ ok: true, deliveries: [{ state: 'answered' }], results: [{ task_id: 't1' }] });
      await made.crashedAndRevived(daemon, `waiting ${boundary}`);
      await settledOnce(made, 2);
    },
  );

  for (const channel of CHANNELS) {
    test(`M10 ${channel}: at offer.committed it is proved that it was not handed over, and it is offered again`, async () => {
      const { made, daemon } = await scene(channel, 'offer.committed');
      expect(await send(made)).toMatchObject({ ok: true });
      await made.crashedAndRevived(daemon, `${channel} offer.committed`);
      await settledOnce(made, 2);
      expect(deliveryOf(made, BODY).attempts).toBe(2);
    });

    test.each(['requeue.before_commit', 'requeue.committed'] as const)(`M10 ${channel}: at %s`, async (boundary) => {
      const { made, daemon } = await scene(channel, 'offer.committed');
      made.forbidRevival();
      expect(await send(made)).toMatchObject({ ok: true });
      await made.crashed(daemon);
      expect(deliveryOf(made, BODY).state).toBe('submitted');
      // The next one proves that the offer was not taken, and is killed over that.
      const second = await made.daemon(boundary);
      await made.crashedAndRevived(second, `${channel} ${boundary}`);
      await settledOnce(made, 3);
      expect(deliveryOf(made, BODY).attempts).toBe(2);
    });
  }

  test.each(['release.before_commit', 'release.committed'] as const)('M10 scheduled: at %s', async (boundary) => {
    const { made, daemon } = await scene('protocol', boundary);
    const sent = await made.json(['send', 'worker', BODY, '--task', 't1', '--in', '3']);
    expect(sent).toMatchObject({ ok: true, deliveries: [{ state: 'held', reason: 'scheduled' }] });
    await made.crashedAndRevived(daemon, `scheduled ${boundary}`);
    await settledOnce(made, 2);
  });

  test.each(['requeue.before_commit', 'requeue.committed'] as const)(
    'M10 paste: at %s what tmux refused is offered again once the pane takes keys',
    async (boundary) => {
      const { made, daemon, leaveMode } = await refusedPaste(boundary);
      await made.crashedAndRevived(daemon, `paste ${boundary}`);
      await deliveryIs(made, BODY, 'queued');
      // An answer means that it has attached: tmux 3.3a dies of a mode change while a control client introduces itself.
      expect(await made.json(['status'])).toMatchObject({ ok: true });
      leaveMode();
      await settledOnce(made, 2);
      // Whoever was killed before it withdrew the offer leaves an attempt that was proved not taken.
      expect(deliveryOf(made, BODY).attempts).toBe(boundary === 'requeue.committed' ? 1 : 2);
    },
  );

  test('M10 paste: at offer.written what nobody reads stays unproved, is never sent twice, and its end is told once', async () => {
    const { made, daemon } = await scene('paste', 'offer.written');
    const [began] = recordOf(made, 'worker');
    if (began?.type !== 'session') throw new Error('its record begins with something else');
    signalProcess(began, 'SIGSTOP');
    expect(await send(made)).toMatchObject({ ok: true });
    await made.crashedAndRevived(daemon, 'paste offer.written');
    await unprovedToTheEnd(made);
  });
});

/** A person scrolls in the pane between our look and our paste: tmux refuses before Enter. */
async function refusedPaste(crashAt: Boundary) {
  const { made, daemon } = await scene('paste', crashAt);
  const pane = made.tmux('list-panes', '-a', '-f', '#{==:#{pane_dead},0}', '-F', '#{pane_id}').trim();
  made.tmux('set-hook', '-g', 'after-load-buffer', `copy-mode -t '${pane}'`);
  expect(await send(made)).toMatchObject({ ok: true });
  await made.crashed(daemon);
  made.tmux('set-hook', '-gu', 'after-load-buffer');
  return { made, daemon, leaveMode: () => made.tmux('send-keys', '-t', pane, '-X', 'cancel') };
}

/** Submitted while the agent lives, and `status` says what proof is awaited; dead with one word to the sender when it ends. */
async function unprovedToTheEnd(made: CrashScene): Promise<void> {
  const row = deliveryOf(made, BODY);
  expect(row.state).toBe('submitted');
  const status = await made.json(['status']);
  expect(status.queued_messages).toMatchObject([
    {
      delivery_id: row.delivery_id,
      state: 'submitted',
      awaits: expect.stringContaining('a line of input with its header'),
    },
  ]);
  const [life] = made.rows('select handle from incarnations');
  const { pane } = JSON.parse(String(life?.handle)) as { pane: { process: { pid: number } } };
  process.kill(-pane.process.pid, 'SIGKILL');
  const dead = await eventually('it to be dead', () => {
    const now = deliveryOf(made, BODY);
    return now.state === 'dead' ? now : undefined;
  });
  expect(dead).toMatchObject({ reason: 'unproved', attempts: 1 });
  expect(inputsOf(made, 'worker')).toEqual([]);
  const told = made.rows(`select dedupe_key from messages where dedupe_key like 'dead:%'`);
  expect(told).toEqual([{ dedupe_key: `dead:${row.delivery_id}` }]);
}
