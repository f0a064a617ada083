import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agentId, isRefusal, LEADER } from '../../src/kernel/index.ts';
import { type Addressees, resolveAddressees } from '../../src/messages/index.ts';

const MEMBERS = ['a', 'b', 'c'].flatMap((name) => agentId(name) ?? []);
const to = (words: readonly string[], sender = 'person') => resolveAddressees(words, MEMBERS, sender);
const found = (words: readonly string[], sender?: string): Addressees => {
  const answer = to(words, sender);
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer;
};

describe('who a message is for', () => {
  test.each([
    ['E01 one', ['a'], 'person', ['a']],
    ['E07 the leader', ['leader'], 'a', ['leader']],
    ['E03 everybody, for a person', ['*'], 'person', ['leader', 'a', 'b', 'c']],
    ['E03 everybody but the leader who sends', ['*'], 'leader', ['a', 'b', 'c']],
    ['E03 everybody but the agent who sends', ['*'], 'b', ['leader', 'a', 'c']],
    ['E04 duplicates once, in the order given', ['c,a,c'], 'person', ['c', 'a']],
    ['E04 duplicates across words', ['b', 'a', 'b,a'], 'person', ['b', 'a']],
    ['E04 one name and everybody', ['b,*'], 'leader', ['b', 'a', 'c']],
    ['E05 spaces and empty parts do not matter', [' a , ,b,'], 'person', ['a', 'b']],
    ['E09 one agent to another', ['b'], 'a', ['b']],
  ])('%s', (_, words, sender, expected) => {
    expect(found(words, sender)).toEqual({ to: expected, unknown: [] });
  });

  test('E06 a name that nobody has is told beside those that are found', () => {
    expect(found(['a,ghost,b,spirit'])).toEqual({ to: ['a', 'b'], unknown: ['ghost', 'spirit'] });
  });

  test('E11 only names that nobody has are refused, with who there is and what to type', () => {
    const refused = to(['ghost']);
    if (!isRefusal(refused)) throw new Error('it was accepted');
    expect(refused).toMatchObject({ reason: 'target_not_in_team', next: ['team-agent status'] });
    expect(refused.message).toContain('ghost');
    expect(refused.evidence).toMatchObject({ unknown: ['ghost'], members: ['leader', 'a', 'b', 'c'] });
  });

  test.each([[[]], [['']], [[',', ' ']]])('E11 nobody at all is refused: %j', (words) => {
    expect(to(words)).toMatchObject({ ok: false, reason: 'no_recipients' });
  });

  test('E03 a broadcast into an empty team has no recipient', () => {
    expect(resolveAddressees(['*'], [], LEADER)).toMatchObject({ ok: false, reason: 'no_recipients' });
  });
});

test('E04 whatever is named, each recipient comes once and is a member, and every other name is told', () => {
  const word = fc.constantFrom('a', 'b', 'c', 'leader', '*', 'ghost', 'a,b', 'c,ghost', '', ' b ');
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), fc.constantFrom('a', 'person', 'leader'), (words, sender) => {
      const answer = to(words, sender);
      if (isRefusal(answer)) return;
      expect(new Set(answer.to).size).toBe(answer.to.length);
      for (const one of answer.to) expect([LEADER, ...MEMBERS]).toContain(one);
      expect(answer.unknown).toEqual(words.some((word) => word.includes('ghost')) ? ['ghost'] : []);
    }),
  );
});
