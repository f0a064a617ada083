import { expect, test } from 'vitest';
import { type AgentId, isRefusal, type MessageId, mint } from '../../src/kernel/index.ts';
import { findMessage, upsertAgent } from '../../src/ledger/index.ts';
import { confirmMessage, removeRecipient, store } from '../../src/messages/index.ts';
import { TEAM } from '../simulator/coordinator.ts';
import { AGENT, line } from './line-harness.ts';

type Line = Awaited<ReturnType<typeof line>>;
const HOLD = { hold: 'dialog_open', evidence: 'a dialog is open' } as const;

/** Who was told of what died. */
const told = ({ disk }: Line) =>
  disk
    .prepare(
      `select recipient, generation from messages join deliveries using (message_id) where dedupe_key like 'dead:%'`,
    )
    .all();

const remove = (home: Line) => home.ledger.change(TEAM, 'person', (change) => removeRecipient(change, mint, AGENT, 1));

/** A message that waits for its time, from whoever is named. */
async function scheduled({ ledger, time }: Line, sender: string, due: number, confirmation?: 'wanted') {
  const sent = await ledger.change(TEAM, sender, (change) =>
    store(
      change,
      {
        message_id: mint.message(),
        sender,
        authority: sender === 'person' ? 'user' : 'peer',
        to: [{ agent: AGENT, generation: 1 }],
        body: 'later',
        expects: 'nothing',
        due_at: time.now() + due,
        confirmation,
      },
      mint,
    ),
  );
  if (isRefusal(sent)) throw new Error(sent.message);
  const [delivery] = sent.deliveries;
  return { message: sent.message_id, delivery: delivery?.delivery_id as Parameters<Line['state']>[0] };
}

const yes = ({ ledger }: Line, message: MessageId) =>
  ledger.change(TEAM, 'person', async (change) => {
    const row = await findMessage(change.tx, message);
    if (row) await confirmMessage(change, row, 'person');
  });

test('M01 whoever is removed: what waits in its line and what is held are dead, and each sender is told once', async () => {
  const home = await line();
  home.answers.hold = HOLD;
  const waiting = await home.send();
  const { delivery: later } = await scheduled(home, 'person', 60_000);
  await home.wake();
  await remove(home);
  await remove(home);
  expect([home.state(waiting), home.state(later)]).toEqual(['dead(recipient_removed)', 'dead(recipient_removed)']);
  expect(told(home)).toEqual([
    { recipient: 'leader', generation: 1 },
    { recipient: 'leader', generation: 1 },
  ]);
});

test('M01 what was offered to one who is removed waits for its proof, which still counts', async () => {
  const home = await line();
  home.answers.settlement = { outcome: 'unknown', awaited: 'its record showed it' };
  const offered = await home.send();
  await home.wake();
  await remove(home);
  expect(home.state(offered)).toBe('submitted');
  home.answers.generation = 2;
  home.answers.settlement = undefined;
  await home.wake();
  expect(home.state(offered)).toBe('consumed');
});

test('M01 what one who was removed did not take is not for the next of its name', async () => {
  const home = await line();
  home.answers.settlement = { outcome: 'unknown', awaited: 'its record showed it' };
  const offered = await home.send();
  await home.wake();
  await remove(home);
  home.answers.generation = 2;
  home.answers.settlement = { outcome: 'not_taken', evidence: 'it ended, and its record lacks it' };
  const handed = home.handed.length;
  await home.wake();
  expect(home.state(offered)).toBe('dead(recipient_removed)');
  expect(home.handed).toHaveLength(handed);
});

test.each([2, undefined])(
  'M01 a message that was stored in the moment of the removal reaches nobody (now: %s)',
  async (now) => {
    const home = await line();
    home.answers.generation = now;
    const late = await home.send();
    await home.wake();
    expect(home.state(late)).toBe('dead(recipient_removed)');
    expect(home.handed).toEqual([]);
  },
);

test('M01 of a sender who is in the team the notice is for that one as it is now, of one who is not for the leader', async () => {
  const home = await line();
  const back = 'back' as AgentId;
  const row = { provider: 'scripted', role: 'r', model: null, folder: '.', script: null, prompt: '', position: 0 };
  await home.ledger.change(TEAM, 'person', async (change) => {
    for (const [generation, intent] of [
      [1, 'removed'],
      [2, 'running'],
    ] as const)
      await upsertAgent(change, { ...row, team: TEAM, agent_id: back, generation, intent, interacted_at: null });
  });
  await scheduled(home, back, 60_000);
  await scheduled(home, 'gone', 60_000);
  await remove(home);
  expect(told(home)).toEqual([
    { recipient: 'back', generation: 2 },
    { recipient: 'leader', generation: 1 },
  ]);
});

test('M01 E17 a message whose yes came before its time goes when its time has come: the schedule hears of it', async () => {
  const home = await line();
  home.ledger.onCommit((events) => {
    for (const event of events) home.office.heard(event);
  });
  const { message, delivery } = await scheduled(home, 'person', 5_000, 'wanted');
  expect(home.state(delivery)).toBe('held(human_confirmation)');
  await home.office.settled();
  await yes(home, message);
  expect(home.state(delivery)).toBe('held(scheduled)');
  await home.office.settled();
  await home.time.runUntil(6_000);
  await home.office.settled();
  expect(home.state(delivery)).toBe('consumed');
});

test('M01 M04 what comes to stand first while the recipient is asked goes first', async () => {
  const home = await line();
  const { message, delivery: early } = await scheduled(home, 'person', 0, 'wanted');
  const late = await home.send();
  home.answers.onLook = () => {
    home.answers.onLook = () => undefined;
    void yes(home, message);
  };
  await home.wake();
  expect(home.handed).toEqual([early, late]);
});
