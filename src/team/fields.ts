import { z } from 'zod';
import { AGENT_ID, firstLine, printable } from '../kernel/index.ts';
import type { FrontMatter } from './front-matter.ts';
import { TOOL_WORDS } from './names.ts';
import { nearest, type Problem, type ProblemKind } from './problems.ts';
import { PROFILE_NAME } from './profiles/file.ts';
import { looksLikeSecret } from './secrets.ts';

/*
 * What fields are made of. Each rule is one that a JSON Schema can state too (a pattern, an enumeration, a range), because
 * the schemas that are shipped are made of these very fields; what needs to look at two places stands in `compile.ts`.
 */

/** The part of zod's issue that our words are made of. */
interface Wrong {
  readonly input?: unknown;
}

/** A non-blank text. `instead` completes "write ...". */
export function text(instead: string) {
  const error = wrong(instead);
  return z.string({ error }).regex(/\S/, { error }).meta({ description: instead });
}

export function flag() {
  return z.boolean({ error: wrong('true or false') });
}

/** A number above zero, in the unit that `instead` names. */
export function positive(instead: string) {
  const error = wrong(instead);
  return z.number({ error }).positive({ error }).meta({ description: instead });
}

export function oneOf<const Word extends string>(words: readonly Word[]) {
  return z.enum(words, { error: wrong(`one of ${words.join(', ')}`) });
}

export function listOf<Item extends z.ZodType>(item: Item, instead: string) {
  return z.array(item, { error: wrong(instead) });
}

/** One value or a list of them, read as a list. An empty list is refused: nothing would fit. */
export function several<Item extends z.ZodType<unknown, unknown>>(item: Item, instead: string) {
  const list = listOf(item, instead).min(1, { error: NOT_EMPTY });
  return z
    .union([list, item], { error: wrong(instead) })
    .transform((value): z.output<Item>[] => (Array.isArray(value) ? value : [value]));
}
const NOT_EMPTY = 'is an empty list: nothing would fit; write a value, or remove the line';

/** A field that this version cannot act on: only its harmless value is accepted, because ignoring more would mislead. */
export function harmless<const Value extends string | boolean | number>(value: Value, why: string) {
  return z
    .literal(value, {
      error: ({ input }) => `${shown(input)} is refused: ${why}; remove the line or write ${value}`,
    })
    .optional();
}

/** A field that this version cannot act on at all. */
export function notYet(why: string) {
  return z.never({ error: () => `is refused: ${why}; remove the line` }).optional();
}

/** An agent's id, as whoever defines the agent writes it. */
export const agentName = z
  .string({ error: wrong("the agent's id, such as builder") })
  .regex(AGENT_ID, {
    error: ({ input }) =>
      `${shown(input)} cannot be an agent; write 1 to 64 of the characters A-Z a-z 0-9 _ -, beginning with a letter or ` +
      'digit, and not leader, which is the one who leads',
  })
  .meta({ description: "the agent's id, such as builder" });

/** A variable an agent may be given. The names by which sessions know each other are never passed on. */
export const variableName = z
  .string({ error: wrong('the name of an environment variable') })
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: wrong('the name of an environment variable, without its value') })
  .regex(
    /^(?!(?:TMUX.*|TEAM_AGENT_.*|CLAUDECODE|CLAUDE_PID|CLAUDE_CODE_(?:SESSION|CHILD|MESSAGING)_.*|CODEX_THREAD_ID)$)/,
    { error: ({ input }) => `${shown(input)} tells one session from another and is never passed on; remove it` },
  );

/** The name of a credential profile, which is that of its file: `NAME.env`. */
export const profileName = z
  .string({ error: wrong('the name of a credential profile') })
  .regex(PROFILE_NAME, { error: wrong('the name of a credential profile, such as kimi') });

export const toolWord = z.enum(TOOL_WORDS, {
  error: ({ input }) => {
    if (typeof input !== 'string') return 'does not fit; write the name of a tool';
    const meant = nearest(input, TOOL_WORDS);
    return `there is no tool ${shown(input)}; ${meant ? `did you mean ${meant}?` : `write one of ${TOOL_WORDS.join(', ')}`}`;
  },
});

