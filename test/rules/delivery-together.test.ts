import { expect, test } from 'vitest';
import { INLINE_LIMIT } from '../../src/messages/index.ts';
import type { Settlement } from '../../src/providers/index.ts';
import { AGENT, line } from './line-harness.ts';

/** The marks in a text that was handed over, in their order. */
const marksIn = (text: string | undefined): (string | undefined)[] =>
  [...(text ?? '').matchAll(/^\[team message (\S+) from /gm)].map(([, mark]) => mark);

const LOST: Settlement = { outcome: 'not_taken', evidence: 'its record lacks it' };

test('E07 M04 what waits for a leader goes in one text, in order, each with its header, and each is proved by itself', async () => {
  const { send, wake, state, texts, disk } = await line({ together: 20 });
  const sent = [await send(), await send(), await send()];
  await wake();
  expect(texts.map(marksIn)).toEqual([sent]);
  expect(texts[0]?.split('\n\n')).toHaveLength(3);
  expect(sent.map(state)).toEqual(['consumed', 'consumed', 'consumed']);
  const offers = disk.prepare('select delivery_id, rides_on, outcome from offers order by rowid').all();
  expect(offers).toEqual(
    sent.map((delivery_id, index) => ({ delivery_id, rides_on: index === 0 ? null : sent[0], outcome: 'taken' })),
  );
});

test('E07 no more go together than the recipient takes at once', async () => {
  const { send, wake, texts } = await line({ together: 2 });
  const sent = [await send(), await send(), await send()];
  await wake();
  expect(texts.map(marksIn)).toEqual([sent.slice(0, 2), sent.slice(2)]);
});

test('E07 E20 together they are no longer than one message may be; one that is too long goes alone, as a notice', async () => {
  const { send, wake, texts, state } = await line({ together: 20 });
  const half = 'x'.repeat(INLINE_LIMIT / 2);
  const [first, second] = [await send(undefined, half), await send(undefined, half)];
  const third = await send(undefined, 'x');
  const long = await send(undefined, 'y'.repeat(INLINE_LIMIT + 1));
  const last = await send();
  await wake();
  expect(texts.map(marksIn)).toEqual([[first, second], [third], [long], [last]]);
  expect(texts[2]).toContain('read_message');
  expect([first, second, third, long, last].map(state)).toEqual(Array(5).fill('consumed'));
});

test('E21 a paste carries one message alone', async () => {
  const { send, wake, texts } = await line({ together: 20, channel: 'paste' });
  const sent = [await send(), await send()];
  await wake();
  expect(texts.map(marksIn)).toEqual(sent.map((delivery) => [delivery]));
});

test('M05 a message whose time is up does not ride along, nor does it hold up what stands behind it', async () => {
  const { send, wake, state, texts, time, answers } = await line({ together: 20 });
  const [first, late, last] = [await send(), await send(3_000), await send()];
  // Its time is up after the line has looked at what waits, and before the bytes leave.
  answers.onLook = () => {
    time.passed = 3_000;
  };
  await wake();
  expect(texts.map(marksIn)).toEqual([[first], [last]]);
  expect([first, late, last].map(state)).toEqual(['consumed', 'dead(expired)', 'consumed']);
});

test('M01 a hand-over that is refused puts all of it back at once, and all of it goes when the channel is back', async () => {
  const { send, wake, state, texts, answers, office } = await line({ together: 20 });
  answers.hand = { handed: 'not_taken', evidence: 'connection refused' };
  const sent = [await send(), await send(), await send()];
  await wake();
  expect(sent.map(state)).toEqual(['queued', 'queued', 'queued']);
  expect(office.resting(AGENT)).toMatchObject({ why: 'channel_down' });
  answers.hand = { handed: 'written' };
  await wake();
  expect(sent.map(state)).toEqual(['consumed', 'consumed', 'consumed']);
  expect(texts.map(marksIn)).toEqual([sent, sent]);
});

test('E22 M04 what got lost together goes again together and in order, before anything newer', async () => {
  const { send, wake, state, texts, answers } = await line({ together: 3 });
  answers.settlement = { outcome: 'unknown', awaited: 'its record showed it' };
  const sent = [await send(), await send()];
  await wake();
  expect(sent.map(state)).toEqual(['submitted', 'submitted']);
  sent.push(await send());
  answers.settlement = LOST;
  answers.onLook = () => {
    answers.settlement = undefined;
  };
  await wake();
  expect(texts.map(marksIn)).toEqual([sent.slice(0, 2), sent]);
  expect(sent.map(state)).toEqual(['consumed', 'consumed', 'consumed']);
});

test('M05 each of those that went together has its own end: the time of one is up, the other is proved later', async () => {
  const { send, wake, state, answers, time } = await line({ together: 3 });
  answers.settlement = { outcome: 'unknown', awaited: 'its record showed it' };
  const [first, second] = [await send(3_000), await send()];
  await wake();
  await time.runUntil(3_000);
  expect([first, second].map(state)).toEqual(['dead(unproved)', 'submitted']);
  answers.settlement = undefined;
  await wake();
  expect([first, second].map(state)).toEqual(['consumed', 'consumed']);
});

test('M01 when the conversation ends before any proof, the mail that was under way is not offered to another', async () => {
  const { send, wake, state, answers, texts } = await line({ together: 3 });
  answers.settlement = { outcome: 'unknown', awaited: 'its record showed it' };
  const sent = [await send(), await send()];
  await wake();
  answers.ended = true;
  await wake();
  expect(sent.map(state)).toEqual(['dead(unproved)', 'dead(unproved)']);
  expect(texts).toHaveLength(1);
});
