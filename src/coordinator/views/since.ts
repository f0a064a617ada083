import { type Refusal, refuse } from '../../kernel/index.ts';

/** `--since`: a sequence number, or a time. Refuses what is neither. */
export function parseSince(since: string | number | undefined): { sinceSeq?: number; sinceTime?: number } | Refusal {
  if (since === undefined) return {};
  if (typeof since === 'number' || /^\d+$/.test(since)) return { sinceSeq: Number(since) };
  const time = Date.parse(since);
  if (!Number.isNaN(time)) return { sinceTime: time };
  return refuse('usage', `--since takes a sequence number or an ISO time, not ${JSON.stringify(since)}.`, {
    next: ['team-agent events --since 0', 'team-agent events --since 2026-01-31T12:00:00Z'],
  });
}
