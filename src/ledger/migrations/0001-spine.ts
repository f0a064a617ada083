import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * The tables of a team: who is in it, what they say, what came of it. Types and clauses are those that SQLite and
 * PostgreSQL share; the two triggers are SQLite's.
 */
export const spine: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};

const STATEMENTS = [
  `create table workspaces (host text primary key, epoch integer not null, port integer not null)`,
  `create table teams (
    team text primary key, name text not null, session_name text not null, documents text not null, objective text not null,
    intent text not null, home_host text not null, home_epoch integer not null, next_seq bigint not null, notify text not null,
    created_at bigint not null)`,
  `create table agents (
    team text not null references teams (team), agent_id text not null, generation integer not null, provider text not null,
    role text not null, model text, folder text not null, script text, prompt text not null, position integer not null,
    intent text not null, interacted_at bigint, primary key (team, agent_id, generation))`,
  `create table incarnations (
    incarnation text primary key, team text not null references teams (team), agent_id text not null, generation integer not null,
    host text not null, token_hash text not null unique, handle text, calls_read bigint not null, launched_at bigint not null,
    ready_at bigint, ended_at bigint, exit text)`,
  `create unique index one_live_incarnation on incarnations (team, agent_id) where ended_at is null`,
  `create table sessions (
    team text not null references teams (team), session_id text not null, agent_id text not null, generation integer not null,
    provider text not null, incarnation text not null, record text not null, opened_at bigint not null, closed_at bigint,
    primary key (team, session_id, incarnation))`,
  `create table messages (
    message_id text primary key, team text not null references teams (team), seq bigint not null, sender text not null,
    authority text not null, body text not null, task_id text, reply_to text, expects text not null, dedupe_key text,
    expires_at bigint, created_at bigint not null, unique (team, dedupe_key))`,
  `create table deliveries (
    delivery_id text primary key, message_id text not null references messages (message_id), team text not null,
    seq bigint not null, recipient text not null, generation integer not null, state text not null, reason text,
    attempts integer not null, channel text, stored_at bigint not null, submitted_at bigint, consumed_at bigint,
    consumed_by text, receipt text, unique (message_id, recipient), unique (team, seq))`,
  `create index unproved_deliveries on deliveries (team, recipient) where state = 'dead' and reason = 'unproved'`,
  `create index deliveries_by_recipient on deliveries (team, recipient, seq)`,
  `create index open_deliveries_in_order on deliveries (team, seq) where state in ('stored', 'queued', 'held', 'submitted')`,
  // Of indexes that cost the same, SQLite takes the one made last: this one holds only what still waits.
  `create index open_deliveries on deliveries (team, recipient, seq)
    where state in ('stored', 'queued', 'held', 'submitted')`,
  // Kept by the ledger itself, so that no change can forget it: a status must not count a hundred thousand rows.
  `create table delivery_counts (team text not null, state text not null, count integer not null, primary key (team, state))`,
  `create trigger delivery_stored after insert on deliveries begin
    insert into delivery_counts (team, state, count) values (new.team, new.state, 1)
      on conflict (team, state) do update set count = count + 1;
  end`,
  `create trigger delivery_moved after update of state on deliveries begin
    update delivery_counts set count = count - 1 where team = old.team and state = old.state;
    insert into delivery_counts (team, state, count) values (new.team, new.state, 1)
      on conflict (team, state) do update set count = count + 1;
  end`,
  `create table offers (
    delivery_id text not null references deliveries (delivery_id), number integer not null, team text not null,
    recipient text not null, channel text not null, incarnation text not null, position bigint not null,
    opened_at bigint not null, settled_at bigint, outcome text, evidence text, primary key (delivery_id, number))`,
  `create unique index one_open_offer on offers (team, recipient) where settled_at is null`,
  `create table tasks (
    team text not null references teams (team), task_id text not null, title text not null, status text not null,
    assignee text, accepted_result_id text, created_at bigint not null, updated_at bigint not null, primary key (team, task_id))`,
  `create table results (
    result_id text primary key, team text not null references teams (team), seq bigint not null, agent_id text not null,
    incarnation text not null, task_id text, message_id text, status text not null, summary text not null,
    envelope text not null, unattributed integer not null, created_at bigint not null, unique (team, seq))`,
  `create table leases (
    team text primary key references teams (team), epoch integer not null, identity text, receiver text, acquired_at bigint not null)`,
  `create table sagas (
    saga_id text primary key, team text not null, verb text not null, step text not null, plan text not null,
    started_at bigint not null, ended_at bigint, outcome text)`,
  `create table events (
    team text not null, seq bigint not null, at bigint not null, type text not null, actor text not null, data text not null,
    primary key (team, seq))`,
];
