import { type AgentId, LEADER, type Refusal, refuse } from '../kernel/index.ts';

/** Who a message may be for, in the words of `send`: `a`, `a,b`, `*`, `leader`. */
export interface Addressees {
  readonly to: readonly AgentId[];
  /** Names that nobody in the team has. */
  readonly unknown: readonly string[];
}

/**
 * Finds the recipients that `words` name: duplicates count once, the order is kept, `*` is everybody but the sender.
 * Refuses when nobody is left: `target_not_in_team` for a name nobody has, `no_recipients` for an empty list.
 */
export function resolveAddressees(
  words: readonly string[],
  members: readonly AgentId[],
  sender: string,
): Addressees | Refusal {
  const wanted = words
    .flatMap((word) => word.split(','))
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const everybody = [LEADER, ...members].filter((member) => member !== sender);
  const named = [...new Set(wanted.flatMap((word) => (word === '*' ? everybody : [normalise(word, members)])))];
  const to = [LEADER, ...members]
    .filter((member) => named.includes(member))
    .sort((a, b) => named.indexOf(a) - named.indexOf(b));
  const unknown = named.filter((name) => !to.some((member) => member === name));
  if (to.length > 0) return { to, unknown };
  if (unknown.length === 0)
    return refuse('no_recipients', 'Nobody is left to send this to.', { next: ['team-agent status'] });
  return refuse('target_not_in_team', `Nobody in the team is called ${unknown.join(' or ')}.`, {
    evidence: { unknown, members: [LEADER, ...members] },
    next: ['team-agent status'],
  });
}

/** Mail for the person goes where a person reads: to the leader's inbox. */
function normalise(word: string, members: readonly AgentId[]): string {
  const alias = word === 'Leader' || word === 'person';
  return alias && !members.some((member) => member === word) ? LEADER : word;
}
