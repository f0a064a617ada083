import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What a message waits for by itself, who may speak to whom, what a task needs, and results that did not come by a tool. */
export const provedMessages: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};

const STATEMENTS = [
  `alter table teams add column worker_to_worker integer not null default 1`,
  `alter table teams add column peer_mirror integer not null default 0`,
  `alter table teams add column peer_limits text not null default '{}'`,
  `alter table teams add column routing text not null default '{}'`,
  `alter table agents add column tools text not null default '[]'`,
  `alter table messages add column hops integer not null default 0`,
  `alter table messages add column due_at bigint`,
  `alter table messages add column confirmation text`,
  `alter table messages add column confirmed_by text`,
  `alter table messages add column batched integer not null default 0`,
  // A request is found without a look at every message that an agent ever took.
  `alter table deliveries add column expects text not null default 'nothing'`,
  `update deliveries set expects = (select m.expects from messages m where m.message_id = deliveries.message_id)`,
  `create index unanswered_requests on deliveries (team, recipient, seq)
    where expects <> 'nothing' and state in ('stored', 'queued', 'held', 'submitted', 'consumed')`,
  `create index held_deliveries on deliveries (team, seq) where state = 'held'`,
  // Of indexes that cost the same, SQLite takes the one made last: the lines' own, as in 0002.
  `drop index open_deliveries`,
  `create index open_deliveries on deliveries (team, recipient, urgent desc, seq)
    where state in ('stored', 'queued', 'held', 'submitted')`,
  `alter table tasks add column description text`,
  `alter table tasks add column type text`,
  `alter table tasks add column risk text`,
  `alter table tasks add column files text not null default '[]'`,
  `alter table tasks add column requires_tools text not null default '[]'`,
  `alter table tasks add column deps text not null default '[]'`,
  `alter table tasks add column human_confirmation integer not null default 0`,
  `alter table tasks add column confirmed_by text`,
  `alter table tasks add column retry_limit integer not null default 0`,
  `alter table tasks add column retry_count integer not null default 0`,
  // A result from a file was reported by no process; one that is no result is kept with what is wrong with it.
  `alter table results rename to results_before`,
  `create table results (
    result_id text primary key, team text not null references teams (team), seq bigint not null, agent_id text not null,
    incarnation text, task_id text, message_id text, status text not null, summary text not null,
    envelope text not null, unattributed integer not null, created_at bigint not null,
    source text not null default 'tool', error text, unique (team, seq))`,
  // Kept by the ledger itself, as the counts of deliveries are: results are only ever added.
  `create table result_counts (team text not null, kind text not null, count integer not null, primary key (team, kind))`,
  `create trigger result_stored after insert on results begin
    insert into result_counts (team, kind, count)
      values (new.team, case when new.error is null then new.status else 'invalid' end, 1)
      on conflict (team, kind) do update set count = count + 1;
    insert into result_counts (team, kind, count)
      select new.team, 'unattributed', 1 where new.error is null and new.unattributed = 1
      on conflict (team, kind) do update set count = count + 1;
  end`,
  `insert into results (result_id, team, seq, agent_id, incarnation, task_id, message_id, status, summary, envelope,
      unattributed, created_at)
    select result_id, team, seq, agent_id, incarnation, task_id, message_id, status, summary, envelope, unattributed,
      created_at from results_before`,
  `drop table results_before`,
  `create index results_by_message on results (message_id) where message_id is not null`,
];
