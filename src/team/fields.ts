import { z } from 'zod';
import { firstLine, printable } from '../kernel/index.ts';
import type { FrontMatter } from './front-matter.ts';
import { TOOL_WORDS } from './names.ts';
import { nearest, type Problem } from './problems.ts';
import { isProfileName } from './profiles/file.ts';
import { looksLikeSecret } from './secrets.ts';

/** The part of zod's issue that our words are made of. */
interface Wrong {
  readonly input?: unknown;
}

/** A non-blank text. `instead` completes "write ...". */
export function text(instead: string) {
  const error = wrong(instead);
  return z.string({ error }).refine((value) => value.trim() !== '', { error });
}

export function flag() {
  return z.boolean({ error: wrong('true or false') });
}

/** A number above zero, in the unit that `instead` names. */
export function positive(instead: string) {
  const error = wrong(instead);
  return z.number({ error }).positive({ error });
}

export function oneOf<const Word extends string>(words: readonly Word[]) {
  return z.enum(words, { error: wrong(`one of ${words.join(', ')}`) });
}

export function listOf<Item extends z.ZodType>(item: Item, instead: string) {
  return z.array(item, { error: wrong(instead) });
}

/** A field that this version cannot act on: only its harmless value is accepted, because ignoring more would mislead. */
export function harmless<const Value extends string | boolean>(value: Value, why: string) {
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

/** A variable an agent may be given. The names by which sessions know each other are never passed on. */
export const variableName = z
  .string({ error: wrong('the name of an environment variable') })
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: wrong('the name of an environment variable, without its value') })
  .refine((name) => !SESSION_VARIABLE.test(name), {
    error: ({ input }) => `${shown(input)} tells one session from another and is never passed on; remove it`,
  });
const SESSION_VARIABLE =
  /^(TMUX.*|TEAM_AGENT_.*|CLAUDECODE|CLAUDE_PID|CLAUDE_CODE_(SESSION|CHILD|MESSAGING)_.*|CODEX_THREAD_ID)$/;

/** The name of a credential profile, which is that of its file: `NAME.env`. */
export const profileName = z
  .string({ error: wrong('the name of a credential profile') })
  .refine(isProfileName, { error: wrong('the name of a credential profile, such as kimi') });

export const toolWord = z
  .string({ error: 'does not fit; write the name of a tool' })
  .refine((word) => TOOL_WORDS.includes(word), {
    error: ({ input }) => {
      const meant = typeof input === 'string' ? nearest(input, TOOL_WORDS) : undefined;
      return `there is no tool ${shown(input)}; ${meant ? `did you mean ${meant}?` : `write one of ${TOOL_WORDS.join(', ')}`}`;
    },
  });

/** Checks a document's head against its fields. A key without a value counts as not written. */
export function checkFields<Fields extends z.ZodObject>(
  file: string,
  front: FrontMatter,
  fields: Fields,
): { readonly values?: z.output<Fields>; readonly problems: readonly Problem[] } {
  const written = Object.fromEntries(Object.entries(front.values).filter(([, value]) => value !== null));
  const checked = fields.safeParse(written);
  if (checked.success) return { values: checked.data, problems: [] };
  return {
    problems: checked.error.issues.flatMap((issue) => problemsOf(file, front, fields, issue)),
  };
}

function problemsOf(file: string, front: FrontMatter, fields: z.ZodObject, issue: z.core.$ZodIssue): Problem[] {
  const at = (path: readonly PropertyKey[], message: string): Problem => ({
    kind: 'team_document_invalid',
    file,
    line: front.lineOf(path),
    key: path.map(String).join('.') || 'front matter',
    message,
  });
  if (issue.code !== 'unrecognized_keys') return [at(issue.path, issue.message)];
  const known = keysAt(fields, issue.path);
  return issue.keys.map((key) => {
    const meant = nearest(key, known);
    const advice = meant ? `did you mean ${meant}?` : `the fields are ${known.join(', ')}`;
    return at([...issue.path, key], `there is no such field; ${advice}`);
  });
}

export function wrong(instead: string): (issue: Wrong) => string {
  return ({ input }) =>
    input === undefined ? `is missing; write ${instead}` : `${shown(input)} does not fit; write ${instead}`;
}

/** The fields that may be written at a place below `schema`. */
function keysAt(schema: unknown, [step, ...rest]: readonly PropertyKey[]): string[] {
  if (schema instanceof z.ZodOptional) return keysAt(schema.unwrap(), step === undefined ? [] : [step, ...rest]);
  if (schema instanceof z.ZodArray) return keysAt(schema.element, rest);
  if (!(schema instanceof z.ZodObject)) return [];
  return step === undefined ? Object.keys(schema.shape) : keysAt(schema.shape[String(step)], rest);
}

/** A value as a document's author would recognise it; never a credential. */
export function shown(value: unknown): string {
  const whole = JSON.stringify(value) ?? String(value);
  return looksLikeSecret(whole) ? 'this value' : firstLine(printable(whole), 60);
}
