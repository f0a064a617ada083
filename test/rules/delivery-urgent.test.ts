import { describe, expect, test } from 'vitest';
import { mayOffer, type RecipientHold, type Unavailable } from '../../src/agents/index.ts';
import type { Settlement } from '../../src/providers/index.ts';
import { AGENT, line } from './line-harness.ts';

const WORKING: Unavailable = { hold: 'working', evidence: 'a turn is running' };
const UNKNOWN: Settlement = { outcome: 'unknown', awaited: 'its record showed it' };

async function lineWith(options?: Parameters<typeof line>[0]) {
  const made = await line(options);
  return { ...made, urgent: () => made.send(undefined, 'now', true) };
}

test('E13 what is urgent goes into a running turn, and what waited before it goes when that turn has ended', async () => {
  const { send, urgent, wake, state, answers, handed, intruded, office } = await lineWith();
  answers.hold = WORKING;
  const plain = await send();
  await wake();
  const now = await urgent();
  await wake();
  expect([state(plain), state(now)]).toEqual(['queued', 'consumed']);
  expect(office.resting(AGENT)).toMatchObject({ step: 'rest', why: 'working' });
  expect(intruded).toEqual([now]);
  answers.hold = undefined;
  await wake();
  expect(handed).toEqual([now, plain]);
  expect(state(plain)).toBe('consumed');
});

test('E13 several urgent ones go first, in their order, also to somebody who is idle', async () => {
  const { send, urgent, wake, handed } = await lineWith();
  const [first, second] = [await send(), await send()];
  const [now, after] = [await urgent(), await urgent()];
  await wake();
  expect(handed).toEqual([now, after, first, second]);
});

test('E13 an urgent one goes alone: nothing that is not urgent rides along', async () => {
  const { send, urgent, wake, texts } = await lineWith({ together: 20 });
  await send();
  const now = await urgent();
  await send();
  await wake();
  expect(texts).toHaveLength(2);
  expect(texts[0]?.match(/^\[team message \S+/gm)).toEqual([`[team message ${now}`]);
  expect(texts[1]?.match(/^\[team message \S+/gm)).toHaveLength(2);
});

test('E13 an offer that is open is settled before an urgent message goes', async () => {
  const { send, urgent, wake, state, answers, handed } = await lineWith();
  answers.settlement = UNKNOWN;
  const first = await send();
  await wake();
  answers.hold = WORKING;
  const now = await urgent();
  await wake();
  expect([state(first), state(now), handed]).toEqual(['submitted', 'queued', [first]]);
  answers.settlement = undefined;
  await wake();
  expect([state(first), state(now), handed]).toEqual(['consumed', 'consumed', [first, now]]);
});

test('E13 an urgent message that was proved not taken goes into the turn once more', async () => {
  const { urgent, wake, state, answers, intruded } = await lineWith();
  answers.hold = WORKING;
  answers.settlement = UNKNOWN;
  const now = await urgent();
  await wake();
  answers.settlement = { outcome: 'not_taken', evidence: 'its record lacks it' };
  answers.onLook = () => {
    answers.settlement = undefined;
  };
  await wake();
  expect([state(now), intruded]).toEqual(['consumed', [now, now]]);
});

test('E13 M07 a dialog holds what is urgent, too', async () => {
  const { urgent, wake, state, answers, handed, office } = await lineWith();
  answers.hold = { hold: 'dialog_open', evidence: 'a question' };
  const now = await urgent();
  await wake();
  expect([state(now), handed]).toEqual(['queued', []]);
  expect(office.resting(AGENT)).toMatchObject({ why: 'dialog_open' });
});

test('E13 a channel that cannot intrude lets what is urgent wait for the end of the turn', async () => {
  const { urgent, wake, state, answers, handed } = await lineWith();
  answers.intrudes = false;
  answers.hold = WORKING;
  const now = await urgent();
  await wake();
  expect([state(now), handed]).toEqual(['queued', []]);
});

describe('E13 only a running turn gives way, and only to what is urgent', () => {
  const HOLDS: readonly RecipientHold[] = [
    'starting',
    'dialog_open',
    'draft_in_composer',
    'pane_in_mode',
    'channel_down',
    'session_changed',
    'pacing',
    'mode_holds_mail',
  ];

  test.each(HOLDS)('%s holds', (hold) => {
    expect(mayOffer({ intrudes: true }, { hold }, true)).toBe(false);
  });

  test.each([
    ['urgent', true, { intrudes: true }, true],
    ['not urgent', false, { intrudes: true }, false],
    ['urgent, to a channel that cannot', true, {}, false],
  ] as const)('working, %s', (_, urgent, channel, may) => {
    expect(mayOffer(channel, { hold: 'working' }, urgent)).toBe(may);
  });
});
