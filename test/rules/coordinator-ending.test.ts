import { afterEach, expect, test } from 'vitest';
import { shutdown } from '../../src/coordinator/verbs/team.ts';
import { setTeamIntent } from '../../src/ledger/index.ts';
import { type House, house, ONE, TWO } from './house.ts';

let at: House;
afterEach(() => at.ledger.close());

const ends = (team: string) =>
  shutdown.run(
    { runtime: at.runtime, caller: { kind: 'person', pid: 1, chain: [] }, gone: new AbortController().signal },
    shutdown.input.parse({ team }),
  );

test('G14 the coordinator ends with the last team, and not while another verb begins something', async () => {
  at = await house();
  await at.ledger.change(TWO, 'person', (change) => setTeamIntent(change, 'stopped'));
  const planning = Promise.withResolvers<void>();
  const launch = at.runtime.effects.queue.run({ team: TWO }, () => planning.promise);
  expect(await ends(ONE)).toMatchObject({ ok: true, coordinator: { status: 'running' } });
  planning.resolve();
  await launch;
  expect(at.ended).toEqual([]);
  expect(await ends(ONE)).toMatchObject({ ok: true, already: true, coordinator: { status: 'ending' } });
  expect(at.ended).toHaveLength(1);
});

test('G14 the coordinator stays for a team that was started while the last one was shut down', async () => {
  at = await house();
  await at.ledger.change(TWO, 'person', (change) => setTeamIntent(change, 'stopped'));
  const asked = Promise.withResolvers<void>();
  const before = at.runtime.effects.queue.run({ team: ONE }, async () => {
    await asked.promise;
    await at.ledger.change(TWO, 'person', (change) => setTeamIntent(change, 'running'));
  });
  const answer = ends(ONE);
  asked.resolve();
  await before;
  expect(await answer).toMatchObject({ ok: true, coordinator: { status: 'running' } });
  expect(at.ended).toEqual([]);
});
