import { z } from 'zod';
import { optionalArgument, requestHumanInput, sendMessageInput, updateStateInput } from '../coordinator/index.ts';

/** How long one call of `wait_result` waits unless told otherwise, and at most, seconds: we tell Codex to give a call up after 120. */
export const WAIT = { usual: 45, most: 100 };

const nothing = z.object({});

/** A field of a report: models are told what it is, and whatever they send instead is taken in as far as it can be understood. */
const reported = (description: string) => z.unknown().meta({ type: 'string', description }).optional();

/** What the tools take, but for those that are verbs of the command line. Made once: a schema compiles itself at its first use. */
export const INPUTS = {
  send_message: sendMessageInput,
  read_message: z.object({
    message_id: z.string(),
    part: optionalArgument(z.number().int().positive()).describe('1 by default'),
  }),
  inbox: z.object({ since: optionalArgument(z.number().int()) }),
  get_team_status: nothing,
  update_state: updateStateInput,
  hello: nothing,
  report_result: z.looseObject({
    summary: reported('What was done or found, in a few sentences'),
    status: reported('success, partial, blocked or failed'),
    task: reported('Which task, when several are open'),
    changes: z.unknown().optional(),
    tests: z.unknown().optional(),
    risks: z.unknown().optional(),
    artifacts: z.unknown().optional(),
    next_actions: z.unknown().optional(),
  }),
  request_human: requestHumanInput,
  assign_task: z.object({
    to: optionalArgument(z.string()).describe('The agent that is to do it; without it, whom the team has for the task'),
    task: z.string().min(1).max(128).describe('A short name by which you know it again'),
    content: z.string().min(1).describe('What is to be done; it arrives as it is'),
  }),
  wait_result: z.object({
    task: optionalArgument(z.string()),
    agent: optionalArgument(z.string()),
    message_id: optionalArgument(z.string()),
    timeout_s: optionalArgument(z.number().positive().max(WAIT.most)).describe(`Seconds; ${WAIT.usual} by default`),
  }),
} as const;
