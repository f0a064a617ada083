import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { agentId, isRefusal, type MessageId, mint, SYSTEM, systemClock, teamId } from '../../src/kernel/index.ts';
import {
  findDelivery,
  headOfLine,
  insertOffer,
  type Ledger,
  type LedgerEvent,
  LedgerUnwritable,
  ledgerOn,
  nextToExpire,
  openLedger,
  putTeam,
  updateDelivery,
} from '../../src/ledger/index.ts';
import { answer, type Letter, store, storeNotice, takeByPerson } from '../../src/messages/index.ts';
import { freshFolder } from '../support/files.ts';

const TEAM = teamId('rules') ?? expect.unreachable();
const AGENT = agentId('a') ?? expect.unreachable();
const ABOUT = {
  name: 'Rules',
  session_name: 'rules',
  documents: 'd',
  objective: 'o',
  intent: 'running',
  notify: 'each',
} as const;

async function on(connection: DatabaseSync): Promise<Ledger> {
  const ledger = await ledgerOn(connection, systemClock);
  if (isRefusal(ledger)) throw new Error(ledger.message);
  await ledger.change(TEAM, 'person', (change) => putTeam(change, ABOUT));
  return ledger;
}

const inMemory = (): Promise<Ledger> => on(new DatabaseSync(':memory:', { enableForeignKeyConstraints: true }));

const letter = (more: Partial<Letter> = {}): Letter => ({
  message_id: mint.message(),
  sender: 'person',
  authority: 'user',
  to: [{ agent: AGENT, generation: 1 }],
  body: 'hello',
  expects: 'nothing',
  ...more,
});

async function stored(ledger: Ledger, what = letter()) {
  const sent = await ledger.change(TEAM, 'person', (change) => store(change, what, mint));
  if (isRefusal(sent)) throw new Error(sent.message);
  const [delivery] = sent.deliveries;
  return { ...sent, delivery: (delivery?.delivery_id ?? '') as ReturnType<typeof mint.delivery> };
}

const events = (ledger: Ledger) => ledger.db.selectFrom('events').selectAll().orderBy('seq').execute();
const rows = async (ledger: Ledger, table: 'messages' | 'deliveries' | 'events'): Promise<number> =>
  (await ledger.db.selectFrom(table).selectAll().execute()).length;

