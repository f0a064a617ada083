import { afterEach, describe, expect, test } from 'vitest';
import { identifyProcess, processStat, signalProcess } from '../../src/kernel/index.ts';
import { sendText } from '../support/calls.ts';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import { CrashScene, deliveryIs, provedOnce, reportedOnce } from './crash-scene.ts';
import { ask, inputsOf, LISTENER, lifeOf, lineAt, programOf, reached, recordOf, start, tmux } from './journey.ts';

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

const CHANNELS = ['protocol', 'paste'] as const;

describe.each(CHANNELS)('a machine that sleeps, over %s', (channel) => {
  test.each(['offer.committed', 'offer.written', 'receipt.before_commit', 'result.before_commit'])(
    'M10 M01 a coordinator that is stopped at %s for seconds and goes on: the same outcome as without',
    async (boundary) => {
      const made = new CrashScene('sleep');
      ending.push(() => made.end());
      const { pid } = await made.daemon('', { TEAM_AGENT_FREEZE_AT: boundary });
      const daemon = identifyProcess(pid);
      if (!daemon) throw new Error('the coordinator does not live');
      ending.push(() => signalProcess(daemon, 'SIGCONT'));
      const docs = made.writeTeam('alpha', [{ id: 'worker', script: `channel: ${channel}\n` }]);
      expect((await made.run(['quick-start', docs])).code).toBe(0);
      const sent = made.json(['send', 'worker', 'one thing to do', '--task', 't1']);
      await eventually('it to stop', () => processStat(pid)?.state === 'T');
      // A caller waits its two seconds and says what it sees; nothing is started in its place.
      expect(await made.json(['status'])).toMatchObject({ ok: false, reason: 'coordinator_frozen' });
      signalProcess(daemon, 'SIGCONT');
      await sent;
      const row = await deliveryIs(made, 'one thing to do', 'answered');
      expect(row).toMatchObject({ attempts: 1 });
      provedOnce(made, row, 'worker');
      reportedOnce(made, row.message_id);
      expect(made.epoch()).toBe(1);
      expect(identifyProcess(pid)).toEqual(daemon);
    },
  );
});

describe.each(CHANNELS)('an upgrade, over %s', (channel) => {
  test('M01 M10 a coordinator that is stopped and started again finds what was offered, what waits for its time, and what is held', async () => {
    const product = new Product();
    ending.push(() => product.end());
    const script = `channel: ${channel}\n`;
    await start(
      product,
      product.writeTeam('crew', [
        { id: 'stopped', script: script + LISTENER },
        { id: 'asking', script: `${script}rules: [{ match: ask, do: [{ show_dialog: "Really?" }] }]\n${LISTENER}` },
        { id: 'idle', script: script + LISTENER },
      ]),
    );
    const program = programOf(product, 'stopped');
    signalProcess(program, 'SIGSTOP');
    ending.push(() => signalProcess(program, 'SIGCONT'));
    const offered = await sendText(product, 'stopped', 'offered before');
    const behind = await sendText(product, 'stopped', 'behind it');
    await reached(product, await sendText(product, 'asking', 'ask'));
    await eventually('its dialog', () => recordOf(product, 'asking').at(-1)?.type === 'dialog');
    const held = await sendText(product, 'asking', 'held by a dialog');
    const later = await sendText(product, 'idle', 'due in an hour', { in_s: 3_600 });
    await reached(product, offered, ['submitted']);
    await reached(product, held, ['held']);

    const before = product.coordinator();
    const soon = await sendText(product, 'idle', 'due while nobody is there', { in_s: 15 });
    expect(await ask(product, 'coordinator', 'stop')).toMatchObject({ ok: true });
    const due = Number(product.rows(`select due_at from messages where message_id = '${soon}'`)[0]?.due_at);
    await eventually('its time to come', () => product.coordinator() === undefined && Date.now() > due);
    expect(product.rows(`select state from deliveries where message_id = '${soon}'`)).toEqual([{ state: 'held' }]);
    expect(await ask(product, 'coordinator', 'start')).toMatchObject({ ok: true });
    expect(product.coordinator()?.pid).not.toBe(before?.pid);

    await reached(product, soon);
    expect(await reached(product, later, ['held'])).toMatchObject([{ reason: 'scheduled' }]);
    expect(await reached(product, held, ['held'])).toMatchObject([{ reason: 'dialog_open', attempts: 0 }]);
    expect(await reached(product, offered, ['submitted'])).toMatchObject([{ attempts: 1 }]);
    signalProcess(program, 'SIGCONT');
    tmux(product, 'send-keys', '-t', lifeOf(product, 'asking').handle.pane.pane, 'Enter');
    for (const message of [offered, behind, held]) {
      const [delivery] = await reached(product, message);
      // An agent that is stopped answers nothing: whoever cannot be asked is typed to.
      if (message !== offered) expect(delivery).toMatchObject({ channel });
      expect(delivery).toMatchObject({ attempts: 1 });
      expect(lineAt(delivery?.receipt ?? { source: 'none' })).toContain(delivery?.delivery_id);
    }
    const texts = (agent: string) => inputsOf(product, agent).map(({ text }) => text.split('\n')[2]);
    expect(texts('stopped')).toEqual(['offered before', 'behind it']);
    expect(texts('asking')).toEqual(['ask', 'held by a dialog']);
    expect(texts('idle')).toEqual(['due while nobody is there']);
  });
});

test('M01 M04 an upgrade in the middle of long lines, twice: nothing is cut off on its way', async () => {
  const product = new Product();
  ending.push(() => product.end());
  const agents = CHANNELS.map((channel) => ({ id: channel, script: `channel: ${channel}\n${LISTENER}` }));
  await start(product, product.writeTeam('crew', agents));
  const bodies = Array.from({ length: 150 }, (_, index) => `number ${index}`);
  const consumed = () => Number(product.rows("select count(*) as n from deliveries where state = 'consumed'")[0]?.n);
  const sending = async (agent: string) => {
    for (const body of bodies) await sendText(product, agent, body);
  };
  await Promise.all(CHANNELS.map(sending));
  for (const _ of [1, 2]) {
    const before = consumed();
    await eventually('the lines to move', () => consumed() > before);
    expect(await ask(product, 'coordinator', 'stop')).toMatchObject({ ok: true });
    await eventually('it to end', () => product.coordinator() === undefined);
    // Nobody types any more: what was on its way stands in the record of its reader, or was cut off.
    const open = product.rows("select delivery_id from deliveries where state = 'submitted' and channel = 'paste'");
    const isRead = (delivery: string): boolean =>
      inputsOf(product, 'paste').some(({ text }) => text.includes(delivery));
    await eventually('what is open to be read', () => open.every((row) => isRead(String(row.delivery_id))));
    expect(await ask(product, 'coordinator', 'start')).toMatchObject({ ok: true });
  }
  await eventually('everything to be consumed', () => consumed() === 2 * bodies.length, 60_000);
  expect(product.rows('select distinct attempts from deliveries')).toEqual([{ attempts: 1 }]);
  for (const agent of CHANNELS) expect(inputsOf(product, agent).map(({ text }) => text.split('\n')[2])).toEqual(bodies);
});
