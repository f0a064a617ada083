import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attribute, type OpenRequest } from '../../src/results/attribution.ts';

function request(seq: number, task_id: string | null, expects: OpenRequest['expects'] = 'result'): OpenRequest {
  return {
    delivery_id: `d${seq}`,
    message_id: `m_${seq}`,
    task_id,
    sender: 'leader',
    expects,
    consumed_at: 1000 + seq,
    seq,
  };
}

const one = request(1, 'T1');
const two = request(2, 'T2');
const follow = request(3, 'T1');
const plain = request(4, null);

describe('a report finds the request that it answers', () => {
  it.each([
    ['F02 the only open request, when no task is named', [one], undefined, { kind: 'answers', request: one }],
    ['F02 the only open request, when its task is named', [one], 'T1', { kind: 'answers', request: one }],
    ['F02 not the only one, when another task is named', [one], 'T9', { kind: 'unknown_task', candidates: [one] }],
    ['F02 the named one of several', [one, two], 'T2', { kind: 'answers', request: two }],
    [
      'F02 none of several, when no task is named',
      [two, one],
      undefined,
      { kind: 'ambiguous', candidates: [one, two] },
    ],
    ['F02 none of several, when another is named', [two, one], 'T9', { kind: 'unknown_task', candidates: [one, two] }],
    ['F02 none of two with one task', [follow, one, two], 'T1', { kind: 'ambiguous', candidates: [one, follow] }],
    ['F02 the one whose message is named', [one, follow], 'm_3', { kind: 'answers', request: follow }],
    ['F02 the one whose mark is named', [one, follow], 'd1', { kind: 'answers', request: one }],
    ['F06 a plain message without a task', [plain], undefined, { kind: 'answers', request: plain }],
    ['F06 a plain message by its id, among others', [one, plain], 'm_4', { kind: 'answers', request: plain }],
    [
      'F06 a plain message is not the task that somebody made up',
      [plain],
      'manual',
      { kind: 'unknown_task', candidates: [plain] },
    ],
    ['F06 nothing open: unattributed', [], undefined, { kind: 'unattributed' }],
    ['F06 nothing open: unattributed, though a task is named', [], 'T1', { kind: 'unattributed' }],
    ['F06 a blank task of the intake is no task', [plain], null, { kind: 'answers', request: plain }],
  ] as const)('%s', (_, open, task, expected) => {
    expect(attribute(open, task)).toEqual(expected);
  });

  const tasks = fc.constantFrom('T1', 'T2', 'T3', null);
  const opens = fc.array(tasks, { maxLength: 6 }).map((names) => names.map((name, index) => request(index + 1, name)));
  const named = fc.constantFrom(undefined, 'T1', 'T2', 'T3', 'T4', 'm_1', 'd2', 'm_99');

  it('F02 whatever is answered is open, and is what was named', () => {
    fc.assert(
      fc.property(opens, named, (open, task) => {
        const result = attribute(open, task);
        if (result.kind !== 'answers') return;
        expect(open).toContain(result.request);
        if (task === undefined) expect(open).toHaveLength(1);
        else expect([result.request.task_id, result.request.message_id, result.request.delivery_id]).toContain(task);
      }),
    );
  });

  it('F02 the order of the open requests changes nothing', () => {
    fc.assert(
      fc.property(opens, named, (open, task) => {
        expect(attribute([...open].reverse(), task)).toEqual(attribute(open, task));
      }),
    );
  });

  it('F02 every candidate can be chosen by its message id', () => {
    fc.assert(
      fc.property(opens, named, (open, task) => {
        const result = attribute(open, task);
        const candidates = 'candidates' in result ? result.candidates : [];
        if (result.kind === 'ambiguous') expect(candidates.length).toBeGreaterThan(1);
        for (const candidate of candidates) {
          expect(attribute(open, candidate.message_id)).toEqual({ kind: 'answers', request: candidate });
        }
      }),
    );
  });

  it('F06 only an empty list is unattributed', () => {
    fc.assert(
      fc.property(opens, named, (open, task) => {
        expect(attribute(open, task).kind === 'unattributed').toBe(open.length === 0);
      }),
    );
  });
});

describe('requests that were read before the session of the agent changed', () => {
  const lost = { ...request(5, 'T5'), known: false };
  const gone = { ...request(6, null), known: false };

  it.each([
    ['M12 answer nothing by themselves', [lost], undefined, { kind: 'unattributed' }],
    ['M12 answer nothing under another name', [lost], 'T9', { kind: 'unattributed' }],
    ['M12 leave the only one that is known alone', [lost, one, gone], undefined, { kind: 'answers', request: one }],
    ['M12 are answered under their task', [lost, one], 'T5', { kind: 'answers', request: lost }],
    ['M12 are answered under their message', [gone, one], 'm_6', { kind: 'answers', request: gone }],
    ['M12 are answered under their mark', [gone], 'd6', { kind: 'answers', request: gone }],
    [
      'M12 are named to whoever names none that there is',
      [lost, one],
      'T9',
      { kind: 'unknown_task', candidates: [one, lost] },
    ],
  ])('%s', (_what, open, task, expected) => {
    expect(attribute(open, task)).toEqual(expected);
  });
});
