import os from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { isRefusal, systemClock } from '../../src/kernel/index.ts';
import { openLedger } from '../../src/ledger/index.ts';
import { MIGRATIONS } from '../../src/ledger/migrate.ts';

/** What stands in a ledger of an older version: a team `crew` that was shut down, with an agent `w`. */
export const OLD = {
  /** Consumed and answered. */
  answered: 'm_00000000000000000000000a',
  /** Under way when the coordinator ended: its offer is open, and its life is over. */
  submitted: 'm_00000000000000000000000b',
  /** Waits in the line behind it. */
  queued: 'm_00000000000000000000000c',
  /** Mail for the leader. */
  mail: 'm_00000000000000000000000d',
} as const;

/** Writes a ledger as the version with only the first migration left it: rows in its own words, then closed. */
export async function writeOldLedger(file: string, documents: string): Promise<void> {
  const [first, spine] = Object.entries(MIGRATIONS)[0] ?? [];
  if (first === undefined || spine === undefined) throw new Error('there is no first migration');
  const made = await openLedger(file, systemClock, { [first]: spine });
  if (isRefusal(made)) throw new Error(made.message);
  await made.close();
  const connection = new DatabaseSync(file, { enableForeignKeyConstraints: true });
  connection.exec(rows(documents));
  connection.close();
}

function rows(documents: string): string {
  const host = os.hostname();
  const message = (id: string, seq: number, body: string, sender = 'person', expects = 'nothing') =>
    `insert into messages values ('${id}', 'crew', ${seq}, '${sender}', 'user', '${body}', null, null, '${expects}', null, null, 1);`;
  const delivery = (id: string, message_id: string, seq: number, to: string, state: string, attempts: number) =>
    `insert into deliveries (delivery_id, message_id, team, seq, recipient, generation, state, attempts, stored_at)
      values ('${id}', '${message_id}', 'crew', ${seq}, '${to}', 1, '${state}', ${attempts}, 1);`;
  return `begin;
    insert into teams values ('crew', 'crew', 'team-crew', '${documents}', 'o', 'stopped', '${host}', 1, 20, 'each', 1);
    insert into agents values ('crew', 'w', 1, 'scripted', 'worker', null, '/', null, 'p', 0, 'stopped', 1);
    insert into incarnations values ('i_0000000000000001', 'crew', 'w', 1, '${host}', 'hash', null, 0, 1, 1, 2, 'signal 9');
    ${message(OLD.answered, 1, 'first', 'person', 'result')}
    ${delivery('d-1', OLD.answered, 2, 'w', 'answered', 1)}
    ${message(OLD.submitted, 3, 'second')}
    ${delivery('d-2', OLD.submitted, 4, 'w', 'submitted', 1)}
    insert into offers values ('d-2', 1, 'crew', 'w', 'protocol', 'i_0000000000000001', 0, 1, null, null, null);
    ${message(OLD.queued, 5, 'third')}
    ${delivery('d-3', OLD.queued, 6, 'w', 'queued', 0)}
    ${message(OLD.mail, 7, 'for the leader', 'w')}
    ${delivery('d-4', OLD.mail, 8, 'leader', 'queued', 0)}
    insert into results values ('r_1', 'crew', 9, 'w', 'i_0000000000000001', null, '${OLD.answered}', 'success', 'done', '{}', 0, 1);
    insert into leases values ('crew', 3, null, null, 1);
    insert into events values ('crew', 10, 1, 'team.launched', 'coordinator', '{}');
    commit`;
}
