import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { MissedCalls } from '../../src/coordinator/missed-calls.ts';
import { type DeliveryId, isRefusal, mint } from '../../src/kernel/index.ts';
import { insertSession, updateDelivery, upsertAgent } from '../../src/ledger/index.ts';
import { store } from '../../src/messages/index.ts';
import type { MissedCall } from '../../src/providers/index.ts';
import { freshFolder } from '../support/files.ts';
import { agentIn, agentRow, house, ONE, WORKER } from './house.ts';

/** A team with an agent whose record tells of calls that reached nobody. */
async function missing(...missed: MissedCall[]) {
  const home = await house();
  await home.ledger.change(ONE, 'person', (change) => upsertAgent(change, agentRow(ONE, WORKER)));
  const { incarnation } = agentIn(home, ONE);
  const puppet = home.puppets.get(incarnation) ?? expect.unreachable();
  puppet.missed = missed;
  const member = home.roster.member(ONE, WORKER) ?? expect.unreachable();
  const calls = new MissedCalls(home.runtime);
  const messages = () => home.ledger.db.selectFrom('messages').selectAll().orderBy('seq').execute();
  return { ...home, incarnation, puppet, member, messages, look: () => calls.look(member, incarnation) };
}

const call = (name: string, tool: MissedCall['tool'], words: object): MissedCall => ({
  call: name,
  tool,
  arguments: words,
  at: 1,
});

test('M11 F14 a question to a person and a note that reached nobody are taken in', async () => {
  const home = await missing(
    call('c1', 'request_human', { question: 'which colour?' }),
    call('c2', 'update_state', { note: 'half done' }),
  );
  await home.look();
  expect(await home.messages()).toMatchObject([
    { sender: 'w', body: 'w asks a person: which colour?', expects: 'reply' },
    { sender: 'w', body: 'half done', expects: 'nothing' },
  ]);
});

/** An agent that has read these tasks and owes their results. */
async function owing(tasks: readonly string[], ...missed: MissedCall[]) {
  const home = await missing(...missed);
  const { incarnation, ledger } = home;
  const record = path.join(freshFolder('record'), 'record');
  fs.writeFileSync(record, 'a line\n');
  await ledger.change(ONE, 'person', async (change) => {
    const facts = { team: ONE, agent_id: WORKER, generation: 1 };
    await insertSession(change, {
      ...facts,
      session_id: 's',
      provider: 'scripted',
      incarnation,
      record,
      opened_at: 1,
      closed_at: null,
    });
    for (const task_id of tasks) {
      const letter = { sender: 'leader', authority: 'leader', body: 'do it', expects: 'result' } as const;
      const to = [{ agent: WORKER, generation: 1 }];
      const sent = await store(change, { ...letter, to, task_id, message_id: mint.message() }, mint);
      if (isRefusal(sent)) throw new Error(sent.message);
      for (const { delivery_id } of sent.deliveries) {
        await updateDelivery(change, delivery_id as DeliveryId, ['queued'], {
          state: 'consumed',
          consumed_by: incarnation,
        });
      }
    }
  });
  const told = async () =>
    (await home.messages()).flatMap(({ dedupe_key, body }) => (dedupe_key?.startsWith('missed:') ? [body] : []));
  const recipients = () =>
    ledger.db
      .selectFrom('deliveries')
      .innerJoin('messages', 'messages.message_id', 'deliveries.message_id')
      .where('dedupe_key', 'like', 'missed:%')
      .select('recipient')
      .execute();
  const results = () => ledger.db.selectFrom('results').selectAll().execute();
  return { ...home, told, recipients, results };
}

const REPORT = call('c1', 'report_result', { summary: 'which of them?' });

test('M11 a missed call that is refused is told to its agent once, with what there is to choose from', async () => {
  const home = await owing(['t1', 't2'], REPORT, call('c2', 'send_message', { to: 'nobody', content: 'hello' }));
  await home.look();
  await home.look();
  expect(await home.told()).toEqual([
    expect.stringMatching(/call of report_result .* refused: Several requests.* t1, t2[\s\S]*which of them\?/),
    expect.stringMatching(
      /call of send_message .* refused: Nobody in the team is called nobody.*"members":\["leader","w"\]/,
    ),
  ]);
  expect(await home.recipients()).toEqual([{ recipient: 'w' }, { recipient: 'w' }]);
  expect(await home.results()).toEqual([]);
});

test('M11 of an agent that has ended the leader is told, with all that it said', async () => {
  const home = await owing(['t1', 't2'], REPORT);
  home.puppet.liveness = 'dead';
  await home.look();
  expect(await home.told()).toEqual([expect.stringMatching(/^w called report_result [\s\S]*\n> .*which of them\?/)]);
  expect(await home.recipients()).toEqual([{ recipient: 'leader' }]);
});

test('M11 a record that is read again and again brings each call once, and a refused one answers nothing later', async () => {
  const home = await owing(['t1', 't2'], REPORT, call('c2', 'send_message', { to: 'leader', content: 'hello' }));
  await home.look();
  home.puppet.missed.push(call('c3', 'report_result', { summary: 'it is done', task: 't1' }));
  await home.look();
  // Only t2 is open now, and another coordinator knows nothing of what this one did.
  await new MissedCalls(home.runtime).look(home.member, home.incarnation);
  expect(await home.results()).toMatchObject([{ task_id: 't1', summary: 'it is done' }]);
  expect((await home.events('calls.taken_in')).map(({ data }) => data)).toEqual([
    {
      agent_id: 'w',
      calls: [
        { tool: 'report_result', call: 'c1', refused: 'task_ambiguous' },
        { tool: 'send_message', call: 'c2' },
      ],
    },
    { agent_id: 'w', calls: [{ tool: 'report_result', call: 'c3' }] },
  ]);
});
