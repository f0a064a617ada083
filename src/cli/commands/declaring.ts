import { Option } from 'commander';
import type { Context } from '../context.ts';
import type { Outcome } from '../outcome.ts';

/** Runs a command once its words and flags are known. */
export type Perform = (work: (context: Context) => Promise<Outcome>) => Promise<void>;

/** An option that is understood and not shown. */
export const hidden = (flags: string): Option => new Option(flags).hideHelp();
