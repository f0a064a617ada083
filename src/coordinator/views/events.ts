import { isRefusal, type Refusal, type TeamId } from '../../kernel/index.ts';
import { type EventRow, eventsSince, type Reading, type TeamRow } from '../../ledger/index.ts';
import { parseSince } from './since.ts';

export function eventView(row: EventRow) {
  const { seq, at, team, type, actor } = row;
  return { seq, at, team, type, actor, data: JSON.parse(row.data) as Record<string, unknown> };
}
export type EventView = ReturnType<typeof eventView>;

export async function eventsView(
  db: Reading,
  team: TeamRow,
  args: { since?: string | number | undefined; limit?: number | undefined },
): Promise<{ ok: true; team: string; events: EventView[] } | Refusal> {
  const since = parseSince(args.since);
  if (isRefusal(since)) return since;
  const rows = await eventsSince(db, team.team as TeamId, {
    afterSeq: since.sinceSeq,
    sinceTime: since.sinceTime,
    limit: args.limit ?? 10_000,
  });
  return { ok: true, team: team.team, events: rows.map(eventView) };
}
