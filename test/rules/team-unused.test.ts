import { expect, it } from 'vitest';
import { unusedIn } from '../../src/team/index.ts';
import { teamOf } from './team-documents.ts';

const ROLE = { head: { name: 'amy', role: 'r', provider: 'scripted', tools: [] }, body: '' };

it.each([
  [{}, undefined],
  [{ provider: 'codex', leader_role: 'leader' }, undefined],
  [{ provider: 'claude' }, "the leader's provider"],
  [{ leader_model: 'opus' }, "the leader's model"],
  [{ model: 'opus' }, "the leader's model"],
  [{ leader_role: 'architect', tick_interval_sec: 2 }, "the leader's role, tick_interval_sec"],
  [
    { stuck_timeout_sec: 9, push_min_interval_sec: 3, display_backend: 'none' },
    'display_backend, push_min_interval_sec, stuck_timeout_sec',
  ],
])('B01 B06 of a team with %j a start tells that %s changes nothing yet', (head, unused) => {
  const told = unusedIn(teamOf({ head, roles: [ROLE] }));
  expect(told).toEqual(
    unused === undefined ? [] : [`What the team's documents say of this changes nothing yet: ${unused}.`],
  );
});
