import http from 'node:http';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { mint, type SessionId } from '../../src/kernel/index.ts';
import { ProtocolChannel } from '../../src/providers/codex/channel.ts';
import { Connection, type Parameters } from '../../src/providers/codex/server/connection.ts';
import { Threads } from '../../src/providers/codex/threads.ts';
import type { Handed, Offer } from '../../src/providers/shape.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';

const THREAD = 't';
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

type Asked = readonly [method: string, params: Parameters];
/** What the server does with a steer: takes it, refuses it, or dies over it. */
type Manner = 'takes' | 'refuses' | 'dies';

/** An app-server, as far as a hand-over needs one, and the channel to it. */
async function channelTo(manner: Manner, turn: string | undefined) {
  const asked: Asked[] = [];
  const socket = path.join(freshFolder('codex'), 's');
  const server = http.createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (client) =>
    client.on('message', (text) => {
      const { id, method, params } = JSON.parse(String(text));
      if (id === undefined) return;
      if (method !== 'initialize') asked.push([method, params]);
      if (method === 'turn/steer' && manner === 'dies') return client.terminate();
      const refused = method === 'turn/steer' && manner === 'refuses';
      const error = { code: -32600, message: 'no active turn to steer' };
      const result = method === 'thread/queue/add' ? { queuedSubmission: { id: 'entry' } } : {};
      client.send(JSON.stringify(refused ? { id, error } : { id, result }));
    }),
  );
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const incarnation = mint.incarnation();
  const handle = {
    process: { pid: process.pid, start: '' },
    session: THREAD as SessionId,
    record: '/nowhere',
    details: { folder: '/project' },
  };
  const none = (): void => undefined;
  const threads = new Threads({ handle, changed: none, moved: none, beside: none });
  const word = (method: string, params: Parameters) =>
    threads.hear({ method, params: { threadId: THREAD, ...params } });
  word('thread/status/changed', { status: { type: turn === undefined ? 'idle' : 'active', activeFlags: [] } });
  if (turn !== undefined) word('turn/started', { turn: { id: turn } });
  const connection = new Connection(socket, {
    lives: () => true,
    greeted: async () => true,
    heard: () => undefined,
    changed: () => undefined,
  });
  const channel = new ProtocolChannel({
    handle,
    incarnation,
    threads,
    connection,
    liveness: () => 'alive',
    changed: () => undefined,
  });
  ends.push(() => {
    channel.close();
    connection.close();
    for (const client of sockets.clients) client.terminate();
    server.close();
  });
  connection.open();
  await eventually('the connection', () => connection.up);
  const offer: Offer = { delivery: mint.delivery(), number: 1, channel: 'protocol', incarnation, position: 0 };
  const hand = (urgent: boolean): Promise<Handed> => channel.hand(urgent ? { ...offer, urgent: true } : offer, 'x');
  return { asked, hand, offer, word, channel };
}

const methods = (asked: readonly Asked[]): string[] => asked.map(([method]) => method);

/** What the server was asked once it was asked to start the queue, which nobody waits for. */
async function untilQueued(asked: readonly Asked[]): Promise<string[]> {
  await eventually('the queue to be started', () => methods(asked).includes('thread/queue/start'));
  return methods(asked);
}
const QUEUED = ['thread/queue/add', 'thread/queue/start'];

test('E13 what is urgent steers the turn that runs, and stands in no queue', async () => {
  const { asked, hand, offer } = await channelTo('takes', 'turn-1');
  expect(await hand(true)).toEqual({ handed: 'written' });
  expect(asked).toEqual([
    [
      'turn/steer',
      {
        threadId: THREAD,
        clientUserMessageId: offer.delivery,
        input: [{ type: 'text', text: 'x', text_elements: [] }],
        expectedTurnId: 'turn-1',
      },
    ],
  ]);
});

test('E13 M03 a steer that is refused was not taken: the same message goes into the queue, in the same hand-over', async () => {
  const { asked, hand } = await channelTo('refuses', 'turn-1');
  expect(await hand(true)).toEqual({ handed: 'written' });
  expect(await untilQueued(asked)).toEqual(['turn/steer', ...QUEUED]);
});

test('E13 M03 a steer that nobody answered may have been taken: nothing goes after it', async () => {
  const { asked, hand } = await channelTo('dies', 'turn-1');
  expect(await hand(true)).toMatchObject({ handed: 'unknown' });
  expect(methods(asked)).toEqual(['turn/steer']);
});

test('E13 nothing steers when it is not urgent, when no turn runs, or when it has ended', async () => {
  const busy = await channelTo('takes', 'turn-1');
  await busy.hand(false);
  expect(await untilQueued(busy.asked)).toEqual(QUEUED);
  const idle = await channelTo('takes', undefined);
  await idle.hand(true);
  expect(await untilQueued(idle.asked)).toEqual(QUEUED);
  const ended = await channelTo('takes', 'turn-1');
  ended.word('turn/completed', { turn: { id: 'turn-1', status: 'completed' } });
  await ended.hand(true);
  expect(await untilQueued(ended.asked)).toEqual(QUEUED);
});

test('M03 M05 an offer that is nowhere is proved absent, though an earlier one that is nowhere is asked for as well', async () => {
  const { channel, offer: open, word } = await channelTo('takes', undefined);
  const dead: Offer = { ...open, delivery: mint.delivery() };
  // As a line does it: at each look, what may still be proved late goes first.
  const look = async () => {
    const [late, now] = [await channel.settle(dead), await channel.settle(open)];
    return late.outcome === 'not_taken' && now.outcome === 'not_taken';
  };
  expect(await look()).toBe(false);
  await eventually('both to be proved absent', look);
  // A turn may be its own: what was seen before it proves nothing.
  word('turn/started', { turn: { id: 'turn-1' } });
  expect(await channel.settle(open)).toMatchObject({ outcome: 'unknown' });
  word('turn/completed', { turn: { id: 'turn-1', status: 'completed' } });
  expect(await channel.settle(open)).toMatchObject({ outcome: 'unknown' });
});
