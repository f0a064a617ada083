import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal } from '../../src/kernel/index.ts';
import { type NormalisedResult, normaliseResult, TEXT_LIMIT } from '../../src/results/normalise.ts';

function normalised(input: unknown): NormalisedResult {
  const result = normaliseResult(input);
  if (isRefusal(result)) throw new Error(result.message);
  return result;
}

describe('F01 report_result with sloppy fields is normalised', () => {
  it.each([
    ['success', 'success'],
    ['ok', 'success'],
    ['Done', 'success'],
    ['COMPLETE', 'success'],
    ['completed', 'success'],
    ['passed', 'success'],
    [' pass ', 'success'],
    ['block', 'blocked'],
    ['Blocked', 'blocked'],
    ['fail', 'failed'],
    ['error', 'failed'],
    ['partial', 'partial'],
    ['partially_done', 'partial'],
    ['Partially-Done', 'partial'],
    ['partially done', 'partial'],
  ])('F01 the status word %j is %s', (word, status) => {
    expect(normalised({ summary: 's', status: word })).toMatchObject({ status, notes: [] });
  });

  it.each(['maybe', 'not ok', 'unsuccessful', '', 7, true, ['success'], { status: 'success' }])(
    'F01 the unknown status %j becomes partial, with a note',
    (status) => {
      const result = normalised({ summary: 's', status });
      expect(result.status).toBe('partial');
      expect(result.notes).toEqual([expect.stringContaining('unknown status')]);
    },
  );

  it('F01 no status at all is success, as the tool says', () => {
    expect(normalised({ summary: 's' })).toMatchObject({ status: 'success', notes: [] });
    expect(normalised({ summary: 's', status: null })).toMatchObject({ status: 'success', notes: [] });
  });

  it.each([
    [
      { path: 'a', kind: 'created', description: 'd' },
      { path: 'a', kind: 'created', description: 'd' },
    ],
    [
      { file: 'a', type: 'added', summary: 'd' },
      { path: 'a', kind: 'created', description: 'd' },
    ],
    [
      { filepath: 'a', action: 'removed', detail: 'd' },
      { path: 'a', kind: 'deleted', description: 'd' },
    ],
    [
      { filename: 'a', kind: 'read', details: 'd' },
      { path: 'a', kind: 'observed', description: 'd' },
    ],
    [
      { path: 'a', message: 'Added a table' },
      { path: 'a', kind: 'created', description: 'Added a table' },
    ],
    [
      { path: 'a', description: 'the loop ends' },
      { path: 'a', kind: 'modified', description: 'the loop ends' },
    ],
    [
      { path: 'a', kind: 'mangled', description: 'deleted' },
      { path: 'a', kind: 'deleted', description: 'deleted' },
    ],
    [{ path: 'a' }, { path: 'a', kind: 'modified', description: 'the whole' }],
  ])('F01 the change %j', (given, taken) => {
    expect(normalised({ summary: 'the whole', changes: [given] }).changes).toEqual([taken]);
  });

  it.each([
    ['npm test', { command: 'npm test', status: 'not_run' }],
    [
      { cmd: 'x', status: 'ok', stdout: '1 passed' },
      { command: 'x', status: 'passed', detail: '1 passed' },
    ],
    [
      { name: 'x', status: 'error', stderr: 'boom' },
      { command: 'x', status: 'failed', detail: 'boom' },
    ],
    [
      { test: 'x', status: 'skip' },
      { command: 'x', status: 'skipped' },
    ],
    [
      { command: 'x', status: true, output: 'o' },
      { command: 'x', status: 'passed', detail: 'o' },
    ],
    [
      { command: 'x', status: 'not-run' },
      { command: 'x', status: 'not_run' },
    ],
    [
      { command: 'x', status: 'flaky' },
      { command: 'x', status: 'not_run' },
    ],
  ])('F01 the test %j', (given, taken) => {
    expect(normalised({ summary: 's', tests: [given] }).tests).toEqual([taken]);
  });

  it.each([
    ['it leaks', { severity: 'low', description: 'it leaks' }],
    [
      { level: 'High', summary: 'it leaks' },
      { severity: 'high', description: 'it leaks' },
    ],
    [
      { severity: 'critical', detail: 'it leaks' },
      { severity: 'high', description: 'it leaks' },
    ],
    [
      { severity: 'purple', message: 'it leaks' },
      { severity: 'low', description: 'it leaks' },
    ],
  ])('F01 the risk %j', (given, taken) => {
    expect(normalised({ summary: 's', risks: [given] }).risks).toEqual([taken]);
  });

  it('F01 artifacts and next actions may be bare texts', () => {
    const result = normalised({
      summary: 's',
      artifacts: ['out.html', { file: 'a.png', summary: 'the chart' }],
      next_actions: ['ship it', { todo: 'review' }, { action: 'merge' }],
    });
    expect(result.artifacts).toEqual([
      { path: 'out.html', description: 'out.html' },
      { path: 'a.png', description: 'the chart' },
    ]);
    expect(result.next_actions).toEqual([
      { description: 'ship it' },
      { description: 'review' },
      { description: 'merge' },
    ]);
  });

  it('F01 one value is a list of one, and a list may be JSON inside a text', () => {
    const result = normalised({
      summary: 's',
      tests: { cmd: 'x', status: 'pass' },
      changes: '[{"file":"a"}]',
      risks: 'r',
    });
    expect(result.tests).toEqual([{ command: 'x', status: 'passed' }]);
    expect(result.changes).toEqual([{ path: 'a', kind: 'modified', description: 's' }]);
    expect(result.risks).toEqual([{ severity: 'low', description: 'r' }]);
  });

  it('F01 what cannot be placed is told in a note, not dropped', () => {
    const result = normalised({
      summary: 's',
      changes: ['rewrote it', { kind: 'created' }],
      mood: 'fine',
      tests: [{}],
    });
    expect(result.changes).toEqual([]);
    expect(result.notes).toEqual([
      'unknown field "mood": "fine"',
      'could not place an item of changes: "rewrote it"',
      'could not place an item of changes: {"kind":"created"}',
      'could not place an item of tests: {}',
    ]);
  });

  it('F01 an envelope inside the arguments is opened, and the fields beside it go first', () => {
    const envelope = { status: 'failed', summary: 'inner', task_id: 'T1', agent_id: 'somebody-else' };
    const result = normalised({ envelope, summary: 'outer' });
    expect(result).toMatchObject({ status: 'failed', summary: 'outer', task_id: 'T1', notes: [] });
    expect(result).not.toHaveProperty('agent_id');
    expect(normalised({ envelope: JSON.stringify(envelope) })).toMatchObject({ summary: 'inner' });
  });

  it.each([
    [{}, 'completed'],
    [{ summary: '  \n' }, 'completed'],
    [{ summary: null, status: 'failed' }, 'failed'],
  ])('F01 an empty summary %j says no more than the status', (input, summary) => {
    expect(normalised(input)).toMatchObject({ summary, notes: ['no summary was given'] });
  });

  it('F01 the task is named by task or task_id, and a blank one is none', () => {
    expect(normalised({ summary: 's', task: 'T1' }).task_id).toBe('T1');
    expect(normalised({ summary: 's', task_id: 'T2' }).task_id).toBe('T2');
    expect(normalised({ summary: 's', task: ' ' }).task_id).toBeNull();
  });

  it('F01 texts keep their bytes', () => {
    const summary = '  first\r\n\u001b[31mred\u0000\t\u2028 ü 🎈  ';
    expect(normalised({ summary }).summary).toBe(summary);
  });

  it('F01 a text over the limit is cut between characters, and says so', () => {
    const summary = `${'x'.repeat(TEXT_LIMIT - 2)}🎈 and more`;
    const result = normalised({ summary, risks: [summary] });
    const kept = `${'x'.repeat(TEXT_LIMIT - 2)}\n[cut: ${TEXT_LIMIT - 2} of ${Buffer.byteLength(summary)} bytes are kept]`;
    expect(result.summary).toBe(kept);
    expect(result.risks[0]?.description).toBe(kept);
    expect(normalised({ summary: 'x'.repeat(TEXT_LIMIT) }).summary).toHaveLength(TEXT_LIMIT);
  });

  it.each([null, undefined, 'done', 7, true, [], [{ summary: 's' }]])('F01 %j is not a result', (input) => {
    expect(normaliseResult(input)).toMatchObject({ ok: false, reason: 'tool_arguments_invalid' });
  });

  it('F01 any object becomes an envelope that reads back as itself', () => {
    const loose = fc.record(
      {
        summary: fc.jsonValue(),
        status: fc.jsonValue(),
        task: fc.jsonValue(),
        changes: fc.jsonValue(),
        tests: fc.array(fc.record({ cmd: fc.jsonValue(), status: fc.jsonValue() }, { requiredKeys: [] })),
        risks: fc.jsonValue(),
        artifacts: fc.jsonValue(),
        next_actions: fc.jsonValue(),
        envelope: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(loose, fc.dictionary(fc.string(), fc.jsonValue())), (input) => {
        const result = normalised(JSON.parse(JSON.stringify(input)));
        expect(['success', 'blocked', 'failed', 'partial']).toContain(result.status);
        expect(result.summary.trim()).not.toBe('');
        for (const item of result.changes) expect(item.path.trim()).not.toBe('');
        const { notes: _, ...again } = normalised(result);
        const { notes: __, ...first } = result;
        expect(again).toEqual(first);
      }),
      { numRuns: 300 },
    );
  });
});
