import { beforeEach, describe, expect, it } from 'vitest';
import { collectView } from '../../src/coordinator/views/index.ts';
import { type AgentId, agentId, type DeliveryId, type MessageId, mint, type TaskId } from '../../src/kernel/index.ts';
import {
  assignTask,
  beginTask,
  findTask,
  findTeam,
  latestResults,
  resultCounts,
  resultsOf,
  updateDelivery,
  upsertAgent,
} from '../../src/ledger/index.ts';
import { store } from '../../src/messages/index.ts';
import type { ResultEnvelope } from '../../src/results/index.ts';
import { importResults } from '../../src/results/index.ts';
import { agentRow, type House, house, ONE, TWO, WORKER } from './house.ts';

const OTHER = agentId('other') ?? expect.unreachable();

let home: House;
beforeEach(async () => {
  home = await house();
  await home.ledger.change(ONE, 'person', async (change) => {
    for (const id of [WORKER, OTHER]) await upsertAgent(change, agentRow(ONE, id));
  });
});

function envelope(facts: Partial<ResultEnvelope> = {}): ResultEnvelope {
  return {
    schema_version: 'result_envelope_v1',
    task_id: 't1',
    agent_id: 'w',
    status: 'success',
    summary: 'done',
    ...{ changes: [], tests: [], risks: [], artifacts: [], next_actions: [] },
    ...facts,
  };
}

/** A request that an agent has read, by a life that nobody knows any more; with a task it is its task. */
function asked(task: string | undefined, to: AgentId = WORKER): Promise<MessageId> {
  return home.ledger.change(ONE, 'person', async (change) => {
    const message_id = mint.message();
    const letter = { message_id, sender: 'person', authority: 'user' as const, body: 'do it', task_id: task };
    await store(change, { ...letter, to: [{ agent: to, generation: 1 }], expects: 'result' }, mint);
    if (task) {
      await assignTask(change, task as TaskId, 'do it', to);
      await beginTask(change, task as TaskId);
    }
    const [row] = await change.tx.selectFrom('deliveries').selectAll().where('message_id', '=', message_id).execute();
    await updateDelivery(change, row?.delivery_id as DeliveryId, ['queued'], {
      state: 'consumed',
      consumed_by: 'i_gone',
    });
    return message_id;
  });
}

const bring = (...envelopes: unknown[]) =>
  importResults(home.runtime.effects, ONE, 'person', { envelopes, path: '/results.json' });

const rows = () => home.ledger.db.selectFrom('results').selectAll().orderBy('seq').execute();
const notices = () =>
  home.ledger.db.selectFrom('messages').select('dedupe_key').where('dedupe_key', 'like', 'result:%').execute();
const stateOf = async (message: MessageId) =>
  (await home.ledger.db.selectFrom('deliveries').select('state').where('message_id', '=', message).execute())[0]?.state;

async function collected() {
  const team = (await findTeam(home.ledger.db, ONE)) ?? expect.unreachable();
  return collectView(home.ledger.db, team, { status: 'absent' });
}

