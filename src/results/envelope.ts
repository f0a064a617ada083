import { z } from 'zod';
import { type Refusal, refuse } from '../kernel/index.ts';

/** How many problems of an envelope are told. */
const PROBLEMS = 20;
/** How much of a field's name a problem repeats, in characters. */
const NAME = 80;

const text = z.string({ error: missingOr('must be text') }).regex(/\S/, 'is blank');
const oneOf = <const Words extends readonly [string, ...string[]]>(...words: Words) =>
  z.enum(words, { error: missingOr(`must be one of ${words.join(', ')}`) });
const listOf = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.array(fields(shape), { error: missingOr('must be a list') });
const fields = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, { error: missingOr('must be an object') });

/** A result as it is written down and passed on: every field, none beside them, every text with something in it. */
export const ENVELOPE = fields({
  schema_version: oneOf('result_envelope_v1'),
  task_id: text,
  agent_id: text,
  status: oneOf('success', 'blocked', 'failed', 'partial'),
  summary: text,
  changes: listOf({ path: text, kind: oneOf('created', 'modified', 'deleted', 'observed'), description: text }),
  tests: listOf({
    command: text,
    status: oneOf('passed', 'failed', 'not_run', 'skipped'),
    detail: text.optional(),
  }),
  risks: listOf({ severity: oneOf('low', 'medium', 'high'), description: text }),
  artifacts: listOf({ path: text, description: text }),
  next_actions: listOf({ description: text }),
});

export type ResultEnvelope = z.infer<typeof ENVELOPE>;

/**
 * The envelope that `value` is, or what is wrong with it, a line each and where: `tests.0.status: must be one of ...`. The
 * last line counts those that are too many to be told.
 */
export function readEnvelope(value: unknown): ResultEnvelope | readonly string[] {
  const parsed = ENVELOPE.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap(problemsOf);
  const more = problems.length - PROBLEMS;
  return [...problems.slice(0, PROBLEMS), ...(more > 0 ? [`and ${more} more`] : [])];
}

/** The same for whoever asks whether it is one: `result_invalid` when it is not. */
export function checkEnvelope(value: unknown): ResultEnvelope | Refusal {
  const read = readEnvelope(value);
  if (!isProblems(read)) return read;
  return refuse('result_invalid', ['This is no result_envelope_v1:', ...read].join('\n'), {
    evidence: { problems: read },
    next: ['team-agent validate-result --help'],
  });
}

export function isProblems(read: ReturnType<typeof readEnvelope>): read is readonly string[] {
  return Array.isArray(read);
}

function problemsOf(issue: z.core.$ZodIssue): string[] {
  if (issue.code !== 'unrecognized_keys') return [`${placeOf(issue.path)}: ${issue.message}`];
  return issue.keys.map((key) => {
    const meant = key === 'schema' && issue.path.length === 0 ? '; write schema_version' : '';
    return `${placeOf([...issue.path, key])}: is no field of it${meant}`;
  });
}

function placeOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the whole';
  return path.map((part) => String(part).replaceAll(/\s+/g, ' ').slice(0, NAME)).join('.');
}

function missingOr(wrong: string): (issue: { readonly input?: unknown; readonly code?: string }) => string | undefined {
  return ({ input }) => (input === undefined ? 'is missing' : wrong);
}
