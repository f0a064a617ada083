import { expect, it } from 'vitest';
import { type Account, accountIn, accountOf, otherAccount, otherVendor } from '../../src/lifecycle/starting/account.ts';

const LOGIN: Account = { mode: 'subscription' };
const KIMI: Account = { mode: 'compatible_api', profile: 'kimi' };
const GLM: Account = { mode: 'compatible_api', profile: 'glm' };
const KEY: Account = { mode: 'official_api', profile: 'key' };
const OTHER: Account = { mode: 'official_api', profile: 'other' };

it('B08 G11 an account is what the handle of a life kept, and what the documents say now', () => {
  const kept = { provider: 'claude', profile: 'kimi', auth_mode: 'compatible_api' };
  expect([accountOf(kept), accountOf({ provider: 'claude' }), accountOf({})]).toEqual([KIMI, LOGIN, undefined]);
  expect(accountIn({ profile: { name: 'kimi', mode: 'compatible_api', file: '/kimi.env' } })).toEqual(KIMI);
  expect(accountIn({})).toEqual(LOGIN);
});

it.each([
  [KIMI, KIMI, false, false],
  [KIMI, GLM, true, true],
  [KIMI, LOGIN, false, true],
  [LOGIN, KIMI, false, true],
  [KEY, KIMI, false, true],
  [KEY, OTHER, false, true],
  [LOGIN, { mode: 'subscription', profile: 'net' }, false, false],
  [undefined, GLM, false, false],
])('B08 G11 from %j to %j: another vendor %s, told %s', (before, now, gone, told) => {
  const why = otherVendor(before, now);
  expect(why !== undefined).toBe(gone);
  const names = [before?.profile ?? '', now.profile ?? ''];
  if (gone) for (const name of names) expect(why).toContain(name);
  const lines = otherAccount('ann', before, now);
  expect(lines).toHaveLength(told ? 1 : 0);
  if (told) for (const name of ['ann', ...names]) expect(lines.join()).toContain(name);
});
