import fs from 'node:fs';
import { readIfThere, writePrivateFile } from '../../../kernel/files.ts';
import { isRefusal } from '../../../kernel/reasons.ts';
import { type Outcome, refused } from '../../outcome.ts';

/*
 * Between the launcher that a person runs outside tmux and the one in its tmux session stand two files with mode 0600: the
 * person's environment on the way there, and what came of it on the way back, for a pane that closes shows it to nobody.
 */

/** Names the first of them, to the launcher in the session alone. */
const VARIABLE = 'TEAM_AGENT_LEADER_ENVIRONMENT';

export interface HandedOn {
  readonly file: string;
  /** The person's own, with what tmux says about where this runs. */
  readonly environment: NodeJS.ProcessEnv;
}

/** Hands an environment on in a file; returns the words that stand before the command which is to take it. */
export function handOn(file: string, environment: NodeJS.ProcessEnv): readonly string[] {
  fs.rmSync(outcomeOf(file), { force: true });
  writePrivateFile(file, JSON.stringify(environment));
  return ['env', `${VARIABLE}=${file}`];
}

/** What was handed on to this process; undefined when nothing was, or somebody took it before (a pane that is run again). */
export function takeHandedOn({ [VARIABLE]: file, TMUX, TMUX_PANE, TERM }: NodeJS.ProcessEnv): HandedOn | undefined {
  const text = file === undefined ? undefined : readIfThere(file);
  if (file === undefined || text === undefined) return undefined;
  fs.rmSync(file);
  return { file, environment: { ...(JSON.parse(text) as NodeJS.ProcessEnv), TMUX, TMUX_PANE, TERM } };
}

/** An environment without the name of the file: what runs in it has nothing to take. */
export function withoutHandedOn({ [VARIABLE]: _, ...rest }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return rest;
}

/** Tells the launcher outside what came of it. */
export function tellOutcome({ file }: HandedOn, outcome: Outcome): void {
  const told = outcome.kind === 'refused' ? outcome.refusal : { exit: outcome.kind === 'written' ? outcome.exit : 0 };
  writePrivateFile(outcomeOf(file), JSON.stringify(told));
}

/** What came of it, once; undefined when it has not ended, or was cut off. */
export function takeOutcome(file: string): Outcome | undefined {
  const text = readIfThere(outcomeOf(file));
  if (text === undefined) return undefined;
  fs.rmSync(outcomeOf(file));
  const told = JSON.parse(text) as { readonly exit: number };
  return isRefusal(told) ? refused(told) : { kind: 'written', exit: told.exit };
}

const outcomeOf = (file: string): string => `${file}.outcome`;