describe('F08 results from a file', () => {
  it('F08 one answers the open request, ends its task and is announced, whichever session read the request', async () => {
    const message_id = await asked('t1');
    const { taken, invalid } = await bring(envelope({ status: 'failed' }));
    expect(invalid).toEqual([]);
    expect(await rows()).toEqual([
      expect.objectContaining({
        ...{ result_id: taken[0], message_id, task_id: 't1', unattributed: 0, status: 'failed' },
        ...{ source: 'file', incarnation: null, error: null },
      }),
    ]);
    expect(await stateOf(message_id)).toBe('answered');
    expect(await findTask(home.ledger.db, ONE, 't1' as TaskId)).toMatchObject({ accepted_result_id: taken[0] });
    expect(await notices()).toEqual([{ dedupe_key: `result:${taken[0]}` }]);
    expect(await home.events('result.reported')).toEqual([
      { team: ONE, actor: 'person', data: expect.objectContaining({ result_id: taken[0], source: 'file' }) },
    ]);
  });

  it('F08 the same content is one result: twice in a file, twice from files, with its fields in another order', async () => {
    await asked('t1');
    const first = await bring(envelope(), envelope());
    const reversed = Object.fromEntries(Object.entries(envelope()).reverse());
    const second = await bring(reversed);
    expect(first.taken).toHaveLength(1);
    expect(second).toEqual(first);
    expect(await rows()).toHaveLength(1);
    expect(await notices()).toHaveLength(1);
    expect((await bring(envelope({ summary: 'done again' }))).taken).not.toEqual(first.taken);
    expect(await rows()).toHaveLength(2);
  });

  it('F06 a message stands for a request without a task; a task alone is enough; so is a message that was answered', async () => {
    const plain = await asked(undefined);
    await asked('t2', OTHER);
    const { taken } = await bring(envelope({ task_id: plain }), envelope({ task_id: 't2' }));
    const late = await bring(envelope({ task_id: plain, summary: 'more' }));
    expect(await stateOf(plain)).toBe('answered');
    expect([...taken, ...late.taken]).toHaveLength(3);
    expect(await rows()).toEqual([
      expect.objectContaining({ message_id: plain, task_id: null, unattributed: 0 }),
      expect.objectContaining({ message_id: null, task_id: 't2', unattributed: 1 }),
      expect.objectContaining({ message_id: plain, task_id: null, unattributed: 1 }),
    ]);
    const { collected_results, collected: envelopes } = await collected();
    expect(collected_results.map(({ scope }) => scope)).toEqual(['message', 'task', 'message']);
    expect(envelopes.map(({ task_id }) => task_id)).toEqual([plain, 't2', plain]);
  });

  it('F07 what is no result is kept and explained, changes nothing, and blocks no good one', async () => {
    const first = await asked('t1');
    const second = await asked('t1');
    const foreign = await asked('t3', OTHER);
    const before = await home.ledger.db.selectFrom('tasks').selectAll().execute();
    const { taken, invalid } = await bring(
      { ...envelope(), status: 'fine' },
      envelope({ agent_id: 'ghost' }),
      envelope({ task_id: 'nothing' }),
      envelope({ task_id: foreign }),
      envelope(),
      { task_id: 't1' },
      'done',
      envelope({ task_id: second }),
    );
    expect(invalid.map(({ agent_id, task_id, error }) => [agent_id, task_id, error])).toEqual([
      ['w', 't1', 'status: must be one of success, blocked, failed, partial'],
      ['ghost', 't1', 'agent_id: nobody in the team is called ghost'],
      ['w', 'nothing', 'task_id: no task is called nothing, and no message to w is'],
      ['w', foreign, `task_id: no task is called ${foreign}, and no message to w is`],
      ['w', 't1', `task_id: several requests for t1 are open; write the message instead: ${first}, ${second}`],
      [null, 't1', expect.stringContaining('agent_id: is missing')],
      [null, null, 'the whole: must be an object'],
    ]);
    expect(invalid.map(({ result_id }) => result_id !== null)).toEqual([true, true, true, true, true, false, false]);
    expect(taken).toHaveLength(1);
    expect(await stateOf(second)).toBe('answered');
    expect(await stateOf(first)).toBe('consumed');
    const after = await home.ledger.db.selectFrom('tasks').selectAll().execute();
    expect(after.filter(({ task_id }) => task_id !== 't1')).toEqual(before.filter(({ task_id }) => task_id !== 't1'));
    expect(await notices()).toEqual([{ dedupe_key: `result:${taken[0]}` }]);
  });

  it('F07 what is no result counts nowhere as one', async () => {
    await asked('t1');
    await bring(envelope({ agent_id: 'ghost' }), { ...envelope(), summary: '' });
    await bring(envelope({ agent_id: 'ghost' }));
    expect(await rows()).toHaveLength(2);
    expect(await resultsOf(home.ledger.db, ONE, { task: 't1' as TaskId })).toEqual([]);
    expect(await latestResults(home.ledger.db, ONE, 5)).toEqual([]);
    expect(await resultCounts(home.ledger.db, ONE)).toMatchObject({ partial: 0, unattributed: 0, invalid: 2 });
    const { collected_results, invalid_results, results } = await collected();
    expect(collected_results).toEqual([]);
    expect(invalid_results).toEqual([
      expect.objectContaining({ agent_id: 'ghost', task_id: 't1', path: '/results.json' }),
      expect.objectContaining({ agent_id: 'w', error: 'summary: is blank' }),
    ]);
    expect(results).toEqual({
      ...{ total: 2, uncollected: 0, collected: 0, invalid: 2 },
      by_status: { success: 0, partial: 0, blocked: 0, failed: 0 },
    });
    expect(await notices()).toEqual([]);
  });

  it('F07 what was no result is one when its agent is there', async () => {
    await asked('t1');
    await bring(envelope({ agent_id: 'late' }));
    await home.ledger.change(ONE, 'person', (change) =>
      upsertAgent(change, agentRow(ONE, agentId('late') ?? expect.unreachable())),
    );
    expect((await bring(envelope({ agent_id: 'late' }))).taken).toHaveLength(1);
  });

  it('F08 teams are apart: the content of one is another result in the other', async () => {
    await asked('t1');
    const { taken } = await bring(envelope());
    const there = await importResults(home.runtime.effects, TWO, 'person', { envelopes: [envelope()], path: 'x' });
    expect(there.taken).toEqual([]);
    expect(there.invalid[0]?.result_id).not.toBe(taken[0]);
    expect(await resultsOf(home.ledger.db, TWO)).toEqual([]);
  });
});
