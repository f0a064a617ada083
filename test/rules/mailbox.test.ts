import { expect, test } from 'vitest';
import type { Caller } from '../../src/coordinator/api/callers.ts';
import { VERBS } from '../../src/coordinator/verbs/index.ts';
import { LEADER, mint } from '../../src/kernel/index.ts';
import { store } from '../../src/messages/index.ts';
import { type House, house, ONE, WORKER } from './house.ts';

const PERSON: Caller = { kind: 'person', pid: 1, chain: [] };

/** A team whose leader's mailbox holds so many messages: `1`, `2` and so on. */
async function withMail(count: number): Promise<House> {
  const home = await house();
  await home.ledger.change(ONE, WORKER, async (change) => {
    for (let index = 1; index <= count; index++) {
      const letter = { message_id: mint.message(), sender: WORKER, authority: 'peer', expects: 'nothing' } as const;
      await store(change, { ...letter, to: [{ agent: LEADER, generation: 1 }], body: `${index}` }, mint);
    }
  });
  return home;
}

interface Taken {
  readonly taken: number;
  readonly waiting: number;
  readonly messages: readonly { readonly body: string; readonly state: string }[];
}

async function ask(home: House, name: 'inbox' | 'inbox-take', args: object): Promise<Taken> {
  const verb = VERBS[name] ?? expect.unreachable();
  const asked = { runtime: home.runtime, caller: PERSON, gone: new AbortController().signal };
  return (await verb.run(asked, { agent: 'leader', team: ONE, ...args })) as Taken;
}

const take = (home: House, args: object = {}): Promise<Taken> => ask(home, 'inbox-take', args);

const bodies = ({ messages }: Taken) => messages.map(({ body }) => body);
const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`);

test('E08 a full mailbox is taken oldest first, and what is left by the next take', async () => {
  const home = await withMail(1_005);
  const first = await take(home);
  expect(bodies(first)).toEqual(span(1, 1_000));
  expect(first).toMatchObject({ taken: 1_000, waiting: 5 });
  expect(new Set(first.messages.map(({ state }) => state))).toEqual(new Set(['consumed']));
  const second = await take(home);
  expect(bodies(second)).toEqual(span(1_001, 1_005));
  expect(second).toMatchObject({ taken: 5, waiting: 0 });
  expect(await take(home)).toMatchObject({ taken: 0, waiting: 0 });
});

test('E08 a take goes by --limit and --since, and leaves the rest waiting', async () => {
  const home = await withMail(9);
  const seqs = await home.ledger.db.selectFrom('deliveries').select('seq').orderBy('seq').execute();
  expect(bodies(await take(home, { limit: 2 }))).toEqual(['1', '2']);
  const later = await take(home, { since: seqs[3]?.seq, limit: 3 });
  expect(bodies(later)).toEqual(['5', '6', '7']);
  expect(later.waiting).toBe(4);
  expect(bodies(await take(home))).toEqual(['3', '4', '8', '9']);
  expect(await take(home, { since: 'yesterday' })).toMatchObject({ ok: false, reason: 'usage' });
});

test('E20 from a point on the first messages are shown, so that one of them can be asked for', async () => {
  const home = await withMail(30);
  const seqs = await home.ledger.db.selectFrom('deliveries').select('seq').orderBy('seq').execute();
  const since = (seqs[4]?.seq ?? 0) - 1;
  expect(bodies(await ask(home, 'inbox', { since, limit: 1 }))).toEqual(['5']);
  expect(bodies(await ask(home, 'inbox', { since }))).toEqual(span(5, 24));
  expect(bodies(await ask(home, 'inbox', { limit: 2 }))).toEqual(['29', '30']);
});
