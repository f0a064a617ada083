import { z } from 'zod';
import { flag, harmless, listOf, notYet, oneOf, shown, text, variableName } from './fields.ts';
import { nearest } from './problems.ts';
import { MCP_CHOICES } from './shape.ts';
import { NOT_YET } from './team-fields.ts';
import { TOOL_WORDS } from './tools.ts';

const tool = z.string({ error: 'does not fit; write the name of a tool' }).refine((word) => TOOL_WORDS.includes(word), {
  error: ({ input }) => {
    const meant = typeof input === 'string' ? nearest(input, TOOL_WORDS) : undefined;
    return `there is no tool ${shown(input)}; ${meant ? `did you mean ${meant}?` : `write one of ${TOOL_WORDS.join(', ')}`}`;
  },
});

/** The head of a role document. `name`, `role`, `provider` and `tools` are required. */
export const roleFields = z.strictObject({
  name: text('the agent\'s id, such as builder'),
  role: text('what the agent is, such as developer'),
  provider: text('the CLI that plays it, such as claude, codex or scripted'),
  tools: listOf(tool, 'a list such as [fs_read, execute_bash]'),
  model: text('the name of a model').optional(),
  working_directory: text('a folder, relative to the workspace').optional(),
  script: text('a file, relative to this document').optional(),
  env: listOf(variableName, 'a list of variable names, such as [NPM_TOKEN]').optional(),
  mcp: oneOf(MCP_CHOICES).optional(),
  paused: flag().optional(),
  auth_mode: harmless('subscription', 'an agent uses the login of its own CLI'),
  profile: notYet('credential profiles are not read'),
  host: notYet('agents run on this machine only'),
  ...NOT_YET,
});
export type RoleFields = z.output<typeof roleFields>;
