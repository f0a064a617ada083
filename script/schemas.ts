/** Writes the JSON Schemas that are shipped, each made of the very fields that the program checks with. */
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { ENVELOPE } from '../src/results/envelope.ts';
import { documentSchemas } from '../src/team/index.ts';

const root = path.dirname(import.meta.dirname);

const SEMANTIC =
  'What looks at two places, such as tasks that wait for each other, is checked by `team-agent validate`.';

const SCHEMAS = {
  'team.schema.json': {
    fields: documentSchemas.team,
    title: 'TEAM.md',
    description: `The head of TEAM.md: the settings of a team. ${SEMANTIC}`,
  },
  'role.schema.json': {
    fields: documentSchemas.role,
    title: 'Role document',
    description: `The head of agents/*.md: one agent of a team. ${SEMANTIC}`,
  },
  'team.spec.schema.json': {
    fields: documentSchemas.spec,
    title: 'team.spec.yaml',
    description: `A whole team in one file, version 1. ${SEMANTIC}`,
  },
  'result-envelope.schema.json': {
    fields: ENVELOPE,
    title: 'result_envelope_v1',
    description: 'A result as it is written down and passed on.',
  },
} as const;

/** The schemas by file name, as text: JSON Schema 2020-12. The same sources are the same text. */
export function schemaTexts(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(SCHEMAS).map(([name, { fields, title, description }]) => {
      const { $schema, ...rules } = z.toJSONSchema(fields, { target: 'draft-2020-12', io: 'input' });
      return [name, `${JSON.stringify({ $schema, title, description, ...rules }, null, 2)}\n`];
    }),
  );
}

/** Those that are not what the sources make now, a line each. */
export function staleSchemas(): string[] {
  return [...schemaTexts()].flatMap(([name, text]) => {
    const file = path.join(root, 'schemas', name);
    const fresh = fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text;
    return fresh ? [] : [`schemas/${name} is not what its sources make: run node script/schemas.ts`];
  });
}

if (import.meta.main) {
  fs.mkdirSync(path.join(root, 'schemas'), { recursive: true });
  for (const [name, text] of schemaTexts()) fs.writeFileSync(path.join(root, 'schemas', name), text);
}
