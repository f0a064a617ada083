import { expect, test } from 'vitest';
import { MissedCalls } from '../../src/coordinator/missed-calls.ts';
import { upsertAgent } from '../../src/ledger/index.ts';
import type { MissedCall } from '../../src/providers/index.ts';
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
  return { ...home, incarnation, puppet, messages, look: () => calls.look(member, incarnation) };
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
