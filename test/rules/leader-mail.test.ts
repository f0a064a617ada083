import { expect, test } from 'vitest';
import type { Caller } from '../../src/coordinator/api/callers.ts';
import { runVerb } from '../../src/coordinator/index.ts';
import { LEADER, mint } from '../../src/kernel/index.ts';
import { storeNotice } from '../../src/messages/index.ts';
import { conversationIn, type House, house, type Leading, lead, living, ONE, TWO } from './house.ts';

/** Who takes the leader's mail by a command. */

const as = ({ incarnation }: Leading): Caller => ({ kind: 'leader', incarnation, teams: [] });
const person: Caller = { kind: 'person', pid: 1, chain: [] };

const post = (home: House, key: string) =>
  home.ledger.change(ONE, 'x', (change) => storeNotice(change, mint, { key, to: LEADER, body: key }));
const asked = (home: House, caller: Caller) => ({ runtime: home.runtime, caller, gone: new AbortController().signal });
const waits = (home: House, caller: Caller) =>
  runVerb(asked(home, caller), 'wait', { mail: true, timeout_s: 20, team: ONE });
const takes = (home: House, caller: Caller) => runVerb(asked(home, caller), 'inbox-take', { agent: LEADER, team: ONE });
const states = async (home: House) =>
  (await home.ledger.db.selectFrom('deliveries').select('state').execute()).map(({ state }) => state);

test('D08 E19 whoever led before is told who leads now, and its command that waits takes nothing of the new leader', async () => {
  const home = await house();
  const [first, second] = [await conversationIn(home), await conversationIn(home)];
  await lead(home, ONE, first.conversation);
  const waiting = waits(home, as(first));
  await lead(home, ONE, second.conversation, { intent: 'takeover', confirmed: true });
  home.runtime.effects.changes.notify();
  const told = await waiting;
  expect(told).toMatchObject({ ok: false, reason: 'owner_epoch_advanced', evidence: { owner_epoch: 2 } });
  Object.assign(home.puppets.get(second.incarnation) ?? {}, { hold: 'mode_holds_mail' });
  await post(home, 'for the second');
  expect(await takes(home, as(first))).toMatchObject({ ok: false, reason: 'owner_epoch_advanced' });
  expect(await states(home)).toEqual(['queued']);
  expect(await waits(home, as(second))).toMatchObject({ ok: true, waited_for: 'mail' });
  expect(await takes(home, as(second))).toMatchObject({ ok: true, taken: 1 });
  expect(await states(home)).toEqual(['consumed']);
});

test('E08 D08 what a conversation that ended or gave the lead up left behind takes no mail; a person does', async () => {
  const home = await house();
  const [ended, free] = [await conversationIn(home), await conversationIn(home)];
  await lead(home, ONE, ended.conversation);
  await post(home, 'for whoever comes');
  await home.leaders.end(ended.incarnation);
  for (const caller of [as(ended), as(free)]) {
    expect(await waits(home, caller)).toMatchObject({ ok: false, reason: 'nobody_leads' });
    expect(await takes(home, caller)).toMatchObject({ ok: false, reason: 'nobody_leads' });
  }
  expect(await states(home)).toEqual(['queued']);
  expect(await waits(home, person)).toMatchObject({ ok: true, waited_for: 'mail' });
  expect(await takes(home, person)).toMatchObject({ ok: true, taken: 1 });
});

test('D08 E22 what is about to go to a leader when another one takes over goes to that one alone', async () => {
  const home = await house();
  const [first, second] = [await conversationIn(home), await conversationIn(home)];
  const [before, after] = [puppetOf(home, first), puppetOf(home, second)];
  await lead(home, ONE, first.conversation);
  before.whileLooking = () => lead(home, ONE, second.conversation, { intent: 'takeover', confirmed: true });
  await post(home, 'for whoever leads');
  const office = home.runtime.office(ONE);
  office.wake(LEADER);
  await office.settled(LEADER);
  expect(before.handed).toEqual([]);
  expect(after.handed).toHaveLength(1);
  expect(await states(home)).toEqual(['consumed']);
});

test('D13 E08 whoever gets the lead while its CLI holds mail back is told what to do instead, of the team that is meant', async () => {
  const home = await house();
  const leader = await conversationIn(home, living(process.pid));
  puppetOf(home, leader).hold = 'mode_holds_mail';
  const attached = await runVerb(asked(home, as(leader)), 'attach-leader', { team: TWO });
  expect(attached).toMatchObject({
    ok: true,
    status: 'claimed',
    held: { hold: 'mode_holds_mail' },
    warnings: [expect.stringContaining('"team-agent wait --mail --timeout 86400 --team two"')],
    next: ['team-agent status --team two', 'team-agent inbox leader --team two'],
  });
});

const puppetOf = (home: House, { incarnation }: Leading) => home.puppets.get(incarnation) ?? expect.unreachable();
