import { z } from 'zod';
import { requestHumanInput, sendMessageInput, updateStateInput } from '../coordinator/index.ts';

/** How long one call of `wait_result` waits unless told otherwise, and at most, seconds: we tell Codex to give a call up after 120. */
export const WAIT = { usual: 45, most: 100 };

const nothing = z.object({});

/** What the tools take, but for those that are verbs of the command line. Made once: a schema compiles itself at its first use. */
export const INPUTS = {
  send_message: sendMessageInput,
  read_message: z.object({
    message_id: z.string(),
    part: z.number().int().positive().optional().describe('1 by default'),
  }),
  inbox: z.object({ since: z.number().int().optional() }),
  get_team_status: nothing,
  update_state: updateStateInput,
  hello: nothing,
  /** What models are told; what they send instead is taken in as far as it can be understood. */
  report_result: z.looseObject({
    summary: z.string().optional().describe('What was done or found, in a few sentences'),
    status: z.string().optional().describe('success, partial, blocked or failed'),
    task: z.string().optional().describe('Which task, when several are open'),
    changes: z.unknown().optional(),
    tests: z.unknown().optional(),
    risks: z.unknown().optional(),
    artifacts: z.unknown().optional(),
    next_actions: z.unknown().optional(),
  }),
  request_human: requestHumanInput,
  assign_task: z.object({
    to: z.string().min(1).optional().describe('The agent that is to do it; without it, whom the team has for the task'),
    task: z.string().min(1).max(128).describe('A short name by which you know it again'),
    content: z.string().min(1).describe('What is to be done; it arrives as it is'),
  }),
  wait_result: z.object({
    task: z.string().optional(),
    agent: z.string().optional(),
    message_id: z.string().optional(),
    timeout_s: z.number().positive().max(WAIT.most).optional().describe(`Seconds; ${WAIT.usual} by default`),
  }),
} as const;
