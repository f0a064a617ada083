import fs from 'node:fs';
import type { Followed, Heard, Project } from '../project.ts';

/** A message to one recipient, by the clock of the ledger: UTC ms. */
export interface Delivered {
  readonly message_id: string;
  readonly delivery_id: string;
  readonly stored_at: number;
  readonly submitted_at: number;
  readonly consumed_at: number;
}

/** The deliveries of these messages in the order in which they were stored; with `from`, of all that it sent. Throws when one was not consumed. */
export function delivered(project: Project, of: { to: string; ids?: readonly string[]; from?: string }): Delivered[] {
  const rows = project.rows(
    `select d.message_id, d.delivery_id, m.sender, d.stored_at, d.submitted_at, d.consumed_at
     from deliveries d join messages m on m.message_id = d.message_id where d.recipient = '${of.to}' order by d.seq`,
  );
  const meant = rows.filter(({ message_id, sender }) =>
    of.ids ? of.ids.includes(String(message_id)) : sender === of.from,
  );
  return meant.map((row) => {
    if (row.consumed_at === null) throw new Error(`${row.message_id} was not consumed`);
    return {
      message_id: String(row.message_id),
      delivery_id: String(row.delivery_id),
      stored_at: Number(row.stored_at),
      submitted_at: Number(row.submitted_at),
      consumed_at: Number(row.consumed_at),
    };
  });
}

/** Waits for the event that a message was consumed. */
export function consumed(followed: Followed, id: string): Promise<Heard> {
  return followed.next(
    `${id} to be consumed`,
    ({ type, data }) => type === 'delivery.consumed' && data.message_id === id,
  );
}

/** The file in which a CLI writes down the conversation of an agent. */
export function recordOf(project: Project, agent: string): string {
  const [row] = project.rows(`select record from sessions where agent_id = '${agent}' and closed_at is null`);
  return String(row?.record);
}

/** When turns ended by the CLI's own record: UTC ms, oldest first. */
export function turnEnds(record: string): number[] {
  if (!fs.existsSync(record)) return [];
  const lines = fs.readFileSync(record, 'utf8').split('\n');
  return lines
    .filter((line) => /"subtype":"turn_duration"|"type":"task_complete"/.test(line))
    .map((line) => Date.parse(JSON.parse(line).timestamp));
}

/** The last of `times` that is not after `at`. */
export function lastBefore(times: readonly number[], at: number): number {
  const found = times.filter((time) => time <= at).at(-1);
  if (found === undefined) throw new Error(`no turn ended before ${at}`);
  return found;
}
