import { z } from 'zod';
import { flag, listOf, oneOf, several, text, toolWord, wrong } from '../fields.ts';
import { canonicalTools } from '../names.ts';
import { RISKS } from './shape.ts';

/** A task's id: it is typed on command lines, so it has no blank and no character of a shell. At most 128 characters. */
const TASK_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

const ID_ADVICE =
  'a task id such as login-form: 1 to 128 of the characters A-Z a-z 0-9 _ . -, beginning with a letter or digit';
const taskId = z.string({ error: wrong(ID_ADVICE) }).regex(TASK_ID, { error: wrong(ID_ADVICE) });
const member = text('the name of an agent, or leader');
const files = (instead: string) => listOf(text(instead), `a list such as [${instead}]`);
const tools = listOf(toolWord, 'a list such as [fs_write, execute_bash]').transform(canonicalTools);

/** A whole number, zero or above. */
const count = (instead: string) =>
  z
    .number({ error: wrong(instead) })
    .int({ error: wrong(instead) })
    .nonnegative({ error: wrong(instead) });

export const task = z.strictObject(
  {
    id: taskId,
    title: text('what is to be done, in a few words'),
    description: text('what is to be done, as text').optional(),
    type: text('a word such as implementation, review or research').optional(),
    assignee: member.optional(),
    deps: listOf(taskId, 'a list of task ids').optional(),
    requires_tools: tools.optional(),
    files: files('src/login.ts').optional(),
    risk: oneOf(RISKS).optional(),
    retry_limit: count('how often it may be tried again, such as 2').optional(),
    human_confirmation: flag().optional(),
  },
  { error: wrong('a task such as {id: login-form, title: Build the login form}') },
);
export const tasks = listOf(task, 'a list of tasks, each with id and title');

const TAKES_ALL = 'is empty: the rule would take every task; write what a task must be, or use default_assignee';

const match = z
  .strictObject(
    {
      type: several(text('a type of task'), 'a type of task, or a list of them').optional(),
      risk: several(oneOf(RISKS), `one of ${RISKS.join(', ')}, or a list of them`).optional(),
      requires_tools: several(toolWord, 'a tool, or a list of them').transform(canonicalTools).optional(),
      files: several(text('src/**'), 'a glob such as src/**, or a list of them').optional(),
      assignee: several(member, 'the name of an agent, or a list of them').optional(),
    },
    { error: wrong('what a task must be, such as {type: review}') },
  )
  .refine((written) => Object.values(written).some((value) => value !== undefined), {
    error: TAKES_ALL,
    when: ({ issues }) => issues.length === 0,
  })
  .meta({ minProperties: 1 });

export const rule = z.strictObject(
  {
    id: text('a name for the rule').optional(),
    assign_to: member,
    priority: z.number({ error: wrong('a number; the highest is asked first') }).optional(),
    match,
  },
  { error: wrong('a rule such as {assign_to: reviewer, match: {type: review}}') },
);

export const routing = z.strictObject(
  {
    default_assignee: member.optional(),
    rules: listOf(rule, 'a list of rules').optional(),
  },
  { error: wrong('default_assignee and rules') },
);

/** How much agents may write to each other. */
const limit = (instead: string) =>
  count(instead)
    .positive({ error: wrong(instead) })
    .optional();
export const peerLimits = z.strictObject(
  {
    hops: limit('a whole number of hops above 0'),
    pair: limit('a whole number of messages in five minutes above 0'),
    team: limit('a whole number of messages in five minutes above 0'),
  },
  { error: wrong('limits such as {hops: 8, pair: 20, team: 60}') },
);
