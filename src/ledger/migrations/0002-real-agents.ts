import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What real CLIs need: who may lead, how far an agent may go without asking, which folders a person trusts, what is urgent. */
export const realAgents: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};

const STATEMENTS = [
  `alter table agents add column permission text not null default 'manual'`,
  `alter table teams add column approvals text not null default 'person'`,
  `alter table deliveries add column urgent integer not null default 0`,
  `create table trusted_folders (folder text primary key, said_by text not null, said_at bigint not null)`,
  `create table leaders (
    incarnation text primary key, host text not null, provider text not null, found text not null, token_hash text unique,
    handle text, began_at bigint not null, ended_at bigint)`,
  // Several messages may go in one hand-over: the first is the offer, the others ride on it.
  `alter table offers add column rides_on text`,
  `drop index one_open_offer`,
  `create unique index one_open_offer on offers (team, recipient) where settled_at is null and rides_on is null`,
  `create index open_offers on offers (team, recipient) where settled_at is null`,
  // A line in its order: what is urgent stands first. Made last, as in 0001.
  `drop index open_deliveries`,
  `create index open_deliveries on deliveries (team, recipient, urgent desc, seq)
    where state in ('stored', 'queued', 'held', 'submitted')`,
];
