import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { agentId, type IncarnationId, isRefusal, LEADER, mint, systemClock, teamId } from '../../src/kernel/index.ts';
import {
  deliveryCounts,
  findTeam,
  headOfLine,
  insertOffer,
  insertSession,
  type Ledger,
  lastSession,
  leaseOf,
  liveLeaders,
  openLedger,
  openOffer,
  sessionOf,
} from '../../src/ledger/index.ts';
import { freshFolder } from '../support/files.ts';
import { OLD, writeOldLedger } from '../support/old-ledger.ts';

const CREW = teamId('crew') ?? expect.unreachable();
const W = agentId('w') ?? expect.unreachable();

let ledger: Ledger | undefined;
afterEach(() => ledger?.close());

async function upgraded() {
  const file = path.join(freshFolder('old'), 'team.db');
  await writeOldLedger(file, '/docs/crew');
  const opened = await openLedger(file, systemClock);
  if (isRefusal(opened)) throw new Error(opened.message);
  ledger = opened;
  return { file, ledger: opened };
}

test('L09 a ledger of the version before is brought up to this one with all that it held', async () => {
  const { ledger } = await upgraded();
  expect(await findTeam(ledger.db, CREW)).toMatchObject({ intent: 'stopped', approvals: 'person', next_seq: 20 });
  expect(await ledger.db.selectFrom('agents').selectAll().execute()).toMatchObject([
    { agent_id: 'w', permission: 'manual', interacted_at: 1 },
  ]);
  const deliveries = await ledger.db.selectFrom('deliveries').select(['message_id', 'urgent']).orderBy('seq').execute();
  expect(deliveries).toEqual(Object.values(OLD).map((message_id) => ({ message_id, urgent: 0 })));
  expect(await deliveryCounts(ledger.db, CREW)).toMatchObject({ queued: 2, submitted: 1, answered: 1, dead: 0 });
  expect(await openOffer(ledger.db, CREW, W)).toMatchObject({ delivery_id: 'd-2', rides_on: null });
  expect(await headOfLine(ledger.db, CREW, LEADER, 20)).toMatchObject([{ message_id: OLD.mail }]);
  expect(await leaseOf(ledger.db, CREW)).toMatchObject({ epoch: 3, receiver: null });
  expect(await liveLeaders(ledger.db)).toEqual([]);
  const [event] = await ledger.db.selectFrom('events').selectAll().execute();
  expect(event).toMatchObject({ type: 'team.launched', seq: 10 });
});

test('E22 an upgraded ledger still takes one open offer per recipient, and what rides on it beside', async () => {
  const { ledger } = await upgraded();
  const offer = (delivery_id: string, rides_on: string | null) =>
    ledger.change(CREW, 'x', (change) =>
      insertOffer(change, {
        delivery_id,
        number: 1,
        recipient: W,
        rides_on,
        channel: 'protocol',
        incarnation: mint.incarnation(),
        position: 0,
      }),
    );
  await expect(offer('d-3', null)).rejects.toThrow('UNIQUE');
  await offer('d-3', 'd-2');
});

test('L09 G04 which session was the last one is kept, and a clock that was set back since does not change it', async () => {
  const file = path.join(freshFolder('old'), 'team.db');
  await writeOldLedger(file, '/docs/crew');
  const connection = new DatabaseSync(file);
  for (const [session, at] of [
    ['second', 7],
    ['first', 5],
    ['third', 7],
  ] as const)
    connection
      .prepare(`insert into sessions values ('crew', ?, 'w', 1, 'scripted', ?, '/r', ?, null)`)
      .run(session, session, at);
  connection.close();
  const opened = await openLedger(file, { ...systemClock, now: () => 1 });
  if (isRefusal(opened)) throw new Error(opened.message);
  ledger = opened;
  expect(await lastSession(opened.db, CREW, W)).toMatchObject({ session_id: 'third', seq: 0 });
  const ordered = await opened.db.selectFrom('sessions').select('session_id').orderBy('seq').execute();
  expect(ordered.map(({ session_id }) => session_id)).toEqual(['first', 'second', 'third']);
  const life = { team: CREW, agent_id: W, generation: 1, provider: 'scripted', incarnation: 'i', record: '/r' };
  const opens = (session_id: string) =>
    opened.change(CREW, 'x', (change) =>
      insertSession(change, { ...life, session_id, opened_at: change.now, closed_at: null }),
    );
  await opens('fourth');
  expect(await lastSession(opened.db, CREW, W)).toMatchObject({ session_id: 'fourth', opened_at: 1 });
  expect(await sessionOf(opened.db, 'i' as IncarnationId)).toMatchObject({ session_id: 'fourth' });
  // One that is worked on again is the last one again.
  await opens('fifth');
  await opens('fourth');
  expect(await lastSession(opened.db, CREW, W)).toMatchObject({ session_id: 'fourth' });
});

test('L09 the ledger as it was is kept beside it', async () => {
  const { file } = await upgraded();
  const copy = path.join(path.dirname(file), 'run', 'backups', 'team-before-0002-real-agents.db');
  expect(fs.statSync(copy).mode & 0o777).toBe(0o600);
  const kept = new DatabaseSync(copy, { readOnly: true });
  expect(kept.prepare('select name from kysely_migration').all()).toEqual([{ name: '0001-spine' }]);
  expect(kept.prepare('select count(*) as count from messages').get()).toEqual({ count: 4 });
  kept.close();
});