/** Fields in which a key that may be left out may also stand without a value. */
export function withBlanks(fields: z.ZodObject): z.ZodObject {
  const known = BLANKS.get(fields);
  if (known) return known;
  const shape = Object.entries(fields.shape).map(([key, field]): [string, z.core.$ZodType] => [
    key,
    field instanceof z.ZodOptional ? z.nullable(field.unwrap()).optional() : field,
  ]);
  const blanks = z.strictObject(Object.fromEntries(shape));
  BLANKS.set(fields, blanks);
  return blanks;
}
/** A schema is compiled at its first use, which takes longer than all its later ones. */
const BLANKS = new WeakMap<z.ZodObject, z.ZodObject>();

/**
 * Checks a document's head, or a part of one, against its fields. A key without a value counts as not written. With
 * problems, `values` are the fields that have none, so that what they say can be checked as well; undefined when one that
 * must be there is among the others.
 */
export function checkFields<Fields extends z.ZodObject>(
  file: string,
  front: FrontMatter,
  fields: Fields,
): { readonly values?: z.output<Fields>; readonly problems: readonly Problem[] } {
  const checked = withBlanks(fields).safeParse(front.values);
  if (checked.success) return { values: written<Fields>(checked.data), problems: [] };
  const problems = checked.error.issues.flatMap((issue) => problemsOf(file, front, fields, issue));
  const wrongKeys = new Set(
    checked.error.issues.flatMap((issue): PropertyKey[] =>
      issue.path.length === 0 && issue.code === 'unrecognized_keys' ? issue.keys : issue.path.slice(0, 1),
    ),
  );
  const sound = Object.entries(front.values).filter(([key]) => !wrongKeys.has(key));
  const rest = withBlanks(fields).safeParse(Object.fromEntries(sound));
  return { ...(rest.success ? { values: written<Fields>(rest.data) } : {}), problems };
}

function written<Fields extends z.ZodObject>(fields: object): z.output<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as z.output<Fields>;
}

function problemsOf(file: string, front: FrontMatter, fields: z.ZodObject, issue: z.core.$ZodIssue): Problem[] {
  const kind: ProblemKind = issue.code === 'invalid_format' && isAgentName(issue) ? 'agent_id_invalid' : GENERAL;
  if (issue.code === 'invalid_union') return unionProblems(file, front, fields, issue);
  if (issue.code !== 'unrecognized_keys') return [{ kind, file, ...front.place(issue.path), message: issue.message }];
  const known = keysAt(fields, issue.path);
  return issue.keys.map((key) => {
    const meant = nearest(key, known);
    const advice = meant ? `did you mean ${meant}?` : `the fields are ${known.join(', ')}`;
    return { kind, file, ...front.place([...issue.path, key]), message: `there is no such field; ${advice}` };
  });
}

const GENERAL = 'team_document_invalid';

function isAgentName(issue: z.core.$ZodIssueInvalidStringFormat): boolean {
  return issue.pattern === String(AGENT_ID);
}

/** Of several forms that a value may have, the one that its author began is the one whose faults are told. */
function unionProblems(
  file: string,
  front: FrontMatter,
  fields: z.ZodObject,
  issue: z.core.$ZodIssueInvalidUnion,
): Problem[] {
  const begun = issue.errors.find((faults) => faults.some(({ path }) => path.length > 0));
  if (!begun) return [{ kind: GENERAL, file, ...front.place(issue.path), message: issue.message }];
  return begun.flatMap((fault) =>
    problemsOf(file, front, fields, { ...fault, path: [...issue.path, ...fault.path] } as z.core.$ZodIssue),
  );
}

export function wrong(instead: string): (issue: Wrong) => string {
  return ({ input }) =>
    input === undefined || input === null
      ? `is missing; write ${instead}`
      : `${shown(input)} does not fit; write ${instead}`;
}

/** The fields that may be written at a place below `schema`. */
function keysAt(schema: unknown, [step, ...rest]: readonly PropertyKey[]): string[] {
  const path = step === undefined ? [] : [step, ...rest];
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return keysAt(schema.unwrap(), path);
  if (schema instanceof z.ZodArray) return keysAt(schema.element, rest);
  if (!(schema instanceof z.ZodObject)) return [];
  return step === undefined ? Object.keys(schema.shape) : keysAt(schema.shape[String(step)], rest);
}

/** A value as a document's author would recognise it; never a credential. */
export function shown(value: unknown): string {
  const whole = JSON.stringify(value) ?? String(value);
  return looksLikeSecret(whole) ? 'this value' : firstLine(printable(whole), 60);
}

type Given<Fields> = { readonly [Key in keyof Fields]?: Exclude<Fields[Key], undefined> };

/** An object without the keys that were not written. */
export function given<Fields extends object>(fields: Fields): Given<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<Fields>;
}
