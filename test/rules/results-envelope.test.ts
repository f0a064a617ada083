import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal } from '../../src/kernel/index.ts';
import { checkEnvelope, isProblems, type ResultEnvelope, readEnvelope } from '../../src/results/envelope.ts';
import { normaliseResult } from '../../src/results/normalise.ts';

const GOOD: ResultEnvelope = {
  schema_version: 'result_envelope_v1',
  task_id: 't1',
  agent_id: 'ann',
  status: 'success',
  summary: 'done',
  changes: [{ path: 'a.ts', kind: 'modified', description: 'a check' }],
  tests: [
    { command: 'npm test', status: 'passed' },
    { command: 'npm run lint', status: 'failed', detail: '3 errors' },
  ],
  risks: [{ severity: 'low', description: 'none tried on macOS' }],
  artifacts: [{ path: 'report.md', description: 'the report' }],
  next_actions: [{ description: 'merge it' }],
};
const EMPTY = { changes: [], tests: [], risks: [], artifacts: [], next_actions: [] };

function problems(value: unknown): readonly string[] {
  const read = readEnvelope(value);
  return isProblems(read) ? read : [];
}

describe('F09 the strict envelope', () => {
  it.each([GOOD, { ...GOOD, ...EMPTY }])('F09 a whole one is what it was', (envelope) => {
    expect(readEnvelope(envelope)).toEqual(envelope);
  });

  it.each(Object.keys(GOOD))('F09 without %s it is none', (name) => {
    const { [name as keyof ResultEnvelope]: _, ...rest } = GOOD;
    expect(problems(rest)).toEqual([`${name}: is missing`]);
  });

  it.each([
    [{ ...GOOD, status: 'ok' }, 'status: must be one of success, blocked, failed, partial'],
    [{ ...GOOD, schema_version: 'v2' }, 'schema_version: must be one of result_envelope_v1'],
    [{ ...GOOD, summary: ' \n' }, 'summary: is blank'],
    [{ ...GOOD, task_id: null }, 'task_id: must be text'],
    [{ ...GOOD, agent_id: 7 }, 'agent_id: must be text'],
    [{ ...GOOD, mood: 'good' }, 'mood: is no field of it'],
    [{ ...GOOD, schema: 'x' }, 'schema: is no field of it; write schema_version'],
    [{ ...GOOD, tests: {} }, 'tests: must be a list'],
    [{ ...GOOD, tests: ['npm test'] }, 'tests.0: must be an object'],
    [
      { ...GOOD, tests: [GOOD.tests[0], { command: 'x', status: 'fine' }] },
      'tests.1.status: must be one of passed, failed, not_run, skipped',
    ],
    [{ ...GOOD, tests: [{ command: 'x', status: 'passed', detail: '' }] }, 'tests.0.detail: is blank'],
    [
      { ...GOOD, changes: [{ path: 'a', kind: 'renamed', description: 'd' }] },
      'changes.0.kind: must be one of created, modified, deleted, observed',
    ],
    [{ ...GOOD, changes: [{ path: 'a', kind: 'created' }] }, 'changes.0.description: is missing'],
    [{ ...GOOD, risks: [{ severity: 'low', description: 'd', level: 'x' }] }, 'risks.0.level: is no field of it'],
    [{ ...GOOD, artifacts: [{ path: 'a', description: 1 }] }, 'artifacts.0.description: must be text'],
    ['done', 'the whole: must be an object'],
    [null, 'the whole: must be an object'],
    [[GOOD], 'the whole: must be an object'],
  ])('F09 what is wrong is told with its place: case %#', (value, problem) => {
    expect(problems(value)).toEqual([problem]);
    expect(checkEnvelope(value)).toMatchObject({
      ok: false,
      reason: 'result_invalid',
      evidence: { problems: [problem] },
    });
  });

  it('F09 of many problems the first are told and the others counted', () => {
    const told = problems({ ...GOOD, changes: Array.from({ length: 100 }, () => ({})) });
    expect(told).toHaveLength(21);
    expect(told.at(-1)).toBe('and 280 more');
  });

  const loose = fc.oneof(
    fc.record(
      {
        ...{ summary: fc.anything(), status: fc.anything(), task: fc.anything(), task_id: fc.anything() },
        ...{ changes: fc.anything(), tests: fc.anything(), risks: fc.anything(), artifacts: fc.anything() },
        ...{ next_actions: fc.anything(), envelope: fc.anything(), agent_id: fc.anything() },
      },
      { requiredKeys: [] },
    ),
    fc.record({
      tests: fc.array(
        fc.record({ command: fc.string(), status: fc.string(), output: fc.anything() }, { requiredKeys: [] }),
      ),
      changes: fc.array(fc.record({ file: fc.string(), type: fc.string(), detail: fc.string() }, { requiredKeys: [] })),
      risks: fc.array(fc.oneof(fc.string(), fc.record({ level: fc.string(), message: fc.string() }))),
    }),
    fc.object(),
  );

  it('F09 whatever an agent reports becomes an envelope that is one', () => {
    fc.assert(
      fc.property(loose, (input) => {
        const normalised = normaliseResult(input);
        if (isRefusal(normalised)) throw new Error(normalised.message);
        const { notes: _, ...envelope } = normalised;
        expect(problems({ ...envelope, agent_id: 'ann', task_id: envelope.task_id ?? 't1' })).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  const text = fc.string({ minLength: 1, maxLength: 30 }).filter((value) => value.trim() !== '');
  const oneOf = <const Word extends string>(...words: Word[]) => fc.constantFrom(...words);
  const strict: fc.Arbitrary<ResultEnvelope> = fc.record({
    schema_version: fc.constant('result_envelope_v1' as const),
    task_id: text,
    agent_id: text,
    status: oneOf('success', 'blocked', 'failed', 'partial'),
    summary: text,
    changes: fc.array(
      fc.record({ path: text, kind: oneOf('created', 'modified', 'deleted', 'observed'), description: text }),
    ),
    tests: fc.array(
      fc.record(
        { command: text, status: oneOf('passed', 'failed', 'not_run', 'skipped'), detail: text },
        { requiredKeys: ['command', 'status'] },
      ),
    ),
    risks: fc.array(fc.record({ severity: oneOf('low', 'medium', 'high'), description: text })),
    artifacts: fc.array(fc.record({ path: text, description: text })),
    next_actions: fc.array(fc.record({ description: text })),
  });

  it('F08 an envelope that is one is taken in word for word', () => {
    fc.assert(
      fc.property(strict, (envelope) => {
        const { agent_id: _, ...rest } = envelope;
        expect(readEnvelope(envelope)).toEqual(envelope);
        expect(normaliseResult(envelope)).toEqual({ ...rest, notes: [] });
      }),
    );
  });
});
