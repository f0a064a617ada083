import { type Refusal, refuse } from '../kernel/reasons.ts';

/** A wrong use of the command line. `next` is what the caller probably meant. */
export function usage(message: string, next: readonly string[] = ['team-agent --help']): Refusal {
  return refuse('usage', message, { next });
}

/** A number of seconds above 0, at most a week: timers take no more than 24 days. */
export function seconds(flag: string, text: string | undefined): number | undefined | Refusal {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value > 0 && value <= 604_800) return value;
  return usage(`${flag} takes a number of seconds above 0 and up to 604800, not ${JSON.stringify(text)}.`);
}

/** A whole number from 1 to `most`. */
export function count(flag: string, text: string | undefined, most: number): number | undefined | Refusal {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
  return usage(`${flag} takes a whole number from 1 to ${most}, not ${JSON.stringify(text)}.`);
}

/** `--since`: a sequence number, or a time that Date can read. */
export function since(text: string | undefined): number | string | undefined | Refusal {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  if (!Number.isNaN(Date.parse(text))) return text;
  return usage(`--since takes a sequence number or an ISO time, not ${JSON.stringify(text)}.`, [
    'team-agent events --since 0',
    'team-agent events --since 2026-01-31T12:00:00Z',
  ]);
}

/** One of a closed list of words. */
export function oneOf<const Word extends string>(
  flag: string,
  text: string | undefined,
  words: readonly Word[],
): Word | undefined | Refusal {
  if (text === undefined) return undefined;
  return (
    words.find((word) => word === text) ??
    usage(`${flag} takes one of ${words.join(', ')}, not ${JSON.stringify(text)}.`)
  );
}
