import { withBlanks } from '../fields.ts';
import { roleFields, teamFields } from '../schema.ts';
import { specFields } from './schema.ts';

/** What the heads of documents, and a spec, are checked with: the JSON Schemas that are shipped are made of the same. */
export const documentSchemas = {
  team: withBlanks(teamFields),
  role: withBlanks(roleFields),
  spec: withBlanks(specFields),
} as const;
