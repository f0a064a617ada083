import { DatabaseSync } from 'node:sqlite';

/**
 * Gives the one team of a ledger that nobody has open a past: `count` messages that were consumed long ago, each with its
 * delivery, its offer and three events, and a result for every tenth.
 */
export function fillLedger(file: string, count: number): void {
  const connection = new DatabaseSync(file);
  const one = (sql: string): Record<string, unknown> => connection.prepare(sql).get() ?? {};
  const { team, next_seq } = one('select team, next_seq from teams');
  const { incarnation, agent_id } = one('select incarnation, agent_id from incarnations limit 1');
  const first = Number(next_seq) + 1;
  connection.exec('begin immediate');
  connection.exec(`create temp table past as
    with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < ${count})
    select i, 'm_' || printf('%024x', i + 1) as message_id, printf('00000000-0000-4000-8000-%012x', i) as delivery_id,
      ${first} + i * 8 as seq, 1700000000000 + i * 1000 as at, '${team}' as team, '${agent_id}' as agent,
      '${incarnation}' as incarnation from n`);
  for (const statement of STATEMENTS) connection.exec(statement);
  connection.exec(`update teams set next_seq = ${first + count * 8}`);
  connection.exec('commit');
  connection.close();
}

const STATEMENTS = [
  `insert into messages (message_id, team, seq, sender, authority, body, expects, created_at)
    select message_id, team, seq, 'person', 'user', printf('%.*c', 300, 'x'), 'result', at from past`,
  `insert into deliveries (delivery_id, message_id, team, seq, recipient, generation, expects, state, attempts, channel,
      stored_at, submitted_at, consumed_at, consumed_by, receipt)
    select delivery_id, message_id, team, seq + 1, agent, 1, 'result', 'answered', 1, 'protocol', at, at + 5, at + 20, incarnation,
      '{"source":"record","file":"/somewhere/records/session.jsonl","offset":1000,"record_id":"x"}' from past`,
  `insert into offers select delivery_id, 1, team, agent, 'protocol', incarnation, i * 300, at + 5, at + 20, 'taken', 'record', null from past`,
  `insert into results (result_id, team, seq, agent_id, incarnation, message_id, status, summary, envelope, unattributed,
      created_at)
    select 'r_' || printf('%024x', i), team, seq + 5, agent, incarnation, message_id, 'success', 'done', '{}', 0, at + 100
      from past where i % 10 = 0`,
  ...[
    [2, 'message.stored'],
    [3, 'delivery.submitted'],
    [4, 'delivery.consumed'],
  ].map(
    ([offset, type]) =>
      `insert into events select team, seq + ${offset}, at, '${type}', 'coordinator', '{"message_id":"' || message_id || '"}' from past`,
  ),
];
