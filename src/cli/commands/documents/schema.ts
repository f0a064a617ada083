import fs from 'node:fs';
import path from 'node:path';
import { packageFolder } from '../../../kernel/installation.ts';
import { isRefusal } from '../../../kernel/reasons.ts';
import type { Context } from '../../context.ts';
import { oneOf } from '../../flags.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';

const FILES = {
  team: 'team.schema.json',
  role: 'role.schema.json',
  spec: 'team.spec.schema.json',
  result: 'result-envelope.schema.json',
} as const;
const NAMES = ['team', 'role', 'spec', 'result'] as const;

/** Prints one of the JSON Schemas that come with the program, or where all of them are. */
export async function run(_context: Context, given: string | undefined): Promise<Outcome> {
  const name = oneOf('schema', given, NAMES);
  if (isRefusal(name)) return refused({ ...name, next: NAMES.map((known) => `team-agent schema ${known}`) });
  const fileOf = (known: (typeof NAMES)[number]) => path.join(packageFolder, 'schemas', FILES[known]);
  if (name === undefined) {
    const schemas = NAMES.map((known) => ({ name: known, file: fileOf(known) }));
    return outcomeOf({ ok: true as const, schemas }, () => schemas.map(({ name, file }) => `${name.padEnd(8)}${file}`));
  }
  const text = fs.readFileSync(fileOf(name), 'utf8');
  const schema: unknown = JSON.parse(text);
  return outcomeOf({ ok: true as const, name, file: fileOf(name), schema }, () => [text.trimEnd()]);
}