describe('a change', () => {
  test('its events and itself are in one transaction, and are told once it is committed', async () => {
    const ledger = await inMemory();
    const told: LedgerEvent[] = [];
    ledger.onCommit((events) => told.push(...events));
    const sent = await ledger.change(TEAM, 'person', async (change) => {
      const sent = await store(change, letter(), mint);
      expect(told).toEqual([]);
      return sent;
    });
    expect(told).toMatchObject([{ type: 'message.stored', actor: 'person', data: { to: ['a'] } }]);
    expect(JSON.stringify(told)).not.toContain('hello');
    expect(sent).toMatchObject({ repeated: false });
  });

  test('that throws stores nothing and tells nothing', async () => {
    const ledger = await inMemory();
    const told: LedgerEvent[] = [];
    ledger.onCommit((events) => told.push(...events));
    const failing = ledger.change(TEAM, 'person', async (change) => {
      await store(change, letter(), mint);
      throw new Error('a bug');
    });
    await expect(failing).rejects.toThrow('a bug');
    expect([await rows(ledger, 'messages'), await rows(ledger, 'deliveries'), await rows(ledger, 'events')]).toEqual([
      0, 0, 0,
    ]);
    expect(told).toEqual([]);
  });

  test('M04 numbers grow in the order of commits, also when many come at once and some fail', async () => {
    const ledger = await inMemory();
    const told: number[] = [];
    ledger.onCommit((events) => told.push(...events.map(({ seq }) => seq)));
    const work = Array.from({ length: 40 }, (_, index) =>
      ledger.change(TEAM, 'person', async (change) => {
        await store(change, letter({ body: `${index}` }), mint);
        if (index % 7 === 3) throw new Error('no');
      }),
    );
    const settled = await Promise.allSettled(work);
    expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(6);
    const stored = (await events(ledger)).map(({ seq }) => seq);
    expect(stored).toHaveLength(34);
    expect(told).toEqual(stored);
    expect(new Set(stored).size).toBe(34);
    expect(stored).toEqual([...stored].sort((a, b) => a - b));
  });

  test('changes that come together share one wait for the disk, and a failing one takes nothing of the others', async () => {
    const connection = new DatabaseSync(':memory:', { enableForeignKeyConstraints: true });
    let commits = 0;
    const prepare = connection.prepare.bind(connection);
    connection.prepare = (text) => {
      const statement = prepare(text);
      if (text !== 'commit') return statement;
      const run = statement.run.bind(statement);
      statement.run = () => {
        commits += 1;
        return run();
      };
      return statement;
    };
    const ledger = await on(connection);
    commits = 0;
    const sends = Array.from({ length: 20 }, (_, index) =>
      ledger.change(TEAM, 'person', async (change) => {
        await store(change, letter({ body: `${index}` }), mint);
        if (index === 5) throw new Error('no');
      }),
    );
    const settled = await Promise.allSettled(sends);
    expect(settled.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([5]);
    expect(await rows(ledger, 'messages')).toBe(19);
    expect(commits).toBeLessThanOrEqual(2);
  });

  test('M10 of an earlier boot is refused once a later one owns the team', async () => {
    const disk = new DatabaseSync(':memory:');
    const earlier = await on(disk);
    const later = await on(disk);
    expect(later.ownership.epoch).toBe(earlier.ownership.epoch + 1);
    await expect(earlier.change(TEAM, 'person', (change) => store(change, letter(), mint))).rejects.toThrow(
      'owned by another coordinator',
    );
    expect(await rows(later, 'messages')).toBe(0);
    await later.change(TEAM, 'person', (change) => store(change, letter(), mint));
    expect(await rows(later, 'messages')).toBe(1);
  });
});

describe('a disk that is full', () => {
  async function onFullDisk(): Promise<Ledger> {
    const ledger = await openLedger(path.join(freshFolder('full'), 'team.db'), systemClock);
    if (isRefusal(ledger)) throw new Error(ledger.message);
    await ledger.change(TEAM, 'person', (change) => putTeam(change, ABOUT));
    await sql`pragma max_page_count = 1`.execute(ledger.db);
    return ledger;
  }
  const large = () => letter({ body: 'x'.repeat(1_000_000) });

  test('is told as such, with what to look at, and nothing of the change is stored', async () => {
    const ledger = await onFullDisk();
    const told: LedgerEvent[] = [];
    ledger.onCommit((events) => told.push(...events));
    const error = await ledger.change(TEAM, 'person', (change) => store(change, large(), mint)).catch((error) => error);
    expect(error).toBeInstanceOf(LedgerUnwritable);
    expect(error.refusal).toMatchObject({
      ok: false,
      reason: 'ledger_unwritable',
      next: ['df -h .team', 'team-agent status'],
    });
    expect(await rows(ledger, 'messages')).toBe(0);
    expect(told).toEqual([]);
    await ledger.close();
  });

  test('takes changes again once there is room', async () => {
    const ledger = await onFullDisk();
    await expect(ledger.change(TEAM, 'person', (change) => store(change, large(), mint))).rejects.toThrow(
      LedgerUnwritable,
    );
    await sql`pragma max_page_count = 1000000`.execute(ledger.db);
    await ledger.change(TEAM, 'person', (change) => store(change, large(), mint));
    expect(await rows(ledger, 'messages')).toBe(1);
    await ledger.close();
  });
});

describe('deliveries', () => {
  test('change their state only from the states that were named', async () => {
    const ledger = await inMemory();
    const { delivery } = await stored(ledger);
    const from = (state: 'queued' | 'held') =>
      ledger.change(TEAM, 'x', (change) => updateDelivery(change, delivery, [state], { state: 'submitted' }));
    expect(await from('held')).toBeUndefined();
    expect((await findDelivery(ledger.db, delivery))?.state).toBe('queued');
    expect(await from('queued')).toMatchObject({ recipient: AGENT });
    expect(await from('queued')).toBeUndefined();
    expect((await findDelivery(ledger.db, delivery))?.state).toBe('submitted');
  });

  test('E22 a recipient has at most one open offer: the ledger itself refuses a second', async () => {
    const ledger = await inMemory();
    const [first, second] = [await stored(ledger), await stored(ledger)];
    const open = ({ delivery }: { delivery: string }) =>
      ledger.change(TEAM, 'x', (change) =>
        insertOffer(change, {
          delivery_id: delivery,
          number: 1,
          recipient: AGENT,
          rides_on: null,
          channel: 'protocol',
          incarnation: 'i_1',
          position: 0,
        }),
      );
    await open(first);
    await expect(open(second)).rejects.toThrow('UNIQUE');
  });

  test('E08 mail a person took is consumed by hand, once, and can then be answered, once', async () => {
    const ledger = await inMemory();
    const { delivery } = await stored(ledger, letter({ expects: 'reply' }));
    const take = () => ledger.change(TEAM, 'person', (change) => takeByPerson(change, delivery));
    const reply = () => ledger.change(TEAM, 'a', (change) => answer(change, delivery, { by: 'a' }));
    expect(await reply()).toBe(false);
    expect([await take(), await take()]).toEqual([true, false]);
    expect(await findDelivery(ledger.db, delivery)).toMatchObject({
      state: 'consumed',
      receipt: '{"source":"person"}',
    });
    expect([await reply(), await reply()]).toEqual([true, false]);
    expect((await events(ledger)).map(({ type }) => type)).toEqual([
      'message.stored',
      'delivery.consumed',
      'delivery.answered',
    ]);
  });
});

describe('the same message twice', () => {
  test('E22 is one message: the second call gets the deliveries of the first', async () => {
    const ledger = await inMemory();
    const one = letter();
    const first = await stored(ledger, one);
    const second = await stored(ledger, one);
    expect(second).toMatchObject({ repeated: true, message_id: first.message_id, delivery: first.delivery });
    expect([await rows(ledger, 'messages'), await rows(ledger, 'deliveries'), await rows(ledger, 'events')]).toEqual([
      1, 1, 1,
    ]);
  });

  test.each([
    ['text', { body: 'something else' }],
    ['sender', { sender: 'a' }],
  ])('with another %s it is refused', async (_, difference) => {
    const ledger = await inMemory();
    const { message_id } = await stored(ledger);
    const again = await ledger.change(TEAM, 'person', (change) =>
      store(change, letter({ message_id: message_id as MessageId, ...difference }), mint),
    );
    expect(again).toMatchObject({ ok: false, reason: 'message_conflict' });
    expect(await rows(ledger, 'messages')).toBe(1);
  });

  test('M05 a notice with one key is stored once', async () => {
    const ledger = await inMemory();
    for (const body of ['first', 'second']) {
      await ledger.change(TEAM, SYSTEM, (change) => storeNotice(change, mint, { key: 'dead:1', to: AGENT, body }));
    }
    expect(await ledger.db.selectFrom('messages').select(['body', 'sender', 'dedupe_key']).execute()).toEqual([
      { body: 'first', sender: SYSTEM, dedupe_key: 'dead:1' },
    ]);
  });
});

test('what waits is found by its index, however much a recipient ever got', async () => {
  const disk = new DatabaseSync(':memory:');
  const texts: string[] = [];
  const watched = {
    prepare: (text: string) => {
      texts.push(text);
      return disk.prepare(text);
    },
    close: () => disk.close(),
    isTransaction: false,
  };
  const ledger = await ledgerOn(watched, systemClock);
  if (isRefusal(ledger)) throw new Error(ledger.message);
  for (const look of [headOfLine, nextToExpire]) {
    await look(ledger.db, TEAM, AGENT, 1);
    const text = texts.at(-1) ?? '';
    const values = Array.from({ length: text.split('?').length - 1 }, () => 'x');
    const plan = disk.prepare(`explain query plan ${text}`).all(...values);
    const steps = plan.map(({ detail }) => detail).join('\n');
    expect(steps).toContain('INDEX open_deliveries (');
    // The index is the order of the line: what waits is not sorted at each look.
    if (look === headOfLine) expect(steps).not.toContain('B-TREE');
  }
});
