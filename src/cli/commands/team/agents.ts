import path from 'node:path';
import { isRefusal, type Refusal } from '../../../kernel/reasons.ts';
import type { Answers } from '../../answers/index.ts';
import { callerEnvironment } from '../../caller.ts';
import { call } from '../../calling.ts';
import type { Context } from '../../context.ts';
import { warnOfAutoTrust } from '../../documents.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import {
  agentAddedLines,
  agentRemovedLines,
  agentStartedLines,
  agentStoppedLines,
  restartLines,
} from '../../rendering/agents.ts';
import type { Look } from '../../rendering/look.ts';
import { planLines } from '../../rendering/plan.ts';
import { surroundingOf } from './variables.ts';

type Planned = 'restart' | 'start-agent' | 'stop-agent' | 'reset-agent' | 'add-agent' | 'fork-agent' | 'remove-agent';

interface Dry {
  readonly dryRun?: boolean;
}

/** What a person agrees to. */
interface Consent {
  readonly allowFresh?: boolean;
  readonly trust?: boolean;
  readonly yes?: boolean;
}

/** `workspace`: the project folder, as `--workspace` names it. */
export async function restart(around: Context, workspace: string | undefined, flags: Consent & Dry): Promise<Outcome> {
  const context = workspace === undefined ? around : { ...around, globals: { ...around.globals, workspace } };
  const args = await orderOf(context, 'restart', flags, { caller_environment: callerEnvironment(context.environment) });
  return perform(context, 'restart', args, flags, restartLines);
}

export async function start(
  context: Context,
  agent: string,
  flags: Consent & Dry & { readonly force?: boolean },
): Promise<Outcome> {
  const args = await orderOf(context, 'start-agent', flags, { agent, force: flags.force ?? false });
  return perform(context, 'start-agent', args, flags, agentStartedLines);
}

export async function stop(context: Context, agent: string, flags: Dry): Promise<Outcome> {
  return perform(context, 'stop-agent', { agent }, flags, agentStoppedLines);
}

export async function reset(
  context: Context,
  agent: string,
  flags: Consent & Dry & { readonly discardSession?: boolean },
): Promise<Outcome> {
  const words = { agent, discard_session: flags.discardSession ?? false };
  const args = await orderOf(context, 'reset-agent', flags, words);
  return perform(context, 'reset-agent', args, flags, agentStartedLines);
}

export async function add(
  context: Context,
  agent: string,
  flags: Consent & Dry & { readonly roleFile: string },
): Promise<Outcome> {
  const joins = { agent, role_file: path.resolve(context.cwd, flags.roleFile) };
  const args = await orderOf(context, 'add-agent', flags, joins, joins);
  return perform(context, 'add-agent', args, flags, agentAddedLines);
}

export async function fork(
  context: Context,
  source: string,
  flags: Consent & Dry & { readonly as: string; readonly label?: string },
): Promise<Outcome> {
  const label = flags.label === undefined ? {} : { label: flags.label };
  const args = await orderOf(context, 'fork-agent', flags, { source, agent: flags.as, ...label });
  return perform(context, 'fork-agent', args, flags, agentAddedLines);
}

export async function remove(
  context: Context,
  agent: string,
  flags: Dry & { readonly fromSpec?: boolean; readonly confirm?: boolean; readonly force?: boolean },
): Promise<Outcome> {
  const { fromSpec = false, confirm = false, force = false } = flags;
  const asked = { agent, from_spec: fromSpec, confirm, force };
  return perform(context, 'remove-agent', asked, flags, agentRemovedLines);
}

/**
 * What a verb is asked with: its own words, and the variables that the team's agents ask for, from the environment of whoever
 * starts them. What is wrong with their documents is told by the plan of the verb, which knows what to type again.
 */
async function orderOf(
  context: Context,
  verb: Planned,
  { allowFresh = false, trust = false, yes = false }: Consent,
  words: Readonly<Record<string, unknown>>,
  joins?: { readonly agent: string; readonly role_file: string },
): Promise<Readonly<Record<string, unknown>> | Refusal> {
  const said = { ...words, allow_fresh: allowFresh, trust, yes };
  const asked = await call(context, 'who-starts', { verb, ...(joins ? { joins } : {}) });
  if (isRefusal(asked)) {
    const planned = asked.evidence?.problems ? await call(context, 'plan', { of: verb, ...said }) : asked;
    return isRefusal(planned) ? planned : asked;
  }
  warnOfAutoTrust({ autoTrust: asked.auto_trust }, context);
  return { ...said, ...(await surroundingOf(asked.agents, context.environment)) };
}

/** Carries a verb out, or shows what it would do. */
async function perform<Name extends Planned>(
  context: Context,
  verb: Name,
  args: Readonly<Record<string, unknown>> | Refusal,
  { dryRun = false }: Dry,
  lines: (answer: Answers[Name], look: Look) => readonly string[],
): Promise<Outcome> {
  if (isRefusal(args)) return refused(args);
  if (dryRun) return outcomeOf(await call(context, 'plan', { of: verb, ...args }), planLines);
  return outcomeOf(await call(context, verb, args), lines);
}
