import path from 'node:path';
import { z } from 'zod';

/** A tool of the leader that is a verb of the command line: its arguments and what the verb gets. */
export interface MemberTool {
  readonly verb: string;
  readonly description: string;
  readonly inputSchema: z.ZodObject;
  /** `workspace`: what a relative path begins at. */
  readonly argumentsOf: (input: Readonly<Record<string, unknown>>, workspace: string) => object;
}

const agent = z.string().min(1).describe('The id of the agent');

const as = (input: Readonly<Record<string, unknown>>): object => input;

/**
 * Tools with which a leader starts, ends, adds and removes agents. None of them can say a person's yes to a folder or to an
 * agent that never asks: what needs one is refused, with the command that a person types.
 */
export const MEMBER_TOOLS: Readonly<Record<string, MemberTool>> = {
  start_agent: {
    verb: 'start-agent',
    description: 'Start an agent that does not run, on its conversation. One that runs is left alone, unless forced.',
    inputSchema: z.object({
      agent,
      force: z.boolean().optional().describe('End it first when it runs'),
      allow_fresh: z.boolean().optional().describe('Give up a conversation that cannot be resumed'),
    }),
    argumentsOf: as,
  },
  stop_agent: {
    verb: 'stop-agent',
    description: 'End an agent; its conversation and its mail stay.',
    inputSchema: z.object({ agent }),
    argumentsOf: as,
  },
  reset_agent: {
    verb: 'reset-agent',
    description: 'Give up the conversation of an agent and start it with none. What it knew is lost.',
    inputSchema: z.object({ agent, discard_session: z.literal(true).describe('Yes, give it up') }),
    argumentsOf: as,
  },
  add_agent: {
    verb: 'add-agent',
    description:
      'Make the agent of a role document a member of the team. Write the document first: a head with name, role, provider and tools between two lines ---, then what the agent is to be.',
    inputSchema: z.object({
      agent,
      role_file: z.string().min(1).describe('The role document; the team keeps a copy'),
    }),
    argumentsOf: ({ agent, role_file }, workspace) => ({
      agent,
      role_file: path.resolve(workspace, String(role_file)),
    }),
  },
  fork_agent: {
    verb: 'fork-agent',
    description: 'Make a new member that knows what an agent knows; that one goes on.',
    inputSchema: z.object({
      agent,
      as: z.string().min(1).describe('The id of the new member'),
      label: z.string().min(1).optional().describe('Its role, when it is another one'),
    }),
    argumentsOf: ({ agent, as: id, ...rest }) => ({ ...rest, source: agent, agent: id }),
  },
  remove_agent: {
    verb: 'remove-agent',
    description: 'Make an agent no member any more. Its conversation is given up, its mail is dead.',
    inputSchema: z.object({
      agent,
      force: z.boolean().optional().describe('End it when it runs'),
      from_spec: z.boolean().optional().describe("Though the team's documents describe it, which stay as they are"),
      confirm: z.boolean().optional().describe('Yes, though the documents describe it'),
    }),
    argumentsOf: as,
  },
};
