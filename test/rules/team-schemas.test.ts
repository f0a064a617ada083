import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { schemaTexts, staleSchemas } from '../../script/schemas.ts';
import { isRefusal } from '../../src/kernel/index.ts';
import { isProblems, readEnvelope } from '../../src/results/envelope.ts';
import { compileTeam, readSpec, specOf } from '../../src/team/index.ts';
import { long } from '../support/long.ts';
import { around, filesOf, type TeamValues, teamOf, teamValues } from './team-documents.ts';

/** In ms: a sweep beside other work. */
const LONG = { timeout: 300_000 };

const ajv = new Ajv2020({ strictTypes: false });

function schema(name: string): ValidateFunction {
  const text = schemaTexts().get(name);
  if (text === undefined) throw new Error(`there is no schema ${name}`);
  return ajv.compile(JSON.parse(text));
}

/*
 * One change of a valid document: a key dropped, an unknown one added, or a value replaced by one of another kind. None of
 * them can make a document that is wrong only between two places: no name, id or list item becomes another valid one, so
 * that the two validators must agree on every change.
 */
type Change = { readonly at: number } & (
  | { readonly how: 'drop' | 'add' }
  | { readonly how: 'set'; readonly to: unknown }
);

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ at: fc.nat(), how: fc.constantFrom('drop' as const, 'add' as const) }),
  fc.record({
    at: fc.nat(),
    how: fc.constant('set' as const),
    to: fc.constantFrom<unknown>(5, -1, 1.5, 0, true, false, '', ' ', null, [], [5], [''], {}, { colour: 5 }),
  }),
);

type Path = readonly (string | number)[];

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const below = Array.isArray(value) ? value.map((item, index) => [index, item] as const) : Object.entries(value);
  return [path, ...below.flatMap(([key, item]) => pathsOf(item, [...path, key]))];
}

function changed(value: unknown, [step, ...rest]: Path, apply: (value: unknown) => unknown): unknown {
  if (step === undefined) return apply(value);
  if (Array.isArray(value)) return value.map((item, index) => (index === step ? changed(item, rest, apply) : item));
  return { ...(value as object), [step]: changed((value as Record<string, unknown>)[step], rest, apply) };
}

/** The document with one change; `drop` and `add` are of the nearest object around the place. */
function mutated(document: unknown, { at, ...how }: Change): unknown {
  const paths = pathsOf(document).filter((path) => path.length > 0);
  const place = paths[at % paths.length] ?? [];
  if (how.how === 'set') return changed(document, place, () => how.to);
  const key = place.findLastIndex((step) => typeof step === 'string');
  return changed(document, place.slice(0, key), (value) => {
    if (how.how === 'add') return { ...(value as object), colour: 5 };
    return Object.fromEntries(Object.entries(value as object).filter(([name]) => name !== place[key]));
  });
}

/** The two verdicts on documents before and after changes. */
function agree<Values>(
  documents: fc.Arbitrary<Values>,
  parts: {
    readonly document: (values: Values) => unknown;
    readonly schema: ValidateFunction;
    readonly accepts: (document: unknown, values: Values) => boolean;
    readonly runs?: number;
  },
): void {
  const verdicts = new Set<boolean>();
  fc.assert(
    fc.property(documents, fc.array(change, { minLength: 1, maxLength: 4 }), (values, changes) => {
      const document = parts.document(values);
      expect([parts.schema(document), parts.accepts(document, values)]).toEqual([true, true]);
      for (const one of changes) {
        const other = mutated(document, one);
        const accepted = parts.accepts(other, values);
        verdicts.add(accepted);
        expect({ other, accepted: parts.schema(other) }).toEqual({ other, accepted });
      }
    }),
    { numRuns: long ? 1_000 : (parts.runs ?? 40) },
  );
  expect(verdicts).toEqual(new Set([true, false]));
}

describe('the JSON Schemas that are shipped', () => {
  it('B11 are what the sources make now', () => {
    expect(staleSchemas()).toEqual([]);
  });

  const compiles = (values: TeamValues, names: readonly string[]): boolean => {
    const files = filesOf(values).map((file, index) => ({ ...file, path: names[index] ?? file.path }));
    return !isRefusal(compileTeam(files, around));
  };
  const namesOf = (values: TeamValues) => filesOf(values).map((file) => file.path);

  it('B11 and the program agree on every head of TEAM.md', LONG, () => {
    agree(teamValues(2), {
      document: ({ head }) => head,
      schema: schema('team.schema.json'),
      accepts: (head, values) => compiles({ ...values, head: head as TeamValues['head'] }, namesOf(values)),
    });
  });

  it('B11 and the program agree on every head of a role document', LONG, () => {
    const alone = teamValues(1).map(({ roles }) => ({ head: {}, roles }));
    agree(alone, {
      document: ({ roles: [role] }) => role?.head,
      schema: schema('role.schema.json'),
      accepts: (head, values) => {
        const roles = [{ head: head as TeamValues['roles'][number]['head'], body: 'Work.' }];
        return compiles({ ...values, roles }, namesOf(values));
      },
    });
  });

  it('B11 B03 Z08 and the program agree on every spec, compiled or changed', LONG, () => {
    const inSpec = {
      ...around,
      workspace: '/w',
      usualWorkspace: '/w',
      textOf: () => 'x',
      realOf: (one: string) => one,
    };
    agree(teamValues(2), {
      document: (values) => specOf(teamOf(values), '/w/.team/shop'),
      schema: schema('team.spec.schema.json'),
      accepts: (spec) => !isRefusal(readSpec({ path: 'team.spec.yaml', text: JSON.stringify(spec) }, inSpec)),
    });
  });

  it('B11 and the program agree on every result', LONG, () => {
    const text = fc.constantFrom('a', 'b c');
    const list = (fields: Record<string, fc.Arbitrary<unknown>>) => fc.array(fc.record(fields), { maxLength: 2 });
    const result = fc.record({
      schema_version: fc.constant('result_envelope_v1'),
      task_id: text,
      agent_id: text,
      status: fc.constantFrom('success', 'blocked', 'failed', 'partial'),
      summary: text,
      changes: list({ path: text, kind: fc.constantFrom('created', 'observed'), description: text }),
      tests: fc.array(
        fc.record(
          { command: text, status: fc.constantFrom('passed', 'not_run'), detail: text },
          { requiredKeys: ['command', 'status'] },
        ),
        { maxLength: 2 },
      ),
      risks: list({ severity: fc.constantFrom('low', 'high'), description: text }),
      artifacts: list({ path: text, description: text }),
      next_actions: list({ description: text }),
    });
    agree(result, {
      document: (values) => values,
      schema: schema('result-envelope.schema.json'),
      accepts: (value) => !isProblems(readEnvelope(value)),
      // Few changes of a result leave it one, and each is looked at quickly.
      runs: 400,
    });
  });
});
